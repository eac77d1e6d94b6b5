"""Reading votes from whatever file they are in: a study's JSON, an archive, tables of votes, filled-in sheets."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from raim.errors import InputError
from raim.study.files.archive import LARGEST_ARCHIVE, read_archive
from raim.study.files.document import StudyDocument, parse_document
from raim.study.files.gathering import gather_votes
from raim.study.files.plan import StudyPlan, parse_plan
from raim.study.files.problems import votes_error
from raim.study.files.votes_reading import VoteTable, read_vote_rows
from raim.tables import find_workbook

ZIP = b"PK"


def read_study_files(
    paths: Sequence[Path],
    *,
    plan: StudyPlan | None = None,
    mode: str | None = None,
    points: tuple[int, ...] | None = None,
) -> StudyDocument:
    """Read the votes of a study.

    Args:
        paths: One study.json or archive, or any number of tables of votes.
        plan: Of the study, for tables; it tells what they do not say.
        mode: For tables, what a judge did in a trial.
        points: For tables, the points of the picks.

    Raises:
        InputError: A file cannot be read.
        VotesError: It has problems; all of all files are listed.
    """
    contents = {path: _read(path) for path in paths}
    whole = [path for path, data in contents.items() if _is_whole(data)]
    if whole:
        if len(paths) > 1:
            raise InputError(f"{whole[0]} is a whole study; read it alone, only tables of votes are joined")
        name, data = str(whole[0]), contents[whole[0]]
        return (
            read_archive(data, file_name=name)
            if data.startswith(ZIP)
            else parse_document(_decode(data, name), file_name=name)
        )
    problems: list[str] = []
    tables = [table for path, data in contents.items() for table in _read_table(path, data, problems)]
    document = gather_votes(tables, problems, plan=plan, mode=mode, points=points)
    if document is None or problems:
        notes = [f"note: {note}" for table in tables for note in table.notes]
        raise votes_error(str(paths[0]) if len(paths) == 1 else "the tables of votes", [*problems, *notes])
    return document


def _read_table(path: Path, content: bytes, problems: list[str]) -> Iterator[VoteTable]:
    try:
        yield read_vote_rows(content, str(path), problems)
    except InputError as error:
        problems.append(str(error))


def read_plan(path: Path) -> StudyPlan:
    """Read a plan.

    Raises:
        InputError: It cannot be read.
        VotesError: It is none.
    """
    return parse_plan(_decode(_read(path), str(path)), file_name=str(path))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_ARCHIVE:
            raise InputError(f"{path} is larger than {LARGEST_ARCHIVE // 2**20} MiB; it holds no votes")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _is_whole(data: bytes) -> bool:
    is_archive = data.startswith(ZIP) and not find_workbook(data)
    return is_archive or data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise votes_error(name, [f"it is not UTF-8 (byte {error.start}); save it as CSV in UTF-8"]) from error
