"""What a check finds: problems (each has to be put right) and notes (accepted, but worth knowing).

A finding has a stable code for programs and a message for people: what is wrong with the real values, what was
expected and the way out. `PROBLEMS` and `NOTES` are all the codes there are; docs/submissions.md explains each.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from raim.errors import SubmissionError, shown

PROBLEMS = {
    "not-an-archive": "it is neither a zip nor a folder",
    "damaged-archive": "the zip's table of members is damaged or contradicts itself",
    "split-archive": "the zip is one part of several",
    "extra-data": "the file has data before the zip's first member or after its end",
    "too-many-members": "it holds more files than the limit",
    "archive-too-large": "all files together unpack to more than the limit",
    "member-too-large": "one file is larger than the limit",
    "zip-bomb": "a member claims to unpack to far more than images do",
    "overlapping-members": "members of the zip share the same bytes",
    "size-mismatch": "a member unpacks to another size than it declares",
    "checksum-mismatch": "a member's content does not have its checksum",
    "header-mismatch": "a member's own header contradicts the zip's table of members",
    "damaged-member": "a member cannot be unpacked",
    "encrypted": "a member is encrypted",
    "unsupported-compression": "a member is compressed with another method than Deflate",
    "path-traversal": "a name leads out of the folder with ..",
    "absolute-path": "a name starts at the root or at a drive",
    "backslash": "a name contains a backslash",
    "control-character": "a name contains a control or invisible formatting character",
    "empty-name": "a member has no name",
    "name-too-long": "a name is longer than file systems store",
    "name-encoding": "a name is stored in an old encoding, or is not valid UTF-8 though it says so",
    "symlink": "an entry is a link",
    "special-file": "an entry is a device, pipe or socket",
    "unreadable-file": "the operating system refuses to read a file",
    "duplicate-member": "the same name stands twice in the zip",
    "colliding-names": "names differ only in letter case or Unicode form",
    "duplicate-stem": "one image is there in two formats",
    "nested-folder": "files lie in a folder instead of at the root",
    "nested-archive": "an archive lies within the submission",
    "no-images": "there is no image at the root",
    "missing": "an input has no restored image",
    "unexpected": "a file belongs to no input",
    "wrong-format": "an image is neither PNG nor JPEG",
    "wrong-size": "an image has another size than expected",
    "wrong-mode": "an image has another kind of pixels than its input (grey, palette, CMYK, alpha, bit depth)",
    "colour-profile": "an image is in another colour space than sRGB",
    "rotation": "an image carries an EXIF rotation",
    "image-too-large": "an image declares more pixels than the limit",
    "unreadable": "an image cannot be decoded",
    "readme-missing": "there is no readme.txt at the root",
    "readme-malformed": "a line of readme.txt is missing or does not say what it must",
}

NOTES = {
    "common-folder": "all files lie in one folder, which was taken as the root",
    "junk": "files that operating systems and desktop programs leave behind were ignored",
    "guessed-encoding": "the zip does not say in which encoding a name is stored",
    "ignored-file": "files that are not images were ignored",
    "image-warning": "what the reader of images had to say about an image",
    "suffix": "an image's content has another format than its suffix says",
    "bit-depth": "an image has 8 bits though its input has 16",
    "manifest-reading": "how the manifest was read, where there is a doubt",
    "not-in-manifest": "inputs that the manifest does not name",
    "not-in-inputs": "images of the manifest that are not among the inputs",
    "other-input": "an input is not the file that the manifest states",
    "ignored-columns": "columns of the manifest that were not used",
}

UTF8_ADVICE = (
    "make the zip with a program that stores names in UTF-8 (7-Zip with -mcu=on, or `python -m zipfile -c`)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A problem or a note.

    Attributes:
        code: One of `PROBLEMS` or `NOTES`.
        message: What was found, what was expected and the way out; printable, names included.
        name: The file or stem concerned, printable; None where the whole submission is.
    """

    code: str
    message: str
    name: str | None = None


def problem(code: str, message: str, name: str | None = None) -> Finding:
    """Make a problem; `name` is made printable (the message's names are the caller's care)."""
    PROBLEMS[code]
    return Finding(code=code, message=message, name=None if name is None else shown(name))


def note(code: str, message: str, name: str | None = None) -> Finding:
    """Make a note."""
    NOTES[code]
    return Finding(code=code, message=message, name=None if name is None else shown(name))


def name_some(names: Sequence[str], most: int = 3) -> str:
    """List the first names, printable, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more


def submission_error(label: str, problems: Iterable[Finding]) -> SubmissionError:
    """Make the error that lists problems; they stand in its `problems` too."""
    found = tuple(problems)
    lines = [f"{each.message} [{each.code}]" for each in found]
    if len(lines) == 1:
        return SubmissionError(f"{label}: {lines[0]}", problems=found)
    listed = "\n".join(f"  {line}" for line in lines)
    return SubmissionError(f"{label} has {len(lines)} problems:\n{listed}", problems=found)
