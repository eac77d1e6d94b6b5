"""Making pairs of whole folders: the photographs are spread over worker processes, a stopped run is taken up again."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from raim.data.camera import Preset, find_preset
from raim.data.camera.stage import Value
from raim.data.degradation.making import MadeFiles, make_pair
from raim.data.degradation.plan import LeftOut, PlannedPair, list_photographs, plan_pairs
from raim.data.degradation.table import OWN_COLUMN, MadePair, format_table
from raim.data.pair_folder import INPUT, REFERENCE, OnProgress, PairFolder
from raim.errors import InputError, RaimError

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
    opened = PairFolder.open(
        out,
        MadeFiles,
        command="raim degrade",
        kinds=(INPUT, REFERENCE),
        column=OWN_COLUMN,
        names={plan.name for plan in plans},
        overwrite=overwrite,
    )
    with opened as folder:
        outcomes: dict[str, Outcome] = {plan.name: plan for plan in plans if isinstance(plan, LeftOut)}
        wanted = [plan for plan in plans if isinstance(plan, PlannedPair)]
        make = functools.partial(_make, out=out)
        for plan, result in folder.make(make, wanted, workers, total=len(plans), on_progress=on_progress):
            failed = isinstance(result, RaimError)
            outcomes[plan.name] = LeftOut(name=plan.name, reason=str(result)) if failed else result
        return _finish(plans, folder, outcomes)


def _finish(
    plans: Sequence[PlannedPair | LeftOut], folder: PairFolder[MadeFiles], outcomes: Mapping[str, Outcome]
) -> Degraded:
    pairs, left_out = [], []
    for plan in plans:
        match plan, outcomes[plan.name]:
            case PlannedPair(), MadeFiles() as files:
                pairs.append(MadePair(plan=plan, files=files))
            case _, LeftOut() as reason:
                left_out.append(reason)
    folder.finish(format_table(pairs), [pair.files.name for pair in pairs])
    return Degraded(folder=folder.output.path, pairs=tuple(pairs), left_out=tuple(left_out))


def _make(task: tuple[PlannedPair, MadeFiles | None], out: Path) -> Outcome:
    plan, known = task
    return make_pair(plan, out, known)
