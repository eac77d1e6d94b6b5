"""Making pairs of whole folders: the photographs are spread over worker processes, a stopped run is taken up again."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from raim.data.camera import Preset, find_preset
from raim.data.camera.draws import Value
from raim.data.degradation.folder import JOURNAL, MANIFEST, note_done, prepare_folder, remove_parts
from raim.data.degradation.making import MadeFiles, make_pair
from raim.data.degradation.plan import LeftOut, PlannedPair, list_photographs, plan_pairs
from raim.data.degradation.table import MadePair, format_table
from raim.errors import InputError, RaimError
from raim.files import place_file
from raim.processes import map_processes

OnProgress = Callable[[int, int], None]
Outcome = MadeFiles | LeftOut


@dataclass(frozen=True, kw_only=True, slots=True)
class Degraded:
    """What was made.

    Attributes:
        folder: Where input/, reference/ and manifest.csv lie.
        pairs: In the order of the manifest.
        left_out: Pairs that could not be made, and why.
    """

    folder: Path
    pairs: tuple[MadePair, ...]
    left_out: tuple[LeftOut, ...] = ()


def degrade_folder(
    clean: Path,
    out: Path,
    *,
    presets: Sequence[Preset | str],
    seed: int,
    variants: int = 1,
    overrides: Mapping[str, Value] = MappingProxyType({}),
    workers: int = 1,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Degraded:
    """Make input and reference pairs of clean photographs.

    Written are OUT/input/NAME.png, OUT/reference/NAME.png and OUT/manifest.csv with every parameter and the seed. The
    same photographs, presets, seed and overrides give the same bytes, with any number of workers. A run that was
    stopped goes on where it was when it is started again.

    Args:
        clean: A folder of photographs, or one file.
        out: A new or empty folder.
        presets: Presets or their names; each makes its own pairs.
        seed: At least 0.
        variants: How many pairs of each photograph and preset.
        overrides: Parameters (`stage.parameter`) that are set and not drawn.
        workers: Processes; 1 computes in this process. A script that asks for more must guard its entry point by
            `if __name__ == "__main__"`, as for all of `multiprocessing`.
        overwrite: Remove the pairs that an earlier run has written to `out`.
        on_progress: Called with (pairs done, pairs in all) after each, and once before the first.

    Returns:
        The pairs; those of a photograph that cannot be used, is damaged or fails are left out with the reason.

    Raises:
        InputError: An argument, or no photograph, can be used, or names collide; every problem is listed.
        UnknownNameError: There is no such preset or parameter; the nearest is named.
        OutputError: A file cannot be written.

    Example:
        >>> import tempfile, numpy as np
        >>> from raim.images import write_image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder, "a.png"), np.full((64, 64, 3), 90, np.uint8))
        ...     made = degrade_folder(Path(folder, "a.png"), Path(folder, "out"), presets=["denoise"], seed=1)
        ...     [pair.files.name for pair in made.pairs]
        ['a_denoise']
    """
    if workers < 1:
        raise InputError(f"{workers} workers were asked for; there must be at least 1")
    chosen = [find_preset(preset) if isinstance(preset, str) else preset for preset in presets]
    plans = plan_pairs(list_photographs(clean), chosen, seed=seed, variants=variants, overrides=overrides)
    known = prepare_folder(out, {plan.name for plan in plans}, overwrite=overwrite)
    outcomes = _make_all(plans, out, known, workers, on_progress or (lambda _done, _total: None))
    return _finish(plans, out, outcomes)


def _make_all(
    plans: Sequence[PlannedPair | LeftOut],
    out: Path,
    known: Mapping[str, MadeFiles],
    workers: int,
    on_progress: OnProgress,
) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {plan.name: plan for plan in plans if isinstance(plan, LeftOut)}
    on_progress(len(outcomes), len(plans))
    tasks = [(plan, known.get(plan.name)) for plan in plans if isinstance(plan, PlannedPair)]
    try:
        make = functools.partial(_make, out=out)
        for (plan, _), result in map_processes(make, tasks, min(workers, len(tasks))):
            outcome = LeftOut(name=plan.name, reason=str(result)) if isinstance(result, RaimError) else result
            outcomes[plan.name] = outcome
            if isinstance(outcome, MadeFiles) and outcome != known.get(outcome.name):
                note_done(out, outcome)
            on_progress(len(outcomes), len(plans))
    finally:
        remove_parts(out)
    return outcomes


def _finish(plans: Sequence[PlannedPair | LeftOut], out: Path, outcomes: Mapping[str, Outcome]) -> Degraded:
    pairs, left_out = [], []
    for plan in plans:
        match plan, outcomes[plan.name]:
            case PlannedPair(), MadeFiles() as files:
                pairs.append(MadePair(plan=plan, files=files))
            case _, LeftOut() as reason:
                left_out.append(reason)
    _write_manifest(out, pairs)
    return Degraded(folder=out, pairs=tuple(pairs), left_out=tuple(left_out))


def _write_manifest(out: Path, pairs: Sequence[MadePair]) -> None:
    place_file(out / MANIFEST, format_table(pairs).encode())
    (out / JOURNAL).unlink()


def _make(task: tuple[PlannedPair, MadeFiles | None], out: Path) -> Outcome:
    plan, known = task
    return make_pair(plan, out, known)
