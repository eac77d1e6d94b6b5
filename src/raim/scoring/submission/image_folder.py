"""A folder or a zip of images as a mapping from stem to file: what scoring reads its pairs from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from raim.data import IMAGE_SUFFIXES, collision_key, has_image_suffix
from raim.errors import shown
from raim.scoring.submission.findings import Finding, name_some, note, problem, submission_error
from raim.scoring.submission.layout import Layout, find_collisions, lay_out
from raim.scoring.submission.limits import DEFAULT_LIMITS, Limits
from raim.scoring.submission.listing import list_submission
from raim.scoring.submission.member import Member
from raim.scoring.submission.readme import is_readme

# Problems of one file that refuse all of a zip: whoever packed it meant no good, or no program reads it as another.
UNSAFE = frozenset(
    {"path-traversal", "absolute-path", "backslash", "empty-name", "header-mismatch", "damaged-member"}
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ImageFolder(Mapping[str, Member]):
    """The images at the root of a folder or a zip, by stem (in NFC), sorted.

    It holds no open file and can be sent to worker processes.

    Attributes:
        path: The folder or the zip.
        members: The images by stem.
        notes: What was ignored or taken off.
    """

    path: Path
    members: dict[str, Member]
    notes: tuple[Finding, ...] = ()

    def __getitem__(self, stem: str) -> Member:
        return self.members[stem]

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)


def open_images(
    path: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    allow_links: bool = False,
    defer_unreadable: bool = False,
    suffixes: frozenset[str] = IMAGE_SUFFIXES,
) -> ImageFolder:
    """List the images (PNG, JPEG, TIFF, WebP) at the root of a folder or a zip; none is decoded.

    One common parent folder is taken off; junk, other files and folders are ignored with a note.

    Args:
        path: A folder or a zip.
        limits: What is refused unread.
        allow_links: Whether a folder's links to files elsewhere are followed: for folders that the reader owns.
        defer_unreadable: Whether a file that may not be read, or whose name is unsafe or like another's, is refused
            only once it is read, and the others can be. Control characters in its name are escaped.
        suffixes: Of the names of images.

    Raises:
        InputError: There is nothing at that path.
        SubmissionError: Something in it is unsafe or ambiguous, or there is no image; all problems are listed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "0001.png").write_bytes(b"not decoded yet")
        ...     images = open_images(Path(folder))
        ...     print(list(images), images["0001"].name, images["0001"].read_bytes()[:3])
        ['0001'] 0001.png b'not'
    """
    listing = list_submission(path, limits=limits, allow_links=allow_links)
    layout = lay_out(listing.members)
    images = [member for member in layout.root if has_image_suffix(member.name, suffixes)]
    if defer_unreadable:
        is_unsafe = frozenset() if path.is_dir() else UNSAFE
        problems = [
            each for each in listing.all_problems if each in listing.problems or each.code in is_unsafe
        ]
        images = _refuse_alike(images)
    else:
        problems = [*listing.all_problems, *layout.problems]
    if not images and not problems:
        problems.append(describe_no_images(layout))
    if problems:
        raise submission_error(str(path), problems)
    ordered = {member.stem: member for member in sorted(images, key=lambda member: member.stem)}
    return ImageFolder(path=path, members=ordered, notes=(*layout.notes, *_note_ignored(layout, suffixes)))


def _refuse_alike(images: Sequence[Member]) -> list[Member]:
    """Refuse images that could be taken for each other, and name all that are refused so that it can be printed."""
    groups: dict[str, list[Member]] = {}
    for member in images:
        groups.setdefault(collision_key(member.stem), []).append(member)
    found = []
    for group in groups.values():
        alike = find_collisions(group) if len(group) > 1 else ()
        for member in group:
            problems = (*member.problems, *alike)
            # One character is ten at most when it is escaped: no name is shortened.
            printable = shown(member.name, longest=10 * len(member.name))
            found.append(replace(member, parts=(printable,), problems=problems) if problems else member)
    return found


def describe_no_images(layout: Layout) -> Finding:
    """Make the problem that no image lies at the root, with what is there instead."""
    there = [*_name_folders(layout), *(member.name for member in layout.root)]
    text = (
        f"there is no image at the root (there is {name_some(there, 5) or 'nothing'}); put the images there"
    )
    return problem("no-images", text)


def _name_folders(layout: Layout) -> list[str]:
    return sorted({f"{member.parts[0]}/" for member in layout.nested if member.parts})


def _note_ignored(layout: Layout, suffixes: frozenset[str]) -> list[Finding]:
    others = [
        member.name
        for member in layout.root
        if not has_image_suffix(member.name, suffixes) and not is_readme(member.name)
    ]
    others += _name_folders(layout)
    return (
        [note("ignored-file", f"ignored what is no image at the root: {name_some(others, 5)}")]
        if others
        else []
    )
