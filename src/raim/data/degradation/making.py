"""Making one pair: read the clean photograph, take the pair, write both files, or find them made already."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from raim import __version__
from raim.data.camera import Pair, flatten_camera, take_pair
from raim.data.degradation.plan import LeftOut, PlannedPair
from raim.data.pair_folder import file_paths
from raim.errors import ImageError, InputError
from raim.files import hash_file
from raim.images import read_image, write_image
from raim.runs import fingerprint, has_hashes


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeFiles:
    """The two files of a pair.

    Attributes:
        name: Stem of both.
        fingerprint: Hash of all that they depend on: version, photograph, camera.
        source_sha256: Of the clean photograph's file.
        input_sha256: Of the input file.
        reference_sha256: Of the reference file.
        input_width: In pixels.
        input_height: In pixels.
        width: Of the reference, and of a restored image.
        height: Of the same.
    """

    name: str
    fingerprint: str
    source_sha256: str
    input_sha256: str
    reference_sha256: str
    input_width: int
    input_height: int
    width: int
    height: int


def make_pair(plan: PlannedPair, out: Path, known: MadeFiles | None) -> MadeFiles | LeftOut:
    """Make the files of a pair; those that an interrupted run has made are kept if they are still the same.

    Args:
        plan: What to make.
        out: The folder that holds input/ and reference/.
        known: What an interrupted run says of this pair.

    Returns:
        What was made, or why the photograph could not be used.

    Raises:
        OutputError: A file cannot be written.
    """
    try:
        content = plan.photograph.path.read_bytes()
    except OSError as error:
        return LeftOut(name=plan.name, reason=f"{plan.photograph.path} cannot be read: {error.strerror}")
    source = hashlib.sha256(content).hexdigest()
    own = fingerprint(__version__, source, flatten_camera(plan.camera))
    if known is not None and known.fingerprint == own and _are_there(known, out):
        return known
    try:
        pair = take_pair(read_image(content, purpose="restore").pixels, plan.camera)
    except (ImageError, InputError) as error:
        return LeftOut(name=plan.name, reason=f"{plan.photograph.path.name}: {error}")
    return _write(pair, plan.name, out, source, own)


def _write(pair: Pair, name: str, out: Path, source: str, own: str) -> MadeFiles:
    input_path, reference_path, _ = file_paths(out, name)
    write_image(input_path, pair.degraded)
    write_image(reference_path, pair.reference)
    return MadeFiles(
        name=name,
        fingerprint=own,
        source_sha256=source,
        input_sha256=hash_file(input_path),
        reference_sha256=hash_file(reference_path),
        input_width=pair.degraded.shape[1],
        input_height=pair.degraded.shape[0],
        width=pair.reference.shape[1],
        height=pair.reference.shape[0],
    )


def _are_there(files: MadeFiles, out: Path) -> bool:
    input_path, reference_path, _ = file_paths(out, files.name)
    return has_hashes({input_path: files.input_sha256, reference_path: files.reference_sha256})
