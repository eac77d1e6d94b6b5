import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from patience import PATIENCE_S, wait_until

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.errors import InputError  # noqa: E402
from raim.images import read_image, write_image  # noqa: E402
from raim.restore.training import list_shipped, read_recipe  # noqa: E402
from raim.restore.training.recipe import ModelChoice  # noqa: E402
from raim.restore.training.trainable import build_trainable  # noqa: E402
from training_world import (  # noqa: E402 - after the skip
    RECIPE,
    add_profile,
    make_pairs,
    make_photograph,
    read_log,
    read_weights,
)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Give a recipe's file with its pairs beside it."""
    folder = tmp_path_factory.mktemp("recipe")
    make_pairs(folder / "pairs", noise=12)
    (folder / "tiny.toml").write_text(RECIPE)
    return folder / "tiny.toml"


@pytest.fixture(scope="module")
def finished(recipe):
    """Give the folder of a run that is done."""
    from raim.restore.training import train

    with pytest.MonkeyPatch.context() as patched:
        add_profile(patched)
        train(read_recipe(str(recipe)), recipe.parent / "finished")
    return recipe.parent / "finished"


@pytest.fixture
def page(monkeypatch):
    """Add the profile `psnr-alone`."""
    add_profile(monkeypatch)


@pytest.mark.usefixtures("page")
def test_it_trains_and_says_where_the_model_is(run_raim, recipe, tmp_path, finished):
    code, out, err = run_raim("train", recipe, tmp_path / "run")
    assert code == 0, err
    assert f"{tmp_path / 'run/model.safetensors'} has SCORE " in out
    assert "over the inputs as they are); look at" in out
    assert f"raim restore PHOTOGRAPHS OUT --model {tmp_path / 'run/model.safetensors'}" in out
    assert err.count("validation: step ") == 2
    assert (tmp_path / "run/index.html").is_file()
    assert read_weights(tmp_path / "run") == read_weights(finished)


@pytest.mark.usefixtures("page")
def test_a_page_that_cannot_be_written_is_reported_once_and_training_goes_on(
    run_raim, recipe, tmp_path, finished, monkeypatch
):
    def fail(run):
        raise InputError(f"{run / 'index.html'} cannot be written: no room")

    monkeypatch.setattr("raim.report.training_page.write_training_page", fail)
    code, out, err = run_raim("train", recipe, tmp_path / "run")
    assert code == 0, err
    assert err.count("validation: step ") == 2
    assert err.count("training goes on without its page: ") == 1
    assert "has SCORE" in out
    assert "look at" not in out
    assert read_weights(tmp_path / "run") == read_weights(finished)


@pytest.mark.parametrize("library", ["torch", "lightning_fabric", "tensorboardX", "scipy", "jinja2"])
def test_a_library_that_is_not_installed_is_reported_before_a_folder_is_made(
    run_raim, recipe, tmp_path, monkeypatch, library
):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == library else real(name))
    code, _, err = run_raim("train", recipe, tmp_path / "run")
    assert code == 2
    assert f"raim train needs {library}, which is not installed; run: pip install 'raim[train]'" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("page")
def test_a_key_is_set_and_the_run_s_own_recipe_says_so(run_raim, recipe, tmp_path):
    code, _, err = run_raim(
        "train", recipe, tmp_path / "run", "--set", "schedule.steps=1", "--set", "seed = 4"
    )
    assert code == 0, err
    assert len(read_log(tmp_path / "run")) == 1
    again = read_recipe(str(tmp_path / "run/recipe.toml"))
    assert (again.seed, again.schedule.steps) == (4, 1)


@pytest.mark.usefixtures("page")
def test_another_recipe_in_the_same_folder_is_refused_unless_it_begins_again(run_raim, recipe, tmp_path):
    run = tmp_path / "run"
    assert run_raim("train", recipe, run, "--set", "schedule.steps=1")[0] == 0
    code, _, err = run_raim("train", recipe, run, "--set", "schedule.steps=2")
    assert code == 2
    assert f"raim: {run} holds a run of another recipe" in err
    assert "--overwrite" in err
    assert run_raim("train", recipe, run, "--set", "schedule.steps=2", "--overwrite")[0] == 0
    assert [row["step"] for row in read_log(run)] == ["1", "2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.toml"], "the recipe nothing.toml cannot be read: No such file or directory"),
        (["{recipe}", "{run}", "--set", "schedule.stepps=3"], "did you mean 'steps'?"),
        (["{recipe}", "{run}", "--set", "schedule.steps"], "sets nothing; write table.key=value"),
        (
            ["{recipe}", "{run}", "--set", "loss.profile=psnr"],
            "profile is 'psnr'; expected one of: raim-2024",
        ),
        (["{recipe}", "{run}", "--device", "abacus"], "there is no device 'abacus' here"),
        (["--show", "nothing.safetensors"], "there is no model file nothing.safetensors"),
        (["{recipe}", "{pairs}"], "files that raim train has not written"),
        (["{recipe}", "{pairs}", "--overwrite"], "files that raim train has not written"),
    ],
)
@pytest.mark.usefixtures("page")
def test_mistakes_are_reported_without_a_traceback(run_raim, recipe, tmp_path, arguments, message):
    places = {"recipe": recipe, "run": tmp_path / "run", "pairs": recipe.parent / "pairs"}
    code, out, err = run_raim("train", *(each.format(**places) for each in arguments))
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert not out
    assert not (tmp_path / "run").exists()
    assert len(list((recipe.parent / "pairs").rglob("*.png"))) == 4


def test_list_names_every_shipped_recipe_with_what_to_expect(run_raim):
    code, out, _ = run_raim("train", "--list")
    assert code == 0
    for name in list_shipped():
        assert f"{name}: {read_recipe(name).note}" in out


def test_show_gives_the_recipe_and_the_figures_of_a_model(run_raim, finished):
    code, out, _ = run_raim("train", "--show", finished / "model.safetensors")
    assert code == 0
    assert out.startswith("tiny: name halfnet, channels 8, blocks 1\nmade: ")
    assert "step 7, steps 7" in out
    psnr = float(read_log(finished, "validation.csv")[-1]["psnr"])
    assert f"psnr: {psnr:.4g} (the inputs as they are: " in out
    assert out.endswith(RECIPE.rstrip() + "\n")


def test_show_prints_no_control_characters_of_a_strange_file(run_raim, tmp_path):
    from raim.restore.trained_file import TrainedFacts, write_trained

    facts = TrainedFacts(
        name="a\x1b]0;owned\x07",
        architecture={"name": "halfnet"},
        recipe="b\x1b[2J\n\tc",
        figures={},
        made={},
    )
    write_trained(tmp_path / "strange.safetensors", {"a": np.zeros(1, np.float32)}, facts)
    code, out, _ = run_raim("train", "--show", tmp_path / "strange.safetensors")
    assert code == 0
    assert "\x1b" not in out
    assert "\x07" not in out


def test_a_model_file_of_others_has_nothing_to_show(run_raim, tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(1, np.float32)}, tmp_path / "other.safetensors")
    code, _, err = run_raim("train", "--show", tmp_path / "other.safetensors")
    assert code == 2
    assert "was not made by raim train" in err


def test_restore_gives_the_pixels_of_the_averaged_net(run_raim, finished, tmp_path):
    (tmp_path / "photographs").mkdir()
    write_image(tmp_path / "photographs" / "a.png", make_photograph(5, 201, 333))
    code, _, err = run_raim(
        "restore", tmp_path / "photographs", tmp_path / "out", "--model", finished / "model.safetensors"
    )
    assert code == 0, err
    pixels = np.pad(make_photograph(5, 201, 333), ((0, 1), (0, 1), (0, 0)), mode="reflect")
    x = torch.from_numpy(pixels.astype(np.float32) / 255).movedim(2, 0)[None]
    net = build_trainable(ModelChoice(start=finished / "model.safetensors"), 0).network.eval()
    with torch.inference_mode():
        expected = net(x)[0].movedim(0, 2).clamp(0, 1).numpy()[:201, :333]
    restored = read_image(tmp_path / "out" / "a.png").pixels
    assert np.array_equal(restored, np.rint(expected * 255).astype(np.uint8))
    assert (restored != make_photograph(5, 201, 333)).any()


# The command with a profile that takes milliseconds, as a script that processes which make patches can read again.
SCRIPT = """
if __name__ == "__main__":
    import pytest
    from raim.cli.main import main
    from training_world import add_profile
    add_profile(pytest.MonkeyPatch())
    main()
"""
TESTS = Path(__file__).parents[1]
SOURCES = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
ENVIRONMENT = {**os.environ, "RAIM_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": SOURCES}
LONG = ["--set", "schedule.steps=40", "--set", "checkpoint_steps=8", "--set", "validation.every_steps=40"]


@contextlib.contextmanager
def start_python(*arguments):
    """Start a process; it does not outlive its test."""
    command = [sys.executable, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(list(map(str, command)), env=ENVIRONMENT, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.usefixtures("page")
def test_killed_outright_it_leaves_no_process_and_goes_on_to_the_same_weights(run_raim, recipe, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    loaded = [*LONG, "--set", "schedule.loaders=1"]
    with start_python(tmp_path / "script.py", "train", recipe, tmp_path / "run", *loaded) as process:
        wait_until(lambda: list(tmp_path.glob("run/checkpoints/*.pt")))
        process.send_signal(signal.SIGKILL)
        process.communicate(
            timeout=PATIENCE_S
        )  # the pipes close when the process that makes patches has ended too
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "run/model.safetensors").exists()
    for run, arguments in (("run", loaded), ("whole", LONG)):
        code, _, err = run_raim("train", recipe, tmp_path / run, *arguments)
        assert code == 0, err
        assert "Warning" not in err
        assert ("going on after step" in err) == (run == "run")
    assert read_weights(tmp_path / "run") == read_weights(tmp_path / "whole")
    assert read_log(tmp_path / "run") == read_log(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.usefixtures("page")
def test_two_devices_share_a_batch_and_learn_the_same(run_raim, recipe, tmp_path):
    from safetensors.numpy import load_file

    # Of a profile that the command knows, for Lightning Fabric starts it a second time.
    changes = ["--set", "schedule.steps=4", "--set", "loss.profile=raim-2026-hdr"]
    with start_python("-m", "raim", "train", recipe, tmp_path / "two", *changes, "--devices", 2) as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert out.count("look at") == 1
    assert err.count("validation: step 4") == 1
    code, _, err = run_raim("train", recipe, tmp_path / "one", *changes)
    assert code == 0, err
    two, one = (load_file(tmp_path / run / "model.safetensors") for run in ("two", "one"))
    for name, weights in one.items():
        assert np.abs(two[name] - weights).max() < 1e-4
    assert [row["step"] for row in read_log(tmp_path / "two")] == ["1", "2", "3", "4"]
