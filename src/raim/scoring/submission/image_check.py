"""Whether one restored image can be scored: it is unpacked and decoded, and its kind compared with its input's.

Grey belongs to grey and colour to colour; 16 bits belong to inputs of 16 bits. Palette, CMYK, transparency,
embedded colour profiles and EXIF rotation change pixels silently, so they are refused.
"""

from dataclasses import dataclass, field

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError, SubmissionError, shown
from raim.images import ImageInfo, ReadImage, inspect_image, read_image
from raim.images.header import find_format
from raim.images.reading import naming
from raim.scoring.submission.findings import Finding, note, problem
from raim.scoring.submission.matching import GREY_MODES, ExpectedImage
from raim.scoring.submission.member import ArchiveMember, Limits

FORMATS = frozenset({"PNG", "JPEG"})
SUFFIX_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
UNUSUAL_MODES = {"palette": "a palette", "cmyk": "CMYK"}
LONGEST_REASON = 400  # characters of what the reader of images says; decoders can be chatty
HEADER_CODES = frozenset({"wrong-mode", "colour-profile", "rotation"})
UPRIGHT = 1  # EXIF orientation: the first row is the top


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFindings:
    """Problems and notes of one image, by its name."""

    name: str
    problems: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    def add_problem(self, code: str, text: str) -> None:
        """Add a problem, whose message begins with the image's name."""
        self.problems.append(problem(code, f"{shown(self.name)} {text}", self.name))

    def add_note(self, code: str, text: str) -> None:
        """Add a note, whose message begins with the image's name."""
        self.notes.append(note(code, f"{shown(self.name)} {text}", self.name))


def check_restored(
    member: ArchiveMember, expected: ExpectedImage, limits: Limits, read: ReadImage = read_image
) -> ImageFindings:
    """Unpack and decode one image, by `read`, and find everything that is wrong with it."""
    found = ImageFindings(name=member.name)
    try:
        content = member.read_bytes()
        with naming(content):
            form = find_format(content)
        if form not in FORMATS:
            found.add_problem("wrong-format", f"is a {form} image; save it as PNG or JPEG")
            return found
        info = inspect_image(content, max_pixels=limits.max_pixels)
    except SubmissionError as error:
        found.problems.extend(error.problems)
    except ImageTooLargeError as error:
        found.add_problem("image-too-large", _said(error))
    except ImageError as error:
        found.add_problem("unreadable", f"cannot be decoded: {_said(error)}")
    else:
        _check_header(info, expected, found)
        _check_mode(info, expected, found)
        _decode(content, info, limits, found, read)
    return found


def _check_header(info: ImageInfo, expected: ExpectedImage, found: ImageFindings) -> None:
    if SUFFIX_FORMATS.get("." + found.name.lower().rpartition(".")[2]) != info.format:
        found.add_note("suffix", f"is a {info.format} image, read as such")
    if (info.width, info.height) != (expected.width, expected.height):
        source = (
            "the manifest states" if expected.is_stated else f"its input {shown(expected.input_name)} has"
        )
        text = f"is {info.width}x{info.height}, {source} {expected.width}x{expected.height}; save it at that size"
        found.add_problem("wrong-size", text)
    if info.has_icc:
        text = "is in another colour space than sRGB; convert it to sRGB, save without profile"
        found.add_problem("colour-profile", text)
    if info.orientation != UPRIGHT:
        text = f"carries an EXIF rotation ({info.orientation}); rotate its pixels, save without EXIF"
        found.add_problem("rotation", text)


def _check_mode(info: ImageInfo, expected: ExpectedImage, found: ImageFindings) -> None:
    kind = "grey" if expected.is_grey else "RGB"
    if info.mode in UNUSUAL_MODES:
        text = f"has {UNUSUAL_MODES[info.mode]} instead of plain pixels; convert it to {kind}"
        found.add_problem("wrong-mode", text)
    elif (info.mode in GREY_MODES) != expected.is_grey:
        own, other = ("in colour", "grey") if expected.is_grey else ("grey", "in colour")
        text = f"is {own}, its input {shown(expected.input_name)} is {other}; save it as {kind}"
        found.add_problem("wrong-mode", text)
    depths = f"has {info.bit_depth} bits per sample, its input {expected.bit_depth}"
    if info.bit_depth > 8 >= expected.bit_depth:
        found.add_problem("wrong-mode", f"{depths}; save it with 8 bits")
    elif info.bit_depth <= 8 < expected.bit_depth:
        found.add_note("bit-depth", f"{depths}: precision is lost")


def _decode(content: bytes, info: ImageInfo, limits: Limits, found: ImageFindings, read: ReadImage) -> None:
    try:
        picture = read(content, max_pixels=limits.max_pixels)
    except ImageError as error:
        is_cut_off = isinstance(error, ImageTruncatedError)
        # Why the reader refuses a whole image its header may have said already.
        if not is_cut_off and any(each.code in HEADER_CODES for each in found.problems):
            return
        if not is_cut_off and info.mode in ("rgba", "grey-alpha"):
            found.add_problem("wrong-mode", "is partly transparent; flatten it and save it without alpha")
        else:
            found.add_problem("unreadable", f"cannot be decoded: {_said(error)}")
    else:
        for text in picture.warnings:
            found.notes.append(note("image-warning", f"{shown(found.name)}: {text}", found.name))


def _said(error: ImageError) -> str:
    return shown(str(error), longest=LONGEST_REASON)
