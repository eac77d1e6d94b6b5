"""Aligning a folder of captures: the scenes are spread over worker processes, a stopped run is taken up again."""

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from raim import __version__
from raim.data.alignment.captures import Scene, list_scenes
from raim.data.alignment.options import Options
from raim.data.alignment.output import write_crops
from raim.data.alignment.pairs import MadePair, MadeScene, Refused
from raim.data.alignment.planes import load_opencv
from raim.data.alignment.scene import fit_scene
from raim.data.alignment.table import OWN_COLUMN, format_table
from raim.data.pair_folder import INPUT, MASK, REFERENCE, OnProgress, PairFolder, file_paths
from raim.errors import ImageError, InputError, RaimError
from raim.files import hash_file
from raim.runs import fingerprint, has_hashes


@dataclass(frozen=True, kw_only=True, slots=True)
class Aligned:
    """What was made of a folder of captures.

    Attributes:
        folder: Where input/, reference/, mask/ and manifest.csv lie.
        options: What was asked.
        scenes: Names of all scenes.
        pairs: In the order of the manifest.
        refused: Scenes and crops that could not be aligned, and why.
    """

    folder: Path
    options: Options
    scenes: tuple[str, ...]
    pairs: tuple[MadePair, ...]
    refused: tuple[Refused, ...] = ()

    def refused_scenes(self) -> tuple[Refused, ...]:
        """Give the scenes of which there is no pair at all."""
        made = {pair.scene for pair in self.pairs}
        return tuple(each for each in self.refused if each.scene not in made)


def align_captures(
    captures: Path,
    out: Path,
    *,
    mode: str | None = None,
    options: Options | None = None,
    workers: int = 1,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Aligned:
    """Make input and reference pairs of real captures.

    Written are OUT/input/NAME.png, OUT/reference/NAME.png, OUT/mask/NAME.png and OUT/manifest.csv with the residual of
    each pair. The reference is warped onto the input's grid; the input keeps its own pixels. The same captures,
    options and versions of raim and OpenCV give the same bytes, with any number of workers. A run that was stopped
    goes on where it was when it is started again.

    Args:
        captures: A folder with a sub-folder for each scene; see `captures`.
        out: A new or empty folder.
        mode: "burst", "zoom", "blur" or "moire"; None if captures.csv says it for each scene.
        options: What is asked of all scenes.
        workers: Processes; 1 computes in this process. A script that asks for more must guard its entry point by
            `if __name__ == "__main__"`, as for all of `multiprocessing`.
        overwrite: Remove the pairs that an earlier run has written to `out`.
        on_progress: Called with (scenes done, scenes in all) after each, and once before the first.

    Returns:
        The pairs, and what could not be aligned with the reasons.

    Raises:
        MissingExtraError: OpenCV is not installed.
        UnknownNameError: There is no such mode.
        InputError: An argument, or no scene, can be used, or table, modes or names of scenes are not as stated; every
            problem is listed.
        OutputError: A file cannot be written.
    """
    load_opencv()
    if workers < 1:
        raise InputError(f"{workers} workers were asked for; there must be at least 1")
    asked = options or Options()
    listed = list_scenes(captures, mode)
    scenes = [each for each in listed if isinstance(each, Scene)]
    if out.resolve().is_relative_to(captures.resolve()):
        raise InputError(f"{out} lies within the captures; name a folder beside them")
    opened = PairFolder.open(
        out,
        MadeScene,
        command="raim align",
        kinds=(INPUT, REFERENCE, MASK),
        column=OWN_COLUMN,
        names={each.name for each in listed},
        overwrite=overwrite,
    )
    made = {
        each.name: MadeScene.failed(each.name, each.reason) for each in listed if isinstance(each, Refused)
    }
    make = functools.partial(_make, out=out, options=asked, is_alone=min(workers, len(scenes)) == 1)
    with opened as folder:
        for scene, result in folder.make(make, scenes, workers, total=len(listed), on_progress=on_progress):
            # An error is not noted: the next run tries again.
            failed = isinstance(result, RaimError)
            made[scene.name] = MadeScene.failed(scene.name, str(result)) if failed else result
        return _finish(folder, asked, [made[each.name] for each in listed])


def _make(task: tuple[Scene, MadeScene | None], out: Path, options: Options, *, is_alone: bool) -> MadeScene:
    if not is_alone:
        load_opencv().setNumThreads(1)  # the processes share the cores among themselves
    return _make_scene(task[0], out, options, task[1])


def _make_scene(scene: Scene, out: Path, options: Options, known: MadeScene | None) -> MadeScene:
    """Make the pairs of a scene; those that a stopped run has made are kept if they are still the same."""
    own = _find_fingerprint(scene, options)
    if known is not None and known.fingerprint == own and _are_there(known, out):
        return known
    try:
        fitted = fit_scene(scene, options)
    except (ImageError, InputError) as error:
        fitted = str(error)
    if isinstance(fitted, str):
        return MadeScene.failed(scene.name, fitted, own)
    pairs, others = write_crops(scene, out, options, fitted)
    return MadeScene(name=scene.name, fingerprint=own, pairs=tuple(pairs), refused=tuple(others))


def _find_fingerprint(scene: Scene, options: Options) -> str:
    try:
        hashes = [hash_file(path) for path in (scene.input, *scene.references)]
    except OSError as error:
        raise InputError(f"a picture of {scene.name} cannot be read: {error}") from error
    return fingerprint(__version__, scene.name, scene.mode.name, hashes, dataclasses.asdict(options))


def _are_there(made: MadeScene, out: Path) -> bool:
    hashes = [(pair.input_sha256, pair.reference_sha256, pair.mask_sha256) for pair in made.pairs]
    paths = [file_paths(out, pair.name) for pair in made.pairs]
    return all(has_hashes(dict(zip(*each, strict=True))) for each in zip(paths, hashes, strict=True))


def _finish(folder: PairFolder[MadeScene], options: Options, scenes: Sequence[MadeScene]) -> Aligned:
    pairs = tuple(pair for scene in scenes for pair in scene.pairs)
    folder.finish(format_table(pairs), [pair.name for pair in pairs])
    return Aligned(
        folder=folder.output.path,
        options=options,
        scenes=tuple(scene.name for scene in scenes),
        pairs=pairs,
        refused=tuple(each for scene in scenes for each in scene.refused),
    )
