"""Making pairs of whole folders: the photographs are spread over worker processes, a stopped run is resumed."""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from raim import __version__
from raim.data.camera import Preset, find_preset, flatten_camera, take_pair
from raim.data.camera.stage import Value
from raim.data.degradation.plan import LeftOut, PlannedPair, list_photographs, plan_pairs
from raim.data.degradation.table import SOURCE_COLUMN, DegradedPair, MadeFiles, format_degraded_pairs
from raim.data.pair_folder import INPUT, REFERENCE, PairFolder, is_written, write_pair
from raim.errors import ImageError, InputError
from raim.images import read_image
from raim.processes import OnProgress
from raim.runs import fingerprint


@dataclass(frozen=True, kw_only=True, slots=True)
class Degraded:
    """What was made.

    Attributes:
        folder: Where input/, reference/ and manifest.csv lie.
        pairs: In the order of the manifest.
        left_out: Pairs that could not be made, and why.
    """

    folder: Path
    pairs: tuple[DegradedPair, ...]
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
    chosen = [find_preset(preset) if isinstance(preset, str) else preset for preset in presets]
    plans = plan_pairs(list_photographs(clean), chosen, seed=seed, variants=variants, overrides=overrides)
    opened = PairFolder.open(
        out,
        MadeFiles,
        command="raim degrade",
        kinds=(INPUT, REFERENCE),
        column=SOURCE_COLUMN,
        names={plan.name for plan in plans},
        overwrite=overwrite,
        workers=workers,
    )
    wanted = [plan for plan in plans if isinstance(plan, PlannedPair)]
    make = functools.partial(_make, out=out)
    with opened as folder:
        made = {
            plan.name: result
            for plan, result in folder.make(make, wanted, total=len(plans), on_progress=on_progress)
        }
        files = ((plan, made[plan.name]) for plan in wanted)
        pairs = [DegradedPair(plan=plan, files=each) for plan, each in files if isinstance(each, MadeFiles)]
        folder.finish(format_degraded_pairs(pairs), [pair.files.name for pair in pairs])
    reasons = {plan.name: plan.reason if isinstance(plan, LeftOut) else made[plan.name] for plan in plans}
    left_out = [
        LeftOut(name=name, reason=reason) for name, reason in reasons.items() if isinstance(reason, str)
    ]
    return Degraded(folder=out, pairs=tuple(pairs), left_out=tuple(left_out))


def _make(task: tuple[PlannedPair, MadeFiles | None], out: Path) -> MadeFiles | str:
    """Make the files of a pair unless a stopped run has; return them, or why the photograph cannot be used."""
    plan, known = task
    path = plan.photograph.path
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    source = hashlib.sha256(content).hexdigest()
    own = fingerprint(__version__, source, flatten_camera(plan.camera))
    if known and known.fingerprint == own and is_written(out, known):
        return known
    try:
        pair = take_pair(read_image(content, purpose="restore").pixels, plan.camera)
    except (ImageError, InputError) as error:
        return f"{path.name}: {error}"
    files = write_pair(out, plan.name, pair.degraded, pair.reference)
    return MadeFiles(fingerprint=own, source_sha256=source, **files)
