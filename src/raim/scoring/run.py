"""Scoring of whole folders: photographs are spread over worker processes, known values are kept and found again."""

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import platformdirs

from raim import __version__
from raim.data import Manifest, read_manifest
from raim.devices import check_device
from raim.errors import InputError, RaimError, SubmissionError, WorkerDiedError
from raim.networks.features import choose_engine
from raim.processes import OnProgress, map_processes
from raim.scoring.cache import ValueCache, describe_engine, profile_weights
from raim.scoring.photograph import Scored, Setting, Task, fail_photograph, score_photograph
from raim.scoring.profiles import Profile, find_profile
from raim.scoring.records import NAMED, EntryScore, ImageScore, ScoreTable, sort_entries
from raim.scoring.submission import ArchiveMember, ImageFolder, open_images
from raim.scoring.submission.findings import name_some


def default_cache() -> Path:
    """Return the file of known values in the user's cache directory (RAIM_CACHE_DIR moves it)."""
    return Path(os.environ.get("RAIM_CACHE_DIR") or platformdirs.user_cache_dir("raim")) / "scores.sqlite"


def score_folders(
    restored: Path | str | Sequence[Path | str],
    reference: Path | str,
    *,
    profile: Profile | str = "raim-2024",
    manifest: Path | None = None,
    names: Sequence[str] | None = None,
    workers: int = 1,
    device: str = "cpu",
    engine: str = "auto",
    cache: Path | None = None,
    allow_incomplete: bool = False,
    on_progress: OnProgress | None = None,
) -> ScoreTable:
    """Score folders or zips of restored images against one folder or zip of references.

    Images are matched by stem. An image that is missing or of another size, or that fails, gets no number but the
    reason; the others are scored.

    Args:
        restored: A folder or zip, or several, one for each entry; all are scored in one pass over the references.
        reference: Folder or zip of the references.
        profile: A profile or its name.
        manifest: CSV that gives each image its scenario.
        names: What tables call the entries; None for the names of their folders or zips.
        workers: Processes of one thread each; 1 computes in this process. A script that asks for more must guard
            its entry point by `if __name__ == "__main__"`, as for all of `multiprocessing`.
        device: "cpu", or a device of torch such as "cuda" for the measures that run there.
        engine: Of LPIPS and DISTS: "auto" (the faster exact one), "ncnn", "winograd", "torch", or "fast", which is
            less exact and fast on processors with AMX. The table names it.
        cache: File of known values (`default_cache()` is the command line's); None keeps none. Where it cannot be
            used, the table's notes say so.
        allow_incomplete: Whether entries with missing scores are ranked all the same, by the mean that they have.
        on_progress: Called with (photographs done, photographs in all) after each, and once before the first.

    Returns:
        The table, best entry first.

    Raises:
        InputError: If a path, a name, the device or the number of workers is not as stated.
        SubmissionError: If the references, or all entries, are unsafe or hold no image.
        ManifestError: If the manifest is malformed, or none of its rows names a reference.
        WeightsMissingError: If the pretrained weights are not here and cannot be fetched.
    """
    chosen = find_profile(profile) if isinstance(profile, str) else profile
    paths = [Path(path) for path in ([restored] if isinstance(restored, str | Path) else restored)]
    entry_names = name_entries(paths, names)
    if workers < 1:
        raise InputError(f"{workers} workers were asked for; there must be at least 1")
    check_device(device)
    chosen_engine = choose_engine(chosen.engine if engine == "auto" else engine, device=device)
    references = open_images(Path(reference), allow_links=True, defer_unreadable=True)
    entries = [_open_entry(path) for path in paths]
    refused = [entry for entry in entries if isinstance(entry, SubmissionError)]
    if len(refused) == len(entries):
        raise refused[0]
    listed = read_manifest(manifest) if manifest is not None else None
    matched = None if listed is None else listed.match(list(references))
    tasks = _make_tasks(references, entries, matched)
    threads = 1 if min(workers, len(tasks)) > 1 else None
    setting = Setting(profile=chosen, device=device, engine=chosen_engine, cache=cache, threads=threads)
    with ValueCache(cache) as known:
        results = _score_all(tasks, setting, workers, known, on_progress or (lambda _done, _total: None))
        trouble = () if known.trouble is None else (known.trouble,)
    scored = [
        _make_entry(name, entry, [results[task.name][index] for task in tasks], references)
        for index, (name, entry) in enumerate(zip(entry_names, entries, strict=True))
    ]
    return ScoreTable(
        profile=chosen,
        entries=sort_entries(scored, allow_incomplete=allow_incomplete),
        raim_version=__version__,
        weights=profile_weights(chosen),
        manifest_sha256=listed.sha256() if listed is not None else None,
        engine=describe_engine(device, chosen_engine),
        allow_incomplete=allow_incomplete,
        notes=(*trouble, *_describe_manifest(matched, references)),
    )


def _open_entry(path: Path) -> ImageFolder | SubmissionError:
    try:
        return open_images(path, allow_links=True, defer_unreadable=True)
    except SubmissionError as error:
        return error


def _make_entry(
    name: str, entry: ImageFolder | SubmissionError, images: Sequence[ImageScore], references: ImageFolder
) -> EntryScore:
    if isinstance(entry, SubmissionError):
        return EntryScore(
            name=name, images=tuple(replace(image, unscored=str(entry), failed=True) for image in images)
        )
    return EntryScore(name=name, images=tuple(images), notes=_describe_folder(entry, references))


def name_entries(restored: Sequence[Path], names: Sequence[str] | None = None) -> list[str]:
    """Name entries after their folders or zips; where two would be alike, after their whole paths.

    Raises:
        InputError: If there is no entry, or given names are not one for each and all different.

    Example:
        >>> name_entries([Path("results/team.zip"), Path("baseline")])
        ['team', 'baseline']
    """
    if not restored:
        raise InputError("nothing to score: name at least one folder or zip of restored images")
    found = list(names) if names is not None else [_short_name(path) for path in restored]
    if len(set(found)) < len(found) and names is None:
        found = [str(path) for path in restored]
    if len(found) != len(restored) or len(set(found)) < len(found):
        raise InputError(
            f"{len(restored)} entries were given with the names {', '.join(found)}; give each its own name"
        )
    return found


def _short_name(path: Path) -> str:
    resolved = path.resolve()
    return resolved.stem if resolved.suffix.lower() == ".zip" else resolved.name


def _make_tasks(
    references: ImageFolder, entries: Sequence[ImageFolder | SubmissionError], manifest: Manifest | None
) -> list[Task]:
    rows = manifest.by_name() if manifest is not None else {}
    return [
        Task(
            name=stem,
            reference=member,
            candidates=tuple(
                entry.get(stem) if isinstance(entry, ImageFolder) else None for entry in entries
            ),
            scenario=rows[stem].scenario if stem in rows else None,
        )
        for stem, member in references.items()
    ]


def _describe_manifest(manifest: Manifest | None, references: ImageFolder) -> tuple[str, ...]:
    if manifest is None:
        return ()
    named = manifest.by_name()
    others = [stem for stem in references if stem not in named]
    if not others:
        return manifest.notes
    text = f"{len(others)} without a scenario, since no row names them: {name_some(others, NAMED)}"
    return (*manifest.notes, text)


def _describe_folder(folder: ImageFolder, references: ImageFolder) -> tuple[str, ...]:
    notes = tuple(note.message for note in folder.notes)
    extra = [folder[stem].name for stem in folder if stem not in references]
    if extra:
        listed = name_some(extra, NAMED)
        notes += (f"{len(extra)} without a reference of the same name were left out: {listed}",)
    return notes


def _score_all(
    tasks: Sequence[Task], setting: Setting, workers: int, cache: ValueCache, on_progress: OnProgress
) -> Mapping[str, Sequence[ImageScore]]:
    """Score every photograph; each one's new values are kept as soon as it is done.

    A photograph whose process died is scored once more, one candidate at a time.
    """
    results: dict[str, list[ImageScore]] = {}
    died = []
    on_progress(0, len(tasks))
    score = functools.partial(score_photograph, setting=setting)
    for task, result in map_processes(score, tasks, min(workers, len(tasks))):
        if isinstance(result, WorkerDiedError) and len(task.candidates) > 1:
            died.append(task)
            continue
        results[task.name] = _keep(task, setting, result, cache)
        on_progress(len(results), len(tasks))
    alone = [replace(task, candidates=(each,)) for task in died for each in task.candidates]
    parts: dict[str, dict[ArchiveMember | None, ImageScore]] = {task.name: {} for task in died}
    for task, result in map_processes(score, alone, max(2, min(workers, len(alone)))):
        (parts[task.name][task.candidates[0]],) = _keep(task, setting, result, cache)
    results |= {task.name: [parts[task.name][each] for each in task.candidates] for task in died}
    if died:
        on_progress(len(results), len(tasks))
    return results


def _keep(task: Task, setting: Setting, result: Scored | RaimError, cache: ValueCache) -> list[ImageScore]:
    scored = fail_photograph(task, setting, result) if isinstance(result, RaimError) else result
    cache.put(scored.new_values)
    return list(scored.images)
