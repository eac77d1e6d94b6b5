"""Scoring of whole folders: photographs are spread over worker processes, known values are kept and found again."""

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import platformdirs

from raim import __version__
from raim.data import Manifest, read_manifest
from raim.errors import InputError, RaimError
from raim.processes import map_processes
from raim.scoring.cache import ValueCache
from raim.scoring.definitions import describe_engine, profile_weights
from raim.scoring.photograph import Scored, Setting, Task, fail_photograph, score_photograph
from raim.scoring.profiles import Profile, find_profile
from raim.scoring.records import EntryScore, ScoreTable, sort_entries
from raim.scoring.submission import ImageFolder, open_images

OnProgress = Callable[[int, int], None]


def default_cache() -> Path:
    """Give the file of known values in the user's cache directory (RAIM_CACHE_DIR moves it)."""
    return Path(os.environ.get("RAIM_CACHE_DIR") or platformdirs.user_cache_dir("raim")) / "scores.sqlite"


def score_folders(
    restored: Sequence[Path],
    reference: Path,
    *,
    profile: Profile | str = "raim-2024",
    manifest: Path | None = None,
    names: Sequence[str] | None = None,
    workers: int = 1,
    device: str = "cpu",
    cache: Path | None = None,
    on_progress: OnProgress | None = None,
) -> ScoreTable:
    """Score folders or zips of restored images against one folder or zip of references.

    Images are matched by stem. An image that is missing, broken or of another size gets no number but the reason.

    Args:
        restored: One folder or zip for each entry; all are scored in one pass over the references.
        reference: Folder or zip of the references.
        profile: A profile or its name.
        manifest: CSV that gives each image its scenario.
        names: What tables call the entries; None for the names of their folders or zips.
        workers: Processes of one thread each; 1 computes in this process. A script that asks for more must guard
            its entry point by `if __name__ == "__main__"`, as for all of `multiprocessing`.
        device: "cpu", or a device of torch such as "cuda" for the measures that run there.
        cache: File of known values (`default_cache()` is the command line's); None keeps none.
        on_progress: Called with (photographs done, photographs in all) after each, and once before the first.

    Returns:
        The table, best entry first.

    Raises:
        InputError: If a path, a name or the number of workers is not as stated.
        SubmissionError: If a folder or zip is unsafe or holds no image.
        ManifestError: If the manifest is malformed.
        WeightsMissingError: If the pretrained weights are not here and cannot be fetched.
    """
    chosen = find_profile(profile) if isinstance(profile, str) else profile
    entry_names = name_entries(restored, names)
    if workers < 1:
        raise InputError(f"{workers} workers were asked for; there must be at least 1")
    references = open_images(reference, allow_links=True)
    entries = [open_images(path, allow_links=True) for path in restored]
    listed = read_manifest(manifest) if manifest is not None else None
    tasks = _make_tasks(references, entries, listed)
    setting = Setting(profile=chosen, device=device, cache=cache)
    results = _score_all(tasks, setting, workers, on_progress or (lambda _done, _total: None))
    return ScoreTable(
        profile=chosen,
        entries=sort_entries(
            EntryScore(
                name=name,
                images=tuple(results[task.name].images[index] for task in tasks),
                notes=_describe_folder(folder, references),
            )
            for index, (name, folder) in enumerate(zip(entry_names, entries, strict=True))
        ),
        raim_version=__version__,
        weights=profile_weights(chosen),
        manifest_sha256=listed.sha256() if listed is not None else None,
        engine=describe_engine(device),
    )


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
    references: ImageFolder, entries: Sequence[ImageFolder], manifest: Manifest | None
) -> list[Task]:
    rows = manifest.by_name() if manifest is not None else {}
    return [
        Task(
            name=stem,
            reference=member,
            candidates=tuple(entry.get(stem) for entry in entries),
            scenario=rows[stem].scenario if stem in rows else None,
        )
        for stem, member in references.items()
    ]


def _describe_folder(folder: ImageFolder, references: ImageFolder) -> tuple[str, ...]:
    notes = tuple(note.message for note in folder.notes)
    extra = [folder[stem].name for stem in folder if stem not in references]
    if extra:
        listed = ", ".join(extra[:5]) + (" ..." if len(extra) > 5 else "")
        notes += (f"{len(extra)} without a reference of the same name were left out: {listed}",)
    return notes


def _score_all(
    tasks: Sequence[Task], setting: Setting, workers: int, on_progress: OnProgress
) -> dict[str, Scored]:
    """Score every photograph; each one's new values are kept as soon as it is done."""
    results: dict[str, Scored] = {}
    on_progress(0, len(tasks))
    with ValueCache(setting.cache) as cache:
        score = functools.partial(score_photograph, setting=setting)
        for task, result in map_processes(score, tasks, min(workers, len(tasks))):
            scored = fail_photograph(task, setting, result) if isinstance(result, RaimError) else result
            cache.put(scored.new_values)
            results[task.name] = scored
            on_progress(len(results), len(tasks))
    return results
