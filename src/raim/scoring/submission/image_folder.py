"""A folder or a zip of images as a mapping from stem to file: what scoring reads its pairs from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from raim.data import has_image_suffix
from raim.scoring.submission.archive import list_submission
from raim.scoring.submission.findings import Finding, note, problem, shown, submission_error
from raim.scoring.submission.layout import Layout, lay_out
from raim.scoring.submission.limits import DEFAULT_LIMITS, Limits
from raim.scoring.submission.member import Member
from raim.scoring.submission.readme import is_readme

# Problems that forbid reading one file and say nothing of the others.
OF_ONE_FILE = frozenset(
    {
        "unreadable-file",
        "symlink",
        "special-file",
        "member-too-large",
        "zip-bomb",
        "encrypted",
        "unsupported-compression",
    }
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
) -> ImageFolder:
    """List the images (PNG, JPEG, TIFF, WebP) at the root of a folder or a zip; none is decoded.

    One common parent folder is taken off; junk, other files and folders are ignored with a note.

    Args:
        path: A folder or a zip.
        limits: What is refused unread.
        allow_links: Whether a folder's links to files elsewhere are followed: for folders that the reader owns.
        defer_unreadable: Whether a file that may not be read is refused only once it is read, and the others can be.

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
    images = [member for member in layout.root if has_image_suffix(member.name)]
    problems = [*listing.problems, *layout.problems]
    if defer_unreadable:
        refusals = _find_refusals(listing.members, problems)
        problems = [each for each in problems if each not in refusals.values()]
        images = [_refuse(member, refusals.get(shown(member.stored_name))) for member in images]
    if not images and not problems:
        problems.append(describe_no_images(layout))
    if problems:
        raise submission_error(str(path), problems)
    ordered = {member.stem: member for member in sorted(images, key=lambda member: member.stem)}
    return ImageFolder(path=path, members=ordered, notes=(*layout.notes, *_note_ignored(layout)))


def _find_refusals(members: Iterable[Member], problems: Iterable[Finding]) -> dict[str, Finding]:
    """Find what forbids reading single files, by their printable names."""
    unreadable = {shown(member.stored_name) for member in members if not member.is_readable}
    return {each.name: each for each in problems if each.code in OF_ONE_FILE and each.name in unreadable}


def _refuse(member: Member, refusal: Finding | None) -> Member:
    return member if refusal is None else replace(member, refusal=refusal.message)


def describe_no_images(layout: Layout) -> Finding:
    """Make the problem that no image lies at the root, with what is there instead."""
    there = sorted({f"{shown(member.parts[0])}/" for member in layout.nested if member.parts})
    there += [shown(member.name) for member in layout.root]
    listed = ", ".join(there[:5]) + (" ..." if len(there) > 5 else "") if there else "nothing"
    return problem("no-images", f"there is no image at the root (there is {listed}); put the images there")


def _note_ignored(layout: Layout) -> list[Finding]:
    others = [
        shown(member.name)
        for member in layout.root
        if not has_image_suffix(member.name) and not is_readme(member.name)
    ]
    others += sorted({f"{shown(member.parts[0])}/" for member in layout.nested if member.parts})
    if not others:
        return []
    listed = ", ".join(others[:5]) + (" ..." if len(others) > 5 else "")
    return [note("ignored-file", f"ignored what is no image at the root: {listed}")]
