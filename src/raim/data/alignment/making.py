"""Making the pairs of one scene: read, align, judge, crop, write; or find them made already."""

import dataclasses
import hashlib
import json
from pathlib import Path

from raim import __version__
from raim.data.alignment.captures import Scene
from raim.data.alignment.fitting import fit_scene
from raim.data.alignment.options import Options
from raim.data.alignment.pairs import MadeScene, file_paths
from raim.data.alignment.writing import write_crops
from raim.errors import ImageError, InputError
from raim.files import hash_file


def make_scene(scene: Scene, out: Path, options: Options, known: MadeScene | None) -> MadeScene:
    """Make the pairs of a scene; those that an interrupted run has made are kept if they are still the same.

    Args:
        scene: Its pictures.
        out: The folder that holds input/, reference/ and mask/.
        options: What is asked.
        known: What an interrupted run says of this scene.

    Returns:
        The pairs, and what was refused.

    Raises:
        OutputError: A file cannot be written.
    """
    fingerprint = _fingerprint(scene, options)
    if known is not None and known.fingerprint == fingerprint and _are_there(known, out):
        return known
    try:
        fitted = fit_scene(scene, options)
    except (ImageError, InputError) as error:
        fitted = str(error)
    if isinstance(fitted, str):
        return MadeScene.failed(scene.name, fitted, fingerprint)
    pairs, others = write_crops(scene, out, options, fitted)
    return MadeScene(name=scene.name, fingerprint=fingerprint, pairs=tuple(pairs), refused=tuple(others))


def _fingerprint(scene: Scene, options: Options) -> str:
    try:
        hashes = [hash_file(path) for path in (scene.input, *scene.references)]
    except OSError as error:
        raise InputError(f"a picture of {scene.name} cannot be read: {error}") from error
    text = json.dumps([__version__, scene.name, scene.mode.name, hashes, dataclasses.asdict(options)])
    return hashlib.sha256(text.encode()).hexdigest()


def _are_there(made: MadeScene, out: Path) -> bool:
    for pair in made.pairs:
        paths = file_paths(out, pair.name)
        if not all(path.is_file() for path in paths):
            return False
        if [hash_file(path) for path in paths] != [
            pair.input_sha256,
            pair.reference_sha256,
            pair.mask_sha256,
        ]:
            return False
    return True
