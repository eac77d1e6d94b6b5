"""Whether one restored image can be scored: it is unpacked and decoded, and its kind compared with its input's.

Grey belongs to grey and colour to colour; 16 bits belong to inputs of 16 bits. Palette, CMYK, transparency,
embedded colour profiles and EXIF rotation change pixels silently, so they are refused.
"""

from dataclasses import dataclass, field

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError, SubmissionError, shown
from raim.images import ImageInfo, inspect_image, read_image
from raim.images.inspecting import naming
from raim.images.signatures import find_format
from raim.scoring.submission.expectation import GREY_MODES, ExpectedImage
from raim.scoring.submission.findings import Finding, note, problem
from raim.scoring.submission.limits import Limits
from raim.scoring.submission.member import Member

FORMATS = frozenset({"PNG", "JPEG"})
SUFFIX_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
UNUSUAL_MODES = {"palette": "a palette", "cmyk": "CMYK"}
LONGEST_REASON = 400  # characters of what the reader of images says; decoders can be chatty
UPRIGHT = 1  # EXIF orientation: the first row is the top


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFindings:
    """Problems and notes of one image."""

    problems: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


def check_image(member: Member, expected: ExpectedImage, limits: Limits) -> ImageFindings:
    """Unpack and decode one image and find everything that is wrong with it."""
    found = ImageFindings()
    name = member.name
    try:
        content = member.read_bytes()
        with naming(content):
            form = find_format(content)
        if form not in FORMATS:
            found.problems.append(_wrong_format(name, form))
            return found
        info = inspect_image(content, max_pixels=limits.max_pixels)
    except SubmissionError as error:
        found.problems.extend(error.problems)
    except ImageTooLargeError as error:
        found.problems.append(problem("image-too-large", f"{shown(name)}: {_said(error)}", name))
    except ImageError as error:
        found.problems.append(_unreadable(name, error))
    else:
        _check_header(name, info, expected, found)
        _decode(name, content, info, limits, found)
    return found


def _check_header(name: str, info: ImageInfo, expected: ExpectedImage, found: ImageFindings) -> None:
    if SUFFIX_FORMATS.get("." + name.lower().rpartition(".")[2]) != info.format:
        found.notes.append(note("suffix", f"{shown(name)} is a {info.format} image, read as such", name))
    if (info.width, info.height) != (expected.width, expected.height):
        found.problems.append(_wrong_size(name, info, expected))
    if info.has_icc:
        text = f"{shown(name)} is in another colour space than sRGB; convert it to sRGB, save without profile"
        found.problems.append(problem("colour-profile", text, name))
    if info.orientation != UPRIGHT:
        text = f"{shown(name)} carries an EXIF rotation ({info.orientation}); rotate its pixels, save without EXIF"
        found.problems.append(problem("rotation", text, name))
    _check_mode(name, info, expected, found)


def _wrong_format(name: str, form: str) -> Finding:
    return problem("wrong-format", f"{shown(name)} is a {form} image; save it as PNG or JPEG", name)


def _wrong_size(name: str, info: ImageInfo, expected: ExpectedImage) -> Finding:
    source = "the manifest states" if expected.is_stated else f"its input {shown(expected.input_name)} has"
    text = (
        f"{shown(name)} is {info.width}x{info.height}, {source} {expected.width}x{expected.height}; "
        "save it at that size"
    )
    return problem("wrong-size", text, name)


def _check_mode(name: str, info: ImageInfo, expected: ExpectedImage, found: ImageFindings) -> None:
    visible = shown(name)
    kind = "grey" if expected.is_grey else "RGB"
    if info.mode in UNUSUAL_MODES:
        text = f"{visible} has {UNUSUAL_MODES[info.mode]} instead of plain pixels; convert it to {kind}"
        found.problems.append(problem("wrong-mode", text, name))
    elif (info.mode in GREY_MODES) != expected.is_grey:
        own = "grey" if info.mode in GREY_MODES else "in colour"
        other = "grey" if expected.is_grey else "in colour"
        text = f"{visible} is {own}, its input {shown(expected.input_name)} is {other}; save it as {kind}"
        found.problems.append(problem("wrong-mode", text, name))
    if info.bit_depth > 8 >= expected.bit_depth:
        text = f"{visible} has {info.bit_depth} bits per sample, its input {expected.bit_depth}; save it with 8 bits"
        found.problems.append(problem("wrong-mode", text, name))
    elif info.bit_depth <= 8 < expected.bit_depth:
        text = f"{visible} has {info.bit_depth} bits per sample, its input {expected.bit_depth}: precision is lost"
        found.notes.append(note("bit-depth", text, name))


def _decode(name: str, content: bytes, info: ImageInfo, limits: Limits, found: ImageFindings) -> None:
    try:
        picture = read_image(content, max_pixels=limits.max_pixels)
    except ImageTruncatedError as error:
        found.problems.append(_unreadable(name, error))
    except ImageError as error:
        _add_refusal(name, info, error, found)
    else:
        found.notes.extend(note("image-warning", f"{shown(name)}: {text}", name) for text in picture.warnings)


def _add_refusal(name: str, info: ImageInfo, error: ImageError, found: ImageFindings) -> None:
    """Add why the reader refused a whole image, unless its header has said so already."""
    if any(each.code in ("wrong-mode", "colour-profile", "rotation") for each in found.problems):
        return
    if info.mode in ("rgba", "grey-alpha"):
        text = f"{shown(name)} is partly transparent; flatten it and save it without alpha"
        found.problems.append(problem("wrong-mode", text, name))
    else:
        found.problems.append(_unreadable(name, error))


def _unreadable(name: str, error: ImageError) -> Finding:
    return problem("unreadable", f"{shown(name)} cannot be decoded: {_said(error)}", name)


def _said(error: ImageError) -> str:
    return shown(str(error), longest=LONGEST_REASON)
