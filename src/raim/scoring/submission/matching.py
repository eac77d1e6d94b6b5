"""What a submission has to hold, one image for each input; which member is which; what is missing or misplaced.

A misplaced file is reported where it lies and not a second time as missing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from raim.data import Manifest, ManifestRow, collision_key, image_stem
from raim.errors import ImageError, shown
from raim.images import inspect_image
from raim.scoring.submission.findings import UTF8_ADVICE, Finding, name_some, note, problem
from raim.scoring.submission.layout import Layout, is_nested_archive
from raim.scoring.submission.listing import ImageFolder, describe_no_images
from raim.scoring.submission.member import ArchiveMember, Limits
from raim.scoring.submission.member_names import find_name_problems, last_part, read_in_encodings
from raim.scoring.submission.readme import is_readme

GREY_MODES = frozenset({"grey", "grey-alpha"})
ACCEPTED_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
LONGEST_STEM = 255  # characters that are compared for a hint; file systems allow no more bytes
OTHER_SUFFIXES = frozenset({".tif", ".tiff", ".webp", ".bmp", ".gif", ".jxl", ".jp2", ".avif", ".heic"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedImage:
    """What one restored image has to be."""

    stem: str
    input_name: str
    width: int
    height: int
    is_stated: bool  # whether the manifest states the size; else it is that of the upright input
    is_grey: bool
    bit_depth: int  # bits per sample of the input


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """All expected images by stem, and what was noticed about inputs and manifest."""

    images: Mapping[str, ExpectedImage]
    notes: tuple[Finding, ...] = ()


def expect_images(inputs: ImageFolder, manifest: Manifest | None, limits: Limits) -> Expectation:
    """Read the headers of the inputs and the manifest."""
    manifest = None if manifest is None else manifest.match(list(inputs))
    rows = {} if manifest is None else manifest.by_name()
    images = {stem: _expect_image(stem, each, rows.get(stem), limits) for stem, each in inputs.items()}
    return Expectation(images=images, notes=() if manifest is None else tuple(_compare(inputs, manifest)))


def _expect_image(stem: str, member: ArchiveMember, row: ManifestRow | None, limits: Limits) -> ExpectedImage:
    is_file = member.entry is None
    source = member.container / member.stored_name if is_file else member.read_bytes()
    try:
        info = inspect_image(source, max_pixels=limits.max_pixels)
    except ImageError as error:
        raise type(error)(f"the input {member.name} cannot be used: {error}") from error
    width, height = (row.width, row.height) if row else (None, None)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Matching:
    """Which member is which expected image, and what is wrong with the rest."""

    images: dict[str, ArchiveMember]  # the matched members, by stem
    readmes: tuple[ArchiveMember, ...]  # the members named readme.txt in any letter case
    problems: tuple[Finding, ...]  # what is missing, unexpected, nested or in another format


def match_images(layout: Layout, expectation: Expectation) -> Matching:
    """Match the members of a submission to the expected images, by stem."""
    images: dict[str, ArchiveMember] = {}
    readmes: list[ArchiveMember] = []
    problems: list[Finding] = _find_nested(layout.nested)
    misplaced = {_key(member) for member in layout.nested}
    by_key = {collision_key(stem): stem for stem in expectation.images}
    for member in layout.root:
        suffix = PurePosixPath(member.name).suffix.lower()
        if find_name_problems(member.stored_name):
            misplaced.add(_key(member))
        elif is_readme(member.name):
            readmes.append(member)
        elif is_nested_archive(member):
            problems.append(_nested_archive(member))
        elif member.stem in expectation.images and suffix in ACCEPTED_SUFFIXES:
            images.setdefault(member.stem, member)
        elif member.stem in expectation.images and suffix in OTHER_SUFFIXES:
            text = (
                f"{shown(member.name)} is not PNG or JPEG by its suffix; save it as {shown(member.stem)}.png"
            )
            problems.append(problem("wrong-format", text, member.name))
            misplaced.add(_key(member))
        elif (reading := _read_again(member, expectation)) is not None:
            encoding, name = reading
            text = f"{shown(member.name)} is {shown(name)} if stored in {encoding}; the zip does not say the encoding"
            problems.append(problem("name-encoding", f"{text}; {UTF8_ADVICE}", member.name))
            misplaced.add(collision_key(image_stem(name)))
        else:
            problems.append(_unexpected(member, by_key, expectation))
            misplaced.add(_key(member) if suffix in ACCEPTED_SUFFIXES else "")
    there = {*misplaced, *(collision_key(stem) for stem in images)}
    problems += _find_missing(layout, expectation, there)
    return Matching(images=images, readmes=tuple(readmes), problems=tuple(problems))


def _key(member: ArchiveMember) -> str:
    return collision_key(image_stem(last_part(member.stored_name)))


def _find_nested(nested: Iterable[ArchiveMember]) -> list[Finding]:
    """Find one problem per folder at the root, and one per archive within."""
    folders: dict[str, list[ArchiveMember]] = {}
    problems = []
    for member in nested:
        if is_nested_archive(member):
            problems.append(_nested_archive(member))
        else:
            folders.setdefault(member.parts[0], []).append(member)
    for folder, members in folders.items():
        listed = name_some(["/".join(member.parts) for member in members], 1)
        text = f"files lie in the folder {shown(folder)}/ ({listed}); move them to the root"
        problems.append(problem("nested-folder", text, folder))
    return problems


def _nested_archive(member: ArchiveMember) -> Finding:
    name = "/".join(member.parts)
    text = f"{shown(name)} is an archive within the submission; put the files themselves there"
    return problem("nested-archive", text, name)


def _read_again(member: ArchiveMember, expectation: Expectation) -> tuple[str, str] | None:
    """Find the old encoding in which a name would be that of an input; None if there is none or the zip says which."""
    for encoding, name in read_in_encodings(member.raw_name).items():
        if image_stem(name) in expectation.images:
            return encoding, PurePosixPath(name).name
    return None


def _unexpected(member: ArchiveMember, by_key: dict[str, str], expectation: Expectation) -> Finding:
    name, stem = member.name, member.stem
    same = by_key.get(collision_key(stem))
    if same is not None and same != stem:
        text = f"{shown(name)} differs from the input {shown(same)} in letter case; name it {shown(same)}.png"
        return problem("unexpected", text, name)
    # The longest input name that it starts with, as in 0001_restored.png or 0001x4.png.
    longest = min(len(stem) - 1, LONGEST_STEM)
    begins = (stem[:n] for n in range(longest, 0, -1))
    near = next((begin for begin in begins if begin in expectation.images), None)
    hint = f"did you mean {shown(near)}.png?" if near else "remove it"
    if member.raw_name:
        hint = f"the zip does not say in which encoding its name is stored: {UTF8_ADVICE}"
    return problem("unexpected", f"{shown(name)} belongs to no input; {hint}", name)


def _find_missing(layout: Layout, expectation: Expectation, there: set[str]) -> list[Finding]:
    missing = [image for stem, image in expectation.images.items() if collision_key(stem) not in there]
    if len(missing) == len(expectation.images) and not any(there):
        return [describe_no_images(layout)]
    problems = []
    for image in missing:
        text = f"the input {shown(image.input_name)} has no restored image; add {shown(image.stem)}.png, "
        problems.append(problem("missing", f"{text}{image.width}x{image.height}", image.stem))
    return problems
