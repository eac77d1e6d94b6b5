"""A folder or a zip of images as a mapping from stem to file: what scoring reads its pairs from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from raim.data import IMAGE_SUFFIXES, collision_key, has_image_suffix
from raim.errors import shown
from raim.scoring.submission.archive import list_submission
from raim.scoring.submission.findings import Finding, note, problem, submission_error
from raim.scoring.submission.layout import Layout, find_collisions, lay_out
from raim.scoring.submission.limits import DEFAULT_LIMITS, Limits
from raim.scoring.submission.member import Listing, Member
from raim.scoring.submission.readme import is_readme

# Problems that forbid reading one file of a zip and say nothing of the others; in a folder all of one file are such.
OF_ONE_FILE = frozenset(
    {
        "unreadable-file",
        "symlink",
        "special-file",
        "member-too-large",
        "zip-bomb",
        "encrypted",
        "unsupported-compression",
        "control-character",
        "name-too-long",
        "name-encoding",
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
    problems = [*listing.problems, *layout.problems]
    if defer_unreadable:
        refusals = _find_refusals(listing, is_folder=path.is_dir())
        problems = [each for each in listing.problems if each not in refusals.get(each.name, ())]
        images = _refuse_alike(
            [_refuse(member, refusals.get(shown(member.stored_name), ())) for member in images]
        )
    if not images and not problems:
        problems.append(describe_no_images(layout))
    if problems:
        raise submission_error(str(path), problems)
    ordered = {member.stem: member for member in sorted(images, key=lambda member: member.stem)}
    return ImageFolder(path=path, members=ordered, notes=(*layout.notes, *_note_ignored(layout, suffixes)))


def _find_refusals(listing: Listing, *, is_folder: bool) -> dict[str | None, list[Finding]]:
    """Find what forbids reading single files, by their printable names."""
    refusals: dict[str | None, list[Finding]] = {
        shown(member.stored_name): [] for member in listing.members if not member.is_readable
    }
    for each in listing.problems:
        if each.name in refusals and (is_folder or each.code in OF_ONE_FILE):
            refusals[each.name].append(each)
    return refusals


def _refuse_alike(images: Sequence[Member]) -> list[Member]:
    """Refuse images that could be taken for each other."""
    groups: dict[str, list[Member]] = {}
    for member in images:
        groups.setdefault(collision_key(member.stem), []).append(member)
    return [
        _refuse(member, find_collisions(group) if len(group) > 1 else ())
        for group in groups.values()
        for member in group
    ]


def _refuse(member: Member, findings: Sequence[Finding]) -> Member:
    """Refuse a file once it is read, under a name that can be printed."""
    if not findings:
        return member
    printable = shown(
        member.name, longest=10 * len(member.name)
    )  # one character is ten at most: not shortened
    reason = "; ".join(each.message for each in findings)
    return replace(member, parts=(printable,), is_readable=False, refusal=reason)


def describe_no_images(layout: Layout) -> Finding:
    """Make the problem that no image lies at the root, with what is there instead."""
    there = sorted({f"{shown(member.parts[0])}/" for member in layout.nested if member.parts})
    there += [shown(member.name) for member in layout.root]
    listed = ", ".join(there[:5]) + (" ..." if len(there) > 5 else "") if there else "nothing"
    return problem("no-images", f"there is no image at the root (there is {listed}); put the images there")


def _note_ignored(layout: Layout, suffixes: frozenset[str]) -> list[Finding]:
    others = [
        shown(member.name)
        for member in layout.root
        if not has_image_suffix(member.name, suffixes) and not is_readme(member.name)
    ]
    others += sorted({f"{shown(member.parts[0])}/" for member in layout.nested if member.parts})
    if not others:
        return []
    listed = ", ".join(others[:5]) + (" ..." if len(others) > 5 else "")
    return [note("ignored-file", f"ignored what is no image at the root: {listed}")]
