"""The files of a submission, zip or folder alike, listed without trusting any of them.

In a folder links are followed only within it, and only ordinary files are read. Of what systems and programs leave
behind only the name counts: folders of that kind are not looked into, which may be large (`.git`) or closed
(`lost+found`).
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from raim.errors import InputError, shown
from raim.scoring.submission.findings import Finding, problem
from raim.scoring.submission.layout import is_junk
from raim.scoring.submission.limits import DEFAULT_LIMITS, Limits
from raim.scoring.submission.member import Listing, Member, find_size_problems, find_total_problems
from raim.scoring.submission.member_names import find_name_problems, split_name
from raim.scoring.submission.zip_listing import list_zip


def list_submission(path: Path, *, limits: Limits = DEFAULT_LIMITS, allow_links: bool = False) -> Listing:
    """List a zip or a folder: every member that can be made out, and every problem; hostile content never raises.

    Args:
        path: The zip or the folder.
        limits: What is refused unread.
        allow_links: Whether a folder's links to files elsewhere are followed: for folders that the reader owns.

    Raises:
        InputError: There is nothing at that path, or it cannot be opened.
    """
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
    members: list[Member] = []
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


def _list_file(path: Path, name: str, limits: Limits, *, allow_links: bool) -> Member:
    if is_junk(parts := tuple(name.split("/"))):
        return Member(container=path, stored_name=name, parts=parts, n_bytes=0)
    n_bytes, found = 0, _find_link(path, name, allow_links=allow_links)
    if not found:
        n_bytes, found = _measure(path / name, name)
    problems = (*find_name_problems(name), *(found or find_size_problems(name, n_bytes, limits)))
    return Member(
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
