"""The files of a submission, zip or folder alike, listed without trusting any; its images by stem.

In a folder links are followed only within it, and only ordinary files are read. Of what systems and programs leave
behind only the name counts: folders of that kind are not looked into, which may be large (`.git`) or closed
(`lost+found`).
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from raim.data import IMAGE_SUFFIXES, collision_key, has_image_suffix
from raim.errors import InputError, shown
from raim.scoring.submission.findings import Finding, name_some, note, problem, submission_error
from raim.scoring.submission.layout import Layout, find_member_collisions, is_junk, lay_out
from raim.scoring.submission.member import (
    DEFAULT_LIMITS,
    ArchiveMember,
    Limits,
    Listing,
    find_size_problems,
    find_total_problems,
)
from raim.scoring.submission.member_names import find_name_problems, split_name
from raim.scoring.submission.readme import is_readme
from raim.scoring.submission.zip_listing import list_zip

# Problems of one file that refuse all of a zip: whoever packed it meant no good, or no program reads it as another.
UNSAFE = frozenset(
    {"path-traversal", "absolute-path", "backslash", "empty-name", "header-mismatch", "damaged-member"}
)


def list_submission(path: Path, *, limits: Limits = DEFAULT_LIMITS, allow_links: bool = False) -> Listing:
    """List a zip or a folder: every member that can be made out, and every problem; hostile content never raises."""
    if path.is_dir():
        return _list_folder(path, limits, allow_links=allow_links)
    try:
        return list_zip(path, limits)
    except FileNotFoundError as error:
        raise InputError(
            f"there is no file or folder {path}; expected a zip or a folder of images"
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _list_folder(path: Path, limits: Limits, *, allow_links: bool) -> Listing:
    problems: list[Finding] = []
    members: list[ArchiveMember] = []
    for name in _walk(path, problems):
        if len(members) >= limits.max_members:
            text = (
                f"it holds more than {limits.max_members} files; is {shown(str(path))} the folder you meant?"
            )
            return Listing(problems=(problem("too-many-members", text),))
        members.append(_list_file(path, name, limits, allow_links=allow_links))
    problems += find_total_problems(sum(member.n_bytes for member in members), limits)
    return Listing(members=tuple(members), problems=tuple(problems))


def _walk(path: Path, problems: list[Finding]) -> Iterator[str]:
    """Return the path of every file, and of junk folders their own, relative to the folder, with forward slashes."""

    def refuse(error: OSError) -> None:
        text = f"the folder {shown(str(error.filename))} cannot be read: {error.strerror}"
        problems.append(problem("unreadable-file", text, str(error.filename)))

    for folder, below, files in os.walk(path, onerror=refuse):
        here = Path(folder)
        junk = [name for name in below if is_junk((name, ""))]
        below[:] = sorted(set(below) - set(junk))
        # os.walk does not descend into linked folders; they are listed so that they are refused by name.
        linked = [name for name in below if (here / name).is_symlink()]
        for name in sorted([*files, *linked]):
            yield (here / name).relative_to(path).as_posix()
        for name in sorted(junk):
            yield f"{(here / name).relative_to(path).as_posix()}/"


def _list_file(path: Path, name: str, limits: Limits, *, allow_links: bool) -> ArchiveMember:
    if is_junk(parts := tuple(name.split("/"))):
        return ArchiveMember(container=path, stored_name=name, parts=parts, n_bytes=0)
    n_bytes, found = 0, _find_link(path, name, allow_links=allow_links)
    if not found:
        n_bytes, found = _measure(path / name, name)
    problems = (*find_name_problems(name), *(found or find_size_problems(name, n_bytes, limits)))
    return ArchiveMember(
        container=path, stored_name=name, parts=split_name(name), n_bytes=n_bytes, problems=problems
    )


def _find_link(path: Path, name: str, *, allow_links: bool) -> list[Finding]:
    file = path / name
    if not file.is_symlink():
        return []
    if file.is_dir():
        text = f"{shown(name)} is a link to a folder, which is not followed; put the files themselves there"
    elif allow_links or file.resolve().is_relative_to(path.resolve()):
        return []
    else:
        text = f"{shown(name)} is a link to a file outside the folder; put the file itself there"
    return [problem("symlink", text, name)]


def _measure(file: Path, name: str) -> tuple[int, list[Finding]]:
    try:
        status = file.stat()
    except OSError as error:
        return 0, [problem("unreadable-file", f"{shown(name)} cannot be read: {error.strerror}", name)]
    if not stat.S_ISREG(status.st_mode):
        text = f"{shown(name)} is a device, pipe or socket; only files belong into a submission"
        return 0, [problem("special-file", text, name)]
    if not os.access(file, os.R_OK):
        return 0, [problem("unreadable-file", f"{shown(name)} cannot be read: permission denied", name)]
    return status.st_size, []


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ImageFolder(Mapping[str, ArchiveMember]):
    """The images at the root of a folder or a zip, by stem (in NFC), sorted.

    It holds no open file and can be sent to worker processes.

    Attributes:
        path: The folder or the zip.
        members: The images by stem.
        notes: What was ignored or taken off.
    """

    path: Path
    members: dict[str, ArchiveMember]
    notes: tuple[Finding, ...] = ()

    def __getitem__(self, stem: str) -> ArchiveMember:
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


def _refuse_alike(images: Sequence[ArchiveMember]) -> list[ArchiveMember]:
    """Refuse images that could be taken for each other, and name all that are refused so that it can be printed."""
    groups: dict[str, list[ArchiveMember]] = {}
    for member in images:
        groups.setdefault(collision_key(member.stem), []).append(member)
    found = []
    for group in groups.values():
        alike = find_member_collisions(group) if len(group) > 1 else ()
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
