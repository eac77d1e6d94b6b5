"""A zip of a whole folder, unpacked to disk without trusting it: as strictly listed as a submission.

Only files of wanted suffixes are written, each whole, below the target; names that lead elsewhere, links, and names
that a file system could take for each other refuse the zip before anything is written.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from raim.data import collision_key
from raim.errors import shown
from raim.scoring.submission.findings import Finding, name_some, note, problem, submission_error
from raim.scoring.submission.layout import lay_out
from raim.scoring.submission.member import DEFAULT_LIMITS, ArchiveMember, Limits
from raim.scoring.submission.zip_listing import list_zip

OnFile = Callable[[int, int], None]


def unpack_folder(
    path: Path,
    target: Path,
    *,
    suffixes: Collection[str],
    label: str = "the zip",
    limits: Limits = DEFAULT_LIMITS,
    free_bytes: int | None = None,
    on_file: OnFile = lambda _done, _total: None,
) -> tuple[str, ...]:
    """Unpack a zip into a folder that is not there yet; one common parent folder is taken off.

    Args:
        path: The zip.
        target: The folder to be made.
        suffixes: Of the files that are wanted, in lower case; others are ignored with a note.
        label: What messages call the zip.
        limits: What is refused unread.
        free_bytes: How much may be written; None for as much as there is.
        on_file: Called with (files written, files in all).

    Returns:
        What was ignored or taken off.

    Raises:
        SubmissionError: Something in it is unsafe, ambiguous or damaged; all problems are listed.
        OSError: A file cannot be read or written.
    """
    listing = list_zip(path, limits)
    layout = lay_out(listing.members)
    members = (*layout.root, *layout.nested)
    is_wanted: dict[bool, list[ArchiveMember]] = {True: [], False: []}
    for each in members:
        is_wanted[Path(each.name).suffix.lower() in suffixes].append(each)
    wanted, others = is_wanted[True], [each.stored_name for each in is_wanted[False]]
    problems = [*listing.all_problems, *layout.problems, *_find_files_as_folders(members)]
    n_bytes = sum(each.n_bytes for each in wanted)
    if free_bytes is not None and n_bytes > free_bytes:
        text = (
            f"its files have {n_bytes} bytes, the server has room for {free_bytes}; its administrators have to make "
            "room"
        )
        problems.append(problem("archive-too-large", text))
    if problems:
        raise submission_error(label, problems)
    target.mkdir(parents=True)
    for done, member in enumerate(wanted):
        on_file(done, len(wanted))
        file = target.joinpath(*member.parts)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(member.read_bytes())
    ignored = (
        [note("ignored-file", f"ignored what no challenge needs: {name_some(others)}")] if others else []
    )
    return tuple(each.message for each in (*layout.notes, *ignored))


def _find_files_as_folders(members: Collection[ArchiveMember]) -> list[Finding]:
    """Find members that are a file by their own name and a folder by that of another."""
    files = {collision_key("/".join(each.parts)) for each in members}
    found = [
        each.stored_name
        for each in members
        if any(collision_key("/".join(each.parts[:n])) in files for n in range(1, len(each.parts)))
    ]
    if not found:
        return []
    text = f"{shown(found[0])} lies in a folder that is a file too; make the zip again"
    return [problem("colliding-names", text, found[0])]
