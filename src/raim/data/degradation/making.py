"""Making one pair: read the clean photograph, take the pair, write both files, or find them made already."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from raim import __version__
from raim.data.camera import Pair, flatten_camera, take_pair
from raim.data.degradation.plan import LeftOut, PlannedPair
from raim.errors import ImageError, InputError
from raim.files import hash_file
from raim.images import read_image, write_image

INPUT = "input"
REFERENCE = "reference"


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
    fingerprint = _fingerprint(plan, source)
    if known is not None and known.fingerprint == fingerprint and _are_there(known, out):
        return known
    try:
        pair = take_pair(read_image(content, purpose="restore").pixels, plan.camera)
    except (ImageError, InputError) as error:
        return LeftOut(name=plan.name, reason=f"{plan.photograph.path.name}: {error}")
    return _write(pair, plan.name, out, source, fingerprint)


def file_paths(out: Path, name: str) -> tuple[Path, Path]:
    """Give the paths of a pair's input and reference.

    Example:
        >>> [path.as_posix() for path in file_paths(Path("out"), "0001_text")]
        ['out/input/0001_text.png', 'out/reference/0001_text.png']
    """
    return out / INPUT / f"{name}.png", out / REFERENCE / f"{name}.png"


def _write(pair: Pair, name: str, out: Path, source: str, fingerprint: str) -> MadeFiles:
    input_path, reference_path = file_paths(out, name)
    write_image(input_path, pair.degraded)
    write_image(reference_path, pair.reference)
    return MadeFiles(
        name=name,
        fingerprint=fingerprint,
        source_sha256=source,
        input_sha256=hash_file(input_path),
        reference_sha256=hash_file(reference_path),
        input_width=pair.degraded.shape[1],
        input_height=pair.degraded.shape[0],
        width=pair.reference.shape[1],
        height=pair.reference.shape[0],
    )


def _fingerprint(plan: PlannedPair, source_sha256: str) -> str:
    text = json.dumps([__version__, source_sha256, flatten_camera(plan.camera)])
    return hashlib.sha256(text.encode()).hexdigest()


def _are_there(files: MadeFiles, out: Path) -> bool:
    paths = file_paths(out, files.name)
    if not all(path.is_file() for path in paths):
        return False
    return [hash_file(path) for path in paths] == [files.input_sha256, files.reference_sha256]
