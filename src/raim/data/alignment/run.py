"""Aligning a folder of captures: the scenes are spread over worker processes, a stopped run is resumed."""

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path

import cv2

from raim import __version__
from raim.data.alignment.captures import Scene, list_scenes
from raim.data.alignment.options import AlignmentOptions
from raim.data.alignment.output import write_crops
from raim.data.alignment.pairs import (
    MASK_COLUMN,
    MadePair,
    MadeScene,
    Refused,
    format_aligned_pairs,
    refuse_scene,
)
from raim.data.alignment.scene import fit_scene
from raim.data.pair_folder import INPUT, MASK, REFERENCE, PairFolder, is_written
from raim.errors import ImageError, InputError
from raim.files import hash_file
from raim.processes import OnProgress
from raim.runs import fingerprint


@dataclass(frozen=True, kw_only=True, slots=True)
class Aligned:
    """What was made of a folder of captures.

    Attributes:
        folder: Where input/, reference/, mask/ and manifest.csv lie.
        options: What was asked.
        pairs: In the order of the manifest.
        refused: Scenes and crops that could not be aligned, and why.
    """

    folder: Path
    options: AlignmentOptions
    pairs: tuple[MadePair, ...]
    refused: tuple[Refused, ...] = ()

    def refused_scenes(self) -> tuple[Refused, ...]:
        """Return the scenes of which there is no pair at all."""
        made = {pair.scene for pair in self.pairs}
        return tuple(each for each in self.refused if each.scene not in made)


def align_captures(
    captures: Path,
    out: Path,
    *,
    mode: str | None = None,
    options: AlignmentOptions | None = None,
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
        UnknownNameError: There is no such mode.
        InputError: An argument, or no scene, can be used, or table, modes or names of scenes are not as stated; every
            problem is listed.
        OutputError: A file cannot be written.
    """
    asked = options or AlignmentOptions()
    listed = list_scenes(captures, mode)
    scenes = [each for each in listed if isinstance(each, Scene)]
    if out.resolve().is_relative_to(captures.resolve()):
        raise InputError(f"{out} lies within the captures; name a folder beside them")
    opened = PairFolder.open(
        out,
        MadeScene,
        command="raim align",
        kinds=(INPUT, REFERENCE, MASK),
        column=MASK_COLUMN,
        names={each.name for each in listed},
        overwrite=overwrite,
        workers=workers,
    )
    made = {each.name: refuse_scene(each.name, each.reason) for each in listed if isinstance(each, Refused)}
    make = functools.partial(_make, out=out, options=asked, is_alone=min(workers, len(scenes)) == 1)
    with opened as folder:
        for scene, result in folder.make(make, scenes, total=len(listed), on_progress=on_progress):
            made[scene.name] = refuse_scene(scene.name, result) if isinstance(result, str) else result
        pairs = tuple(pair for each in listed for pair in made[each.name].pairs)
        folder.finish(format_aligned_pairs(pairs), [pair.name for pair in pairs])
    return Aligned(
        folder=out,
        options=asked,
        pairs=pairs,
        refused=tuple(refused for each in listed for refused in made[each.name].refused),
    )


def _make(
    task: tuple[Scene, MadeScene | None], out: Path, options: AlignmentOptions, *, is_alone: bool
) -> MadeScene:
    """Make the pairs of a scene; those that a stopped run has made are kept if they are still the same."""
    if not is_alone:
        cv2.setNumThreads(1)  # the processes share the cores among themselves
    scene, known = task
    try:
        hashes = [hash_file(path) for path in (scene.input, *scene.references)]
    except OSError as error:
        raise InputError(f"a picture of {scene.name} cannot be read: {error}") from error
    own = fingerprint(__version__, scene.name, scene.mode.name, hashes, dataclasses.asdict(options))
    if known and known.fingerprint == own and _is_there(known, out):
        return known
    try:
        fitted = fit_scene(scene, options)
    except (ImageError, InputError) as error:
        fitted = str(error)
    if isinstance(fitted, str):
        return refuse_scene(scene.name, fitted, own)
    pairs, others = write_crops(scene, out, options, fitted)
    return MadeScene(name=scene.name, fingerprint=own, pairs=tuple(pairs), refused=tuple(others))


def _is_there(made: MadeScene, out: Path) -> bool:
    return all(is_written(out, pair, pair.mask_sha256) for pair in made.pairs)
