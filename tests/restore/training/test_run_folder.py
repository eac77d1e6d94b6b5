import json
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.errors import InputError  # noqa: E402
from raim.restore.training.run_folder import find_threads, open_run  # noqa: E402
from raim.restore.training.trainable import Trainable  # noqa: E402
from training_world import RECIPE, StoppedError, read_tiny  # noqa: E402

ONE = SimpleNamespace(
    is_global_zero=True, barrier=lambda: None, world_size=1, device=torch.device("cpu"), global_rank=0
)
MODEL = Trainable(network=torch.nn.Linear(2, 1), architecture={"name": "halfnet"})


@pytest.fixture
def threads(monkeypatch):
    """Give the numbers of threads that torch was told."""
    told = []
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    return told


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


def test_a_folder_that_cannot_be_one_is_told(data, tmp_path):
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
        """Be killed after so many files are gone, then begin anew."""
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
