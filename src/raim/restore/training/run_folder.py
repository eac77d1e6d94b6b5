"""The folder of a run: what was asked, what is known of it, where its state lies.

    recipe.toml   checkpoints/   log.csv   validation.csv   samples/   tensorboard/   training.json   model.safetensors

A folder belongs to one recipe. Another one is refused, since going on would give a model of neither.
"""

import contextlib
import json
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from raim import __version__
from raim.files import place_file
from raim.processes import count_cores
from raim.restore.training.checkpoint import FOLDER as CHECKPOINTS
from raim.restore.training.checkpoint import read_newest
from raim.restore.training.devices import Fabric
from raim.restore.training.logs import LOG, TENSORBOARD, VALIDATION
from raim.restore.training.recipe import Recipe
from raim.restore.training.samples import FOLDER as SAMPLES
from raim.restore.training.trainable import Trainable
from raim.runs import OutputFolder

RECIPE, FACTS, MODEL, PAGE = "recipe.toml", "training.json", "model.safetensors", "index.html"
# What a run writes; the last says that a folder is a run's.
PATTERNS = (
    f"{CHECKPOINTS}/step-*.pt", f"{SAMPLES}/step-*.png", f"{TENSORBOARD}/events.out.tfevents.*",
    FACTS, MODEL, PAGE, LOG, VALIDATION, RECIPE,
)  # fmt: skip
SCHEMA = 1
# What training.json may say of earlier starts; anything else is damage, and as if it were not there.
KNOWN: Mapping[str, tuple[type, float]] = MappingProxyType({"threads": (int, 1024), "seconds": (float, 1e10)})


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFolder:
    """A folder that is ready.

    Attributes:
        path: Of the folder.
        facts: What training.json says from the beginning.
        seconds_before: Of earlier starts.
    """

    path: Path
    facts: Mapping[str, Any]
    seconds_before: float

    def read_state(self, on_note: Callable[[str], None]) -> dict[str, Any] | None:
        """Read the state to go on from; None to begin."""
        state, notes = read_newest(self.path)
        for note in notes:
            on_note(note)
        return state

    def write_facts(self, changed: Mapping[str, Any]) -> None:
        """Write training.json anew.

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


def _describe(run: Path, recipe: Recipe, model: Trainable, fabric: Fabric) -> RunFolder:
    known = _read_facts(run)
    threads = recipe.schedule.threads or known.get("threads") or find_threads(fabric)
    torch.set_num_threads(threads)
    facts = {
        "schema": SCHEMA,
        "name": recipe.name,
        "note": recipe.note,
        "expect": recipe.expect,
        "raim_version": __version__,
        "torch_version": torch.__version__,
        "processor": platform.machine(),
        "device": f"{fabric.world_size} x {fabric.device.type}"
        if fabric.world_size > 1
        else fabric.device.type,
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
    """Give the cores that one device has for itself."""
    return max(1, count_cores() // (fabric.world_size if fabric.device.type == "cpu" else 1))


def _prepare(run: Path, recipe: Recipe, held: contextlib.ExitStack, *, overwrite: bool) -> None:
    folder = OutputFolder(path=run, command="raim train", patterns=PATTERNS)
    file, text = run / RECIPE, recipe.text.encode()
    held.enter_context(folder.held(is_own=file.is_file()))
    goes_on = not overwrite and file.is_file() and file.read_bytes() == text
    folder.prepare(goes_on=goes_on, state=f"holds a run of another recipe ({file})", overwrite=overwrite)
    place_file(file, text)


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
