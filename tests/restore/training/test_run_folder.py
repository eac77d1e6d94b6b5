import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.errors import InputError  # noqa: E402
from raim.restore.training.run_folder import (  # noqa: E402
    find_threads,
    list_checkpoints,
    open_run,
    read_newest,
    write_checkpoint,
)
from raim.restore.training.trainable import Trainable  # noqa: E402
from training_world import RECIPE, StoppedError, read_tiny  # noqa: E402

ONE = SimpleNamespace(
    is_global_zero=True, barrier=lambda: None, world_size=1, device=torch.device("cpu"), global_rank=0
)
MODEL = Trainable(network=torch.nn.Linear(2, 1), architecture={"name": "halfnet"})


@pytest.fixture
def threads(monkeypatch):
    """Return the numbers of threads that torch was set to."""
    set_to = []
    monkeypatch.setattr(torch, "set_num_threads", set_to.append)
    return set_to


def start(recipe, run, *, overwrite=False):
    """Open a run and leave it at once."""
    with open_run(run, recipe, MODEL, ONE, overwrite=overwrite) as folder:
        return folder


def test_going_on_takes_the_threads_and_the_seconds_of_the_first_start(data, tmp_path, threads):
    recipe = read_tiny(data, "schedule.threads=0")
    start(recipe, tmp_path)
    (tmp_path / "training.json").write_text(json.dumps({"threads": 3, "seconds": 12.5}))
    assert start(recipe, tmp_path).seconds_before == 12.5
    assert threads == [find_threads(ONE), 3]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "[" * 100_000,
        '{"threads": "two", "seconds": "long"}',
        '{"threads": -1, "seconds": -5.0}',
        '{"threads": 1e400, "seconds": Infinity}',
        '{"threads": true, "seconds": NaN}',
        '{"threads": 1000000, "seconds": 1e300}',
        '{"threads": {}, "seconds": []}',
        "\ud800",
    ],
    ids=lambda text: text[:40],
)
def test_damaged_facts_are_as_if_they_were_not_there(data, tmp_path, threads, text):
    recipe = read_tiny(data, "schedule.threads=0")
    start(recipe, tmp_path)
    (tmp_path / "training.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    folder = start(recipe, tmp_path)
    assert folder.seconds_before == 0.0
    assert threads == [find_threads(ONE)] * 2
    folder.write_facts({"step": 1})
    assert json.loads((tmp_path / "training.json").read_text())["step"] == 1


def test_beginning_anew_removes_what_a_run_leaves_and_nothing_else(data, tmp_path, threads):
    start(read_tiny(data), tmp_path)
    ours = ["training.json", "log.csv", "model.safetensors", "checkpoints/step-00000001.pt"]
    for name in [*ours, "notes.txt", "checkpoints/mine.pt", "samples/.step-1.png.7-8.part"]:
        (tmp_path / name).write_text("x")
    start(read_tiny(data, "schedule.steps=3"), tmp_path, overwrite=True)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {".lock", "recipe.toml", "notes.txt", "checkpoints/mine.pt"}
    assert threads == [1, 1]


def test_a_folder_that_cannot_be_one_is_reported(data, tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(InputError, match=r"run is a file; name a folder"):
        start(read_tiny(data), tmp_path / "run")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_second_training_in_the_same_folder_is_refused_while_the_first_goes_on(
    data, tmp_path, threads, overwrite
):
    recipe = read_tiny(data)
    with open_run(tmp_path / "run", recipe, MODEL, ONE, overwrite=False):
        (tmp_path / "run/checkpoints/step-00000001.pt").write_text("x")
        with pytest.raises(
            InputError, match=r"another raim train works in .*run; wait until it has ended, or name"
        ):
            start(recipe, tmp_path / "run", overwrite=overwrite)
    assert (tmp_path / "run/checkpoints/step-00000001.pt").exists()
    start(recipe, tmp_path / "run")
    assert threads == [1, 1]


def test_a_folder_of_something_else_is_left_as_it_is(data, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(
        InputError, match=r"holds 1 files that raim train has not written, such as notes\.txt"
    ):
        start(read_tiny(data), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_start_that_was_killed_before_it_wrote_anything_is_no_hindrance(data, tmp_path, threads):
    (tmp_path / ".lock").touch()
    (tmp_path / ".recipe.toml.12-34.part").write_text("schema")
    start(read_tiny(data), tmp_path)
    assert (tmp_path / "recipe.toml").exists()
    assert not list(tmp_path.glob(".*.part"))
    assert threads


def test_a_kill_while_it_begins_anew_is_no_hindrance_to_begin_anew_again(
    data, tmp_path, threads, monkeypatch
):
    names = ["training.json", "log.csv", "model.safetensors", "checkpoints/step-00000001.pt"]
    unlink = Path.unlink

    def begin_again(left):
        """Be killed after so many files are gone, then begin again."""
        run = tmp_path / str(left)
        start(read_tiny(data), run)
        for name in names:
            (run / name).write_text("x")
        count = iter(range(left))

        def remove(path, **options):
            if path.is_file() and next(count, None) is None:
                raise StoppedError
            unlink(path, **options)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "unlink", remove)
            with pytest.raises(StoppedError):
                start(read_tiny(data, "seed=1"), run, overwrite=True)
        start(read_tiny(data, "seed=1"), run, overwrite=True)
        return {path.name for path in run.rglob("*") if path.is_file()}

    assert [begin_again(left) for left in range(5)] == [{".lock", "recipe.toml"}] * 5
    assert threads


def test_a_recipe_with_the_line_ends_of_windows_is_gone_on_with(data, tmp_path, threads):
    recipe = read_tiny(data, text=RECIPE.replace("\n", "\r\n"))
    start(recipe, tmp_path)
    start(recipe, tmp_path)
    assert threads == [1, 1]


@pytest.fixture
def run(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    return tmp_path


def test_the_last_two_are_kept_and_the_newest_is_read(run):
    for step in (5, 10, 100):
        write_checkpoint(run, step, {"network": {"weight": torch.full((2,), float(step))}})
    assert [path.name for path in list_checkpoints(run)] == ["step-00000100.pt", "step-00000010.pt"]
    notes = []
    state = read_newest(run, notes.append)
    assert (state["step"], notes) == (100, [])
    assert state["network"]["weight"].tolist() == [100.0, 100.0]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", None])
def test_one_that_cannot_be_read_is_passed_over_and_none_at_all_is_an_error(run, content):
    write_checkpoint(run, 5, {})
    newest = run / "checkpoints/step-00000010.pt"
    torch.save({"schema": 99, "step": 10}, newest) if content is None else newest.write_bytes(content)
    notes = []
    assert read_newest(run, notes.append)["step"] == 5
    assert [note.split(" (")[0] for note in notes] == ["step-00000010.pt cannot be read"]
    (run / "checkpoints/step-00000005.pt").write_bytes(b"")
    with pytest.raises(InputError, match=r"no checkpoint in .* can be read; begin again with --overwrite"):
        read_newest(run, notes.append)


def test_a_bit_that_has_turned_over_anywhere_in_the_weights_is_seen(run):
    write_checkpoint(run, 5, {})
    path = write_checkpoint(run, 10, {"network": {"weight": torch.full((1000,), 0.5)}})
    content = path.read_bytes()
    begin = content.index(torch.full((1000,), 0.5).numpy().tobytes())
    for place in (begin, begin + 1999, begin + 3999):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        notes = []
        assert read_newest(run, notes.append)["step"] == 5
        assert notes == ["step-00000010.pt cannot be read (damaged); the one before it is taken"]
    path.write_bytes(content)
    assert read_newest(run, notes.append)["step"] == 10


def test_older_ones_go_only_when_the_new_one_is_safe_on_the_disk(run, monkeypatch):
    def fail(_descriptor):
        raise OSError(errno.EIO, "Input/output error")

    for step in (5, 10):
        write_checkpoint(run, step, {})
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InputError, match=r"step-00000015\.pt cannot be written: Input/output error"):
        write_checkpoint(run, 15, {})
    assert [path.name for path in list_checkpoints(run)][1:] == ["step-00000010.pt", "step-00000005.pt"]


def test_there_may_be_none(run):
    assert read_newest(run, pytest.fail) is None
