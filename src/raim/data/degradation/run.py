"""Making pairs of whole folders: the photographs are spread over worker processes, a stopped run is taken up again."""

import concurrent.futures
import concurrent.futures.process
import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from raim.data.camera import Preset, find_preset
from raim.data.camera.draws import Value
from raim.data.degradation.folder import JOURNAL, MANIFEST, note_done, prepare_folder, remove_parts
from raim.data.degradation.making import LeftOut, MadeFiles, make_pair
from raim.data.degradation.plan import PlannedPair, list_photographs, plan_pairs
from raim.data.degradation.table import MadePair, format_table
from raim.errors import InputError, RaimError

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
        The pairs; a photograph whose pixels turn out to be damaged is left out with the reason.

    Raises:
        InputError: An argument or photographs cannot be used; of the photographs every problem is listed.
        UnknownNameError: There is no such preset or parameter; the nearest is named.
        ImageError: A file cannot be written.

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
    plans: Sequence[PlannedPair],
    out: Path,
    known: Mapping[str, MadeFiles],
    workers: int,
    on_progress: OnProgress,
) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    on_progress(0, len(plans))
    for outcome in _stream(plans, out, known, min(workers, len(plans))):
        outcomes[outcome.name] = outcome
        if isinstance(outcome, MadeFiles) and outcome != known.get(outcome.name):
            note_done(out, outcome)
        on_progress(len(outcomes), len(plans))
    return outcomes


def _finish(plans: Sequence[PlannedPair], out: Path, outcomes: Mapping[str, Outcome]) -> Degraded:
    pairs, left_out = [], []
    for plan in plans:
        match outcomes[plan.name]:
            case MadeFiles() as files:
                pairs.append(MadePair(plan=plan, files=files))
            case LeftOut() as reason:
                left_out.append(reason)
    _write_manifest(out, pairs)
    return Degraded(folder=out, pairs=tuple(pairs), left_out=tuple(left_out))


def _write_manifest(out: Path, pairs: Sequence[MadePair]) -> None:
    part = out / f".{MANIFEST}.part"
    try:
        part.write_text(format_table(pairs), encoding="utf-8", newline="\n")
        part.replace(out / MANIFEST)
        (out / JOURNAL).unlink()
    except OSError as error:
        raise InputError(f"cannot write {out / MANIFEST}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _stream(
    plans: Sequence[PlannedPair], out: Path, known: Mapping[str, MadeFiles], workers: int
) -> Iterator[Outcome]:
    if workers == 1:
        for plan in plans:
            yield make_pair(plan, out, known.get(plan.name))
        return
    context = multiprocessing.get_context("spawn")  # no threads or locks are inherited
    with concurrent.futures.ProcessPoolExecutor(workers, context, initializer=_start_worker) as pool:
        futures = [pool.submit(make_pair, plan, out, known.get(plan.name)) for plan in plans]
        try:
            for future in concurrent.futures.as_completed(futures):
                yield _take(future)
        finally:
            _stop(pool)
            remove_parts(out)


def _take(future: "concurrent.futures.Future[Outcome]") -> Outcome:
    try:
        return future.result()
    except concurrent.futures.process.BrokenProcessPool as error:
        raise RaimError(
            "a worker process was killed, most likely for want of memory; what is done is kept: "
            "run the same again with fewer --workers"
        ) from error


def _stop(pool: concurrent.futures.ProcessPoolExecutor) -> None:
    """End the workers at once: what they have not finished is made by the next run."""
    processes = list((pool._processes or {}).values())  # noqa: SLF001 - Python 3.14 has terminate_workers()
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        with contextlib.suppress(OSError, ValueError):
            process.terminate()
            process.join()


def _start_worker() -> None:
    """Leave Ctrl-C to the main process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
