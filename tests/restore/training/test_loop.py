import dataclasses
import errno
import functools
import itertools
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim import files  # noqa: E402
from raim.errors import InputError, RaimError, TrainingError  # noqa: E402
from raim.restore.training import Listener, loop, records, train  # noqa: E402
from raim.restore.training.logs import CsvLog  # noqa: E402
from raim.restore.training.loop import find_learning_rate  # noqa: E402
from raim.restore.training.losses import compute_loss  # noqa: E402
from raim.restore.training.recipe import Schedule  # noqa: E402
from raim.restore.training.run_folder import list_checkpoints  # noqa: E402
from raim.restore.training.sources import ImageCache  # noqa: E402
from training_world import (  # noqa: E402 - after the skip
    CAMERA_RECIPE,
    STEPS,
    StoppedError,
    make_pairs,
    read_log,
    read_tiny,
    read_weights,
    stop_after,
)


def everything(run):
    return read_weights(run), read_log(run), read_log(run, "validation.csv")


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """Give the folder of a run that nobody stopped."""
    run = tmp_path_factory.mktemp("whole") / "run"
    train(read_tiny(data), run)
    return run


@pytest.fixture(scope="module")
def whole_on_camera(data, tmp_path_factory):
    """Give the folder of a run on photographs that nobody stopped."""
    run = tmp_path_factory.mktemp("camera") / "run"
    train(read_tiny(data, text=CAMERA_RECIPE), run)
    return run


def test_a_run_learns_and_says_how_good_it_is(data, tmp_path):
    recipe = read_tiny(
        data,
        "schedule.steps=60",
        "schedule.learning_rate=5e-3",
        "validation.every_steps=60",
        "schedule.average_decay=0.5",
    )
    trained = train(recipe, tmp_path / "run")
    assert trained.steps == 60
    assert trained.means["psnr"] > trained.identity["psnr"] + 0.1
    assert [float(row["score"]) for row in read_log(tmp_path / "run", "validation.csv")][-1] == pytest.approx(
        trained.means["score"], rel=1e-5
    )


def test_the_learning_rate_rises_and_falls_without_a_jump():
    schedule = Schedule(steps=200, learning_rate=1e-3, warm_up_steps=20, final_share=0.1)
    rates = np.array([find_learning_rate(schedule, step) for step in range(200)])
    assert rates.argmax() in {19, 20}
    assert rates[-1] == pytest.approx(1e-4, rel=1e-2)
    assert (np.diff(rates[:20]) > 0).all()
    assert (np.diff(rates[20:]) < 0).all()
    assert abs(np.diff(rates)).max() <= 1e-3 / 20 + 1e-9


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_stopped_at_any_step_and_gone_on_with_it_ends_with_the_same_weights(data, whole, tmp_path, step):
    with pytest.raises(StoppedError):
        train(read_tiny(data), tmp_path / "run", listener=stop_after(step))
    notes = []
    train(read_tiny(data), tmp_path / "run", listener=Listener(on_note=notes.append))
    assert everything(tmp_path / "run") == everything(whole)
    kept = step if step == STEPS else step // 3 * 3
    assert notes == ([f"going on after step {kept} of {STEPS}"] if kept else [])


def test_stopped_in_the_middle_of_a_validation_it_goes_on_too(data, whole, tmp_path, monkeypatch):
    def stop(*_arguments, **_options):
        raise StoppedError

    with monkeypatch.context() as patched:
        patched.setattr("raim.restore.training.records.write_trained", stop)
        with pytest.raises(StoppedError):
            train(read_tiny(data), tmp_path / "run")
    assert read_log(tmp_path / "run", "validation.csv")[-1]["step"] == "4"
    train(read_tiny(data), tmp_path / "run")
    assert everything(tmp_path / "run") == everything(whole)


def test_nobody_else_can_train_in_its_folder_while_it_goes_on(data, whole, tmp_path):
    def start_another(done, _total):
        if done == 4:
            with pytest.raises(InputError, match="another raim train works in"):
                train(read_tiny(data), tmp_path / "run", overwrite=True)

    train(read_tiny(data), tmp_path / "run", listener=Listener(on_step=start_another))
    assert everything(tmp_path / "run") == everything(whole)


def test_a_run_that_is_killed_keeps_how_long_its_steps_took(data, tmp_path, monkeypatch):
    # A second passes at every look: however fast the machine is, steps take time.
    monkeypatch.setattr(records, "time", SimpleNamespace(monotonic=itertools.count().__next__))
    with pytest.raises(StoppedError):
        train(read_tiny(data, "validation.every_steps=100"), tmp_path / "run", listener=stop_after(4))
    facts = json.loads((tmp_path / "run/training.json").read_text())
    assert (facts["step"], facts["is_finished"]) == (3, False)
    assert facts["seconds"] > 0
    train(read_tiny(data, "validation.every_steps=100"), tmp_path / "run")
    finished = json.loads((tmp_path / "run/training.json").read_text())
    assert (finished["step"], finished["is_finished"]) == (STEPS, True)
    assert finished["seconds"] >= facts["seconds"]


def test_a_finished_run_that_is_started_again_stays_as_it_is(data, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    trained = train(read_tiny(data), tmp_path / "run")
    assert everything(tmp_path / "run") == everything(whole)
    assert trained.means["score"] == pytest.approx(float(read_log(whole, "validation.csv")[-1]["score"]))


def test_mixed_precision_goes_on_to_the_same_weights(data, tmp_path):
    recipe = read_tiny(data, "schedule.precision=bf16-mixed")
    train(recipe, tmp_path / "whole")
    with pytest.raises(StoppedError):
        train(recipe, tmp_path / "run", listener=stop_after(5))
    train(recipe, tmp_path / "run")
    assert everything(tmp_path / "run") == everything(tmp_path / "whole")


def test_a_run_on_the_camera_goes_on_to_the_same_weights(data, whole_on_camera, tmp_path):
    recipe = read_tiny(data, text=CAMERA_RECIPE)
    with pytest.raises(StoppedError):
        train(recipe, tmp_path / "run", listener=stop_after(4))
    train(recipe, tmp_path / "run")
    assert everything(tmp_path / "run") == everything(whole_on_camera)


@pytest.mark.slow
def test_the_number_of_loading_processes_changes_nothing(data, whole_on_camera, tmp_path):
    train(read_tiny(data, "schedule.loaders=1", text=CAMERA_RECIPE), tmp_path / "run")
    assert everything(tmp_path / "run") == everything(whole_on_camera)


@pytest.mark.parametrize("at", [0, 4, 6])
def test_a_loss_that_is_no_number_stops_it_and_the_checkpoint_before_is_good(
    data, whole, tmp_path, monkeypatch, at
):
    count = iter(range(STEPS))

    def compute(*arguments):
        loss = compute_loss(*arguments)
        return dataclasses.replace(loss, total=loss.total * float("nan")) if next(count) == at else loss

    kept = [step for step in (6, 3) if step <= at]
    last = rf"step-{kept[0]:08d}\.pt" if kept else "there is no checkpoint yet"
    with monkeypatch.context() as patched:
        patched.setattr(loop, "compute_loss", compute)
        message = rf"step {at + 1}: the loss is nan \(l1 .*{last}.*lower schedule\.learning_rate"
        with pytest.raises(TrainingError, match=message):
            train(read_tiny(data), tmp_path / "run")
    there = [path.name for path in list_checkpoints(tmp_path / "run")]
    assert there == [f"step-{step:08d}.pt" for step in kept]
    train(read_tiny(data), tmp_path / "run")
    assert everything(tmp_path / "run") == everything(whole)


@pytest.mark.parametrize("rate", [1e10, 1e30])
def test_a_learning_rate_that_breaks_the_net_is_reported_and_never_kept(data, tmp_path, rate):
    recipe = read_tiny(data, "schedule.warm_up_steps=0", "checkpoint_steps=1")
    recipe = dataclasses.replace(recipe, schedule=dataclasses.replace(recipe.schedule, learning_rate=rate))
    with pytest.raises(TrainingError, match=r"step \d: the .* is (nan|inf) .*lower schedule.learning_rate"):
        train(recipe, tmp_path / "run")
    for path in list_checkpoints(tmp_path / "run"):
        weights = torch.load(path, weights_only=True)["network"].values()
        assert all(torch.isfinite(each).all() for each in weights)


@pytest.mark.parametrize(
    "name", ["step-00000006.pt", "model.safetensors", "step-00000004.png", "training.json"]
)
def test_a_disk_that_is_full_stops_it_and_later_it_goes_on_to_the_same_weights(
    data, whole, tmp_path, monkeypatch, name
):
    replace_file = files.replace_file

    def fail(path, content):
        if path.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace_file(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(files, "replace_file", fail)
        patched.setattr("raim.images.writing.replace_file", fail, raising=False)
        with pytest.raises(RaimError, match=rf"{name}.*No space left on device.*free (some )?space"):
            train(read_tiny(data), tmp_path / "run")
    assert not list(tmp_path.rglob("*.part"))
    train(read_tiny(data), tmp_path / "run")
    assert everything(tmp_path / "run") == everything(whole)


def test_a_log_that_cannot_grow_stops_it_and_half_a_line_is_repaired(data, whole, tmp_path, monkeypatch):
    add = CsvLog.add

    def fail(log, step, values):
        if step == 5:
            with log.path.open("a") as file:
                file.write("5,0.03")
            raise files.cannot_write(log.path, OSError(errno.ENOSPC, "No space left on device"))
        add(log, step, values)

    with monkeypatch.context() as patched:
        patched.setattr("raim.restore.training.logs.CsvLog.add", fail)
        with pytest.raises(InputError, match=r"log\.csv cannot be written: No space left"):
            train(read_tiny(data), tmp_path / "run")
    train(read_tiny(data), tmp_path / "run")
    assert everything(tmp_path / "run") == everything(whole)


def test_a_damaged_checkpoint_is_passed_over_with_a_note(data, whole, tmp_path):
    with pytest.raises(StoppedError):
        train(read_tiny(data), tmp_path / "run", listener=stop_after(6))
    newest = list_checkpoints(tmp_path / "run")[0]
    newest.write_bytes(newest.read_bytes()[:2000])
    notes = []
    train(read_tiny(data), tmp_path / "run", listener=Listener(on_note=notes.append))
    assert "step-00000006.pt cannot be read" in notes[0]
    assert notes[1] == "going on after step 3 of 7"
    assert everything(tmp_path / "run") == everything(whole)


def test_a_missing_reference_is_reported_before_anything_is_made(tmp_path):
    make_pairs(tmp_path / "pairs")
    (tmp_path / "pairs/reference/1.png").unlink()
    with pytest.raises(InputError, match=r"1\.png has no reference"):
        train(read_tiny(tmp_path), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_input_that_goes_while_it_trains_stops_it_by_name(tmp_path, whole, data, monkeypatch):
    shutil.copytree(data / "pairs", tmp_path / "pairs")
    monkeypatch.setattr(
        loop, "ImageCache", functools.partial(ImageCache, most_bytes=0)
    )  # every patch is read again

    def remove(done, _total):
        if done == 4:
            for name in ("0.png", "1.png"):
                (tmp_path / "pairs/input" / name).rename(tmp_path / name)

    with pytest.raises(RaimError, match=r"[01]\.png"):
        train(read_tiny(tmp_path), tmp_path / "run", listener=Listener(on_step=remove))
    assert [path.name for path in list_checkpoints(tmp_path / "run")] == ["step-00000003.pt"]
    for name in ("0.png", "1.png"):
        (tmp_path / name).rename(tmp_path / "pairs/input" / name)
    train(read_tiny(tmp_path), tmp_path / "run")
    assert everything(tmp_path / "run") == everything(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("schedule.patch_px=33", r"patch_px is 33; this model takes multiples of 2, such as 32"),
        ("validation.crop_px=300", r"0\.png is 220x210, smaller than a patch of 300 px"),
        ("model.start=gone.safetensors", "there is no model file .*gone.safetensors to start from"),
    ],
)
def test_what_does_not_fit_is_reported_before_anything_is_made(data, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        train(read_tiny(data, change), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_start_that_was_replaced_by_a_model_of_another_size_is_reported_and_nothing_is_lost(
    data, whole, tmp_path
):
    start = tmp_path / "start.safetensors"
    shutil.copy(whole / "model.safetensors", start)
    recipe = read_tiny(data, f"model.start={start}")
    train(recipe, tmp_path / "run")
    before = everything(tmp_path / "run")
    other = train(read_tiny(data, "model.channels=16", "schedule.steps=1"), tmp_path / "other")
    shutil.copy(other.model, start)
    with pytest.raises(InputError, match=r"of another model than the recipe makes now; put the file .* back"):
        train(recipe, tmp_path / "run")
    shutil.copy(whole / "model.safetensors", start)
    train(recipe, tmp_path / "run")
    assert everything(tmp_path / "run") == before


def test_a_recipe_may_begin_with_the_model_of_another(data, whole, tmp_path):
    recipe = read_tiny(data, f"model.start={whole / 'model.safetensors'}", "schedule.steps=1")
    assert train(recipe, tmp_path / "run").means["psnr"] == pytest.approx(
        float(read_log(whole, "validation.csv")[-1]["psnr"]), abs=0.05
    )
