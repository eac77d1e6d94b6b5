"""The folder of a run: what was asked, what is known of it, and checkpoints, which hold all it takes to go on exactly.

    recipe.toml   checkpoints/   log.csv   validation.csv   samples/   tensorboard/   training.json   model.safetensors

A folder belongs to one recipe. Another one is refused, since going on would give a model of neither.
"""

import contextlib
import io
import json
import os
import platform
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from raim import __version__
from raim.errors import InputError
from raim.files import cannot_write, place_file
from raim.processes import count_cores
from raim.restore.training.learner import Fabric
from raim.restore.training.logs import LOG, TENSORBOARD, VALIDATION
from raim.restore.training.recipe import Recipe
from raim.restore.training.trainable import Trainable
from raim.runs import OutputFolder

RECIPE, FACTS, MODEL, PAGE = "recipe.toml", "training.json", "model.safetensors", "index.html"
CHECKPOINTS, SAMPLES = "checkpoints", "samples"
# What a run writes; the last says that a folder is a run's.
PATTERNS = (
    f"{CHECKPOINTS}/step-*.pt", f"{SAMPLES}/step-*.png", f"{TENSORBOARD}/events.out.tfevents.*",
    FACTS, MODEL, PAGE, LOG, VALIDATION, RECIPE,
)  # fmt: skip
SCHEMA = 1  # of training.json and of checkpoints
N_CHECKPOINTS = 2  # that are kept
# What training.json may say of earlier starts; anything else is damage, and as if it were not there.
KNOWN: Mapping[str, tuple[type, float]] = MappingProxyType({"threads": (int, 1024), "seconds": (float, 1e10)})


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFolder:
    """A folder that is ready, what its training.json says from the beginning, and the seconds of earlier starts."""

    path: Path
    facts: Mapping[str, Any]
    seconds_before: float

    def write_facts(self, changed: Mapping[str, Any]) -> None:
        """Write training.json again.

        Raises:
            InputError: It cannot be written.
        """
        text = json.dumps({**self.facts, **changed}, indent=1, allow_nan=False) + "\n"
        place_file(self.path / FACTS, text.encode())


@contextlib.contextmanager
def open_run(
    run: Path, recipe: Recipe, model: Trainable, fabric: Fabric, *, overwrite: bool
) -> Iterator[RunFolder]:
    """Make the folder, or open that of a run that was stopped; nobody else can train in it meanwhile.

    The threads of torch are set here: those of the recipe, or of the run's first start, since sums depend on them.

    Raises:
        InputError: It holds a run of another recipe, or something else, is in use, or cannot be written.
    """
    with contextlib.ExitStack() as held:
        if fabric.is_global_zero:
            _prepare(run, recipe, held, overwrite=overwrite)
        fabric.barrier()
        yield _describe(run, recipe, model, fabric)


def _prepare(run: Path, recipe: Recipe, held: contextlib.ExitStack, *, overwrite: bool) -> None:
    folder = OutputFolder(path=run, command="raim train", patterns=PATTERNS)
    file, text = run / RECIPE, recipe.text.encode()
    held.enter_context(folder.held(is_own=file.is_file()))
    goes_on = not overwrite and file.is_file() and file.read_bytes() == text
    folder.prepare(goes_on=goes_on, state=f"holds a run of another recipe ({file})", overwrite=overwrite)
    place_file(file, text)


def _describe(run: Path, recipe: Recipe, model: Trainable, fabric: Fabric) -> RunFolder:
    known = _read_facts(run)
    threads = recipe.schedule.threads or known.get("threads") or find_threads(fabric)
    torch.set_num_threads(threads)
    device, n_devices = fabric.device.type, fabric.world_size
    facts = {
        "schema": SCHEMA,
        "name": recipe.name,
        "note": recipe.note,
        "expect": recipe.expect,
        "raim_version": __version__,
        "torch_version": torch.__version__,
        "processor": platform.machine(),
        "device": f"{n_devices} x {device}" if n_devices > 1 else device,
        "threads": threads,
        "precision": recipe.schedule.precision,
        "parameters": model.n_parameters,
        "architecture": dict(model.architecture),
        "steps": recipe.schedule.steps,
        "seed": recipe.seed,
        "profile": recipe.loss.profile,
    }
    return RunFolder(path=run, facts=facts, seconds_before=known.get("seconds", 0.0))


def find_threads(fabric: Fabric) -> int:
    """Return the cores that one device has for itself."""
    return max(1, count_cores() // (fabric.world_size if fabric.device.type == "cpu" else 1))


def _read_facts(run: Path) -> Mapping[str, Any]:
    """Read what training.json says of earlier starts, as far as it is there and can be."""
    try:
        facts = json.loads((run / FACTS).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(facts, dict):
        return {}
    return {
        key: facts[key]
        for key, (kind, most) in KNOWN.items()
        if type(facts.get(key)) is kind and 0 < facts[key] <= most
    }


def list_checkpoints(run: Path) -> list[Path]:
    """List the checkpoints, the newest first."""
    return sorted((run / CHECKPOINTS).glob("step-*.pt"), reverse=True)


def write_checkpoint(run: Path, step: int, state: dict[str, Any]) -> Path:
    """Keep a state; older ones than the last two are removed when it is safe on the disk, through a power cut too.

    Raises:
        InputError: It cannot be written; the older ones are still there.
    """
    path = run / CHECKPOINTS / f"step-{step:08d}.pt"
    content = io.BytesIO()
    torch.save({"schema": SCHEMA, "step": step, **state}, content)
    place_file(path, content.getvalue())
    try:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error
    for old in list_checkpoints(run)[N_CHECKPOINTS:]:
        old.unlink(missing_ok=True)
    return path


def read_newest(run: Path, on_note: Callable[[str], None]) -> dict[str, Any] | None:
    """Read the newest checkpoint that can be read; None if there is none. Of each that is passed over there is a note.

    Raises:
        InputError: There are checkpoints, and none can be read.
    """
    notes: list[str] = []
    for path in list_checkpoints(run):
        try:
            state = _read_checkpoint(path)
        except Exception as error:  # noqa: BLE001 - a damaged file makes unpicklers raise anything
            state = type(error).__name__
        if isinstance(state, dict):
            for note in notes:
                on_note(note)
            return state
        notes.append(f"{path.name} cannot be read ({state}); the one before it is taken")
    if notes:
        raise InputError(f"no checkpoint in {run / CHECKPOINTS} can be read; begin again with --overwrite")
    return None


def _read_checkpoint(path: Path) -> dict[str, Any] | str:
    """Return the state, or why it cannot be used."""
    with zipfile.ZipFile(path) as file:
        if file.testzip() is not None:  # torch itself writes these sums and does not look at them
            return "damaged"
    state = torch.load(path, map_location="cpu", weights_only=True)
    return state if isinstance(state, dict) and state.get("schema") == SCHEMA else "another form"
