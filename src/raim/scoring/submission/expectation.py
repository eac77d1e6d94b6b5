"""What a submission has to hold: one image per input, and of which size and kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raim.data import Manifest
from raim.errors import ImageError, shown
from raim.images import inspect_image
from raim.scoring.submission.findings import Finding, name_some, note
from raim.scoring.submission.image_folder import ImageFolder
from raim.scoring.submission.limits import Limits
from raim.scoring.submission.member import Member

GREY_MODES = frozenset({"grey", "grey-alpha"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedImage:
    """What one restored image has to be.

    Attributes:
        stem: Stem of the input.
        input_name: File name of the input.
        width: Pixels.
        height: Pixels.
        is_stated: Whether the manifest states the size; else it is that of the upright input.
        is_grey: Whether the input is grey.
        bit_depth: Bits per sample of the input.
    """

    stem: str
    input_name: str
    width: int
    height: int
    is_stated: bool
    is_grey: bool
    bit_depth: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """All expected images by stem, and what was noticed about inputs and manifest."""

    images: Mapping[str, ExpectedImage]
    notes: tuple[Finding, ...] = ()


def expect_images(inputs: ImageFolder, manifest: Manifest | None, limits: Limits) -> Expectation:
    """Read the headers of the inputs and the manifest.

    Raises:
        ImageError: An input cannot be used; it is named.
        ManifestError: No row of the manifest names an input.
    """
    manifest = None if manifest is None else manifest.match(list(inputs))
    rows = {} if manifest is None else manifest.by_name()
    images = {}
    for stem, member in inputs.items():
        row = rows.get(stem)
        size = (row.width, row.height) if row else (None, None)
        images[stem] = _expect_image(stem, member, size, limits)
    return Expectation(images=images, notes=() if manifest is None else tuple(_compare(inputs, manifest)))


def _expect_image(
    stem: str, member: Member, size: tuple[int | None, int | None], limits: Limits
) -> ExpectedImage:
    try:
        info = inspect_image(_source(member), max_pixels=limits.max_pixels)
    except ImageError as error:
        raise type(error)(f"the input {member.name} cannot be used: {error}") from error
    width, height = size
    upright = info.upright_size  # as `raim restore` makes it of an input with an EXIF rotation
    return ExpectedImage(
        stem=stem,
        input_name=member.name,
        width=upright[1] if width is None else width,
        height=upright[0] if height is None else height,
        is_stated=width is not None,
        is_grey=info.mode in GREY_MODES,
        bit_depth=info.bit_depth,
    )


def _source(member: Member) -> Path | bytes:
    return member.read_bytes() if member.entry is not None else member.container / member.stored_name


def _compare(inputs: ImageFolder, manifest: Manifest) -> list[Finding]:
    """Note where inputs and manifest do not belong together."""
    rows = manifest.by_name()
    notes = [note("manifest-reading", text) for text in manifest.notes]
    unnamed = [stem for stem in inputs if stem not in rows]
    if unnamed:
        text = f"the manifest does not name {name_some(unnamed)}; their own size is expected"
        notes.append(note("not-in-manifest", text))
    absent = [name for name in rows if name not in inputs]
    if absent:
        notes.append(
            note("not-in-inputs", f"the manifest names {name_some(absent)}, which are not among the inputs")
        )
    for stem, member in inputs.items():
        stated = rows[stem].input_sha256 if stem in rows else None
        if stated is not None and member.sha256() != stated:
            text = f"the input {shown(member.name)} is not the file whose SHA-256 the manifest states; get it again"
            notes.append(note("other-input", text, member.name))
    if manifest.ignored_columns:
        columns = ", ".join(shown(column) for column in manifest.ignored_columns)
        notes.append(note("ignored-columns", f"not used of the manifest: {columns}"))
    return notes
