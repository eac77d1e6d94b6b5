"""The files of a folder: links are followed only within it, and only ordinary files are read.

Of what systems and programs leave behind only the name counts: folders of that kind are not looked into, which may be
large (`.git`) or closed (`lost+found`).
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from raim.errors import shown
from raim.scoring.submission.findings import Finding, problem
from raim.scoring.submission.layout import is_junk
from raim.scoring.submission.limits import Limits
from raim.scoring.submission.member import Listing, Member, find_size_problems, find_total_problems
from raim.scoring.submission.member_names import find_name_problems, split_name


def list_folder(path: Path, limits: Limits, *, allow_links: bool = False) -> Listing:
    """List a folder with everything below it.

    Args:
        path: The folder; it may itself be a link.
        limits: What is refused unread; listing stops at `max_members`.
        allow_links: Whether links to files outside the folder are followed.
    """
    problems: list[Finding] = []
    members: list[Member] = []
    for name in _walk(path, problems):
        if len(members) >= limits.max_members:
            text = (
                f"it holds more than {limits.max_members} files; is {shown(str(path))} the folder you meant?"
            )
            return Listing(problems=(problem("too-many-members", text),))
        members.append(_member(path, name, limits, problems, allow_links=allow_links))
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


def _member(path: Path, name: str, limits: Limits, problems: list[Finding], *, allow_links: bool) -> Member:
    if is_junk(parts := tuple(name.split("/"))):
        return Member(container=path, stored_name=name, parts=parts, n_bytes=0, is_readable=False)
    found = find_name_problems(name)
    n_bytes = 0
    kind_problem = _find_link(path, name, allow_links=allow_links)
    if kind_problem is None:
        n_bytes, kind_problem = _measure(path / name, name)
    found += [kind_problem] if kind_problem else find_size_problems(name, n_bytes, limits)
    problems += found
    return Member(
        container=path,
        stored_name=name,
        parts=split_name(name),
        n_bytes=n_bytes,
        is_readable=not found,
        max_bytes=limits.max_member_bytes,
    )


def _find_link(path: Path, name: str, *, allow_links: bool) -> Finding | None:
    file = path / name
    if not file.is_symlink():
        return None
    if file.is_dir():
        text = f"{shown(name)} is a link to a folder, which is not followed; put the files themselves there"
        return problem("symlink", text, name)
    if allow_links or file.resolve().is_relative_to(path.resolve()):
        return None
    text = f"{shown(name)} is a link to a file outside the folder; put the file itself there"
    return problem("symlink", text, name)


def _measure(file: Path, name: str) -> tuple[int, Finding | None]:
    try:
        status = file.stat()
    except OSError as error:
        return 0, problem("unreadable-file", f"{shown(name)} cannot be read: {error.strerror}", name)
    if not stat.S_ISREG(status.st_mode):
        text = f"{shown(name)} is a device, pipe or socket; only files belong into a submission"
        return 0, problem("special-file", text, name)
    if not os.access(file, os.R_OK):
        return 0, problem("unreadable-file", f"{shown(name)} cannot be read: permission denied", name)
    return status.st_size, None
