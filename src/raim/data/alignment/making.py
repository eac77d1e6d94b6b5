"""Making the pairs of one scene: read, align, judge, crop, write; or find them made already."""

import dataclasses
from pathlib import Path

from raim import __version__
from raim.data.alignment.captures import Scene
from raim.data.alignment.fitting import fit_scene
from raim.data.alignment.options import Options
from raim.data.alignment.pairs import MadeScene
from raim.data.alignment.writing import write_crops
from raim.data.pair_folder import file_paths
from raim.errors import ImageError, InputError
from raim.files import hash_file
from raim.runs import fingerprint, has_hashes


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
    return all(
        has_hashes(
            dict(
                zip(
                    file_paths(out, pair.name),
                    (pair.input_sha256, pair.reference_sha256, pair.mask_sha256),
                    strict=True,
                )
            )
        )
        for pair in made.pairs
    )
