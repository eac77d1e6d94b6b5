"""Exports: one zip with everything, and each table alone; sent while they are read."""

from collections.abc import Callable, Iterator

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response, StreamingResponse

from raim.errors import unknown_name
from raim.server.auditing import record_event
from raim.server.contest.export_formats import csv_pieces, json_pieces
from raim.server.contest.exports import export_all, export_tables, find_table
from raim.server.web.context import Admitted, Context
from raim.server.web.fields import Slug
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
EVERYTHING = "everything.zip"
FORMATS = {"csv": ("text/csv; charset=utf-8", csv_pieces), "json": ("application/json", json_pieces)}
GATHER_CHARACTERS = 2**16
Write = Callable[[Session], Iterator[bytes]]


@router.get("/desk/exports", name="desk.exports")
def show_exports(context: Admitted) -> Response:
    """Show what can be downloaded."""
    with context.server.database.reading() as session:
        tables = export_tables(session, context.contest, context.server.profile)
    return render(context, "desk_exports.html.jinja", tables=tables, everything=EVERYTHING)


@router.get("/desk/exports/{table}", name="desk.export")
def give_export(context: Admitted, table: Slug) -> Response:
    """Give everything as a zip, or a table as CSV or JSON."""
    return export(context, table)


def export(context: Context, name: str) -> Response:
    """Give everything as a zip, or a table as CSV or JSON: "everything.zip", "teams.csv", "teams.json", ...

    Raises:
        UnknownNameError: There is no such file.
    """
    media_type, write = _find(context, name)
    with context.server.database.writing() as session:
        record_event(
            session,
            context.now,
            "export",
            actor_id=context.user_id,
            subject="challenge",
            subject_id=context.contest.id,
            details={"file": name},
        )
    headers = {"Content-Disposition": f'attachment; filename="{context.contest.challenge.id}-{name}"'}
    return StreamingResponse(_read(context, write), media_type=media_type, headers=headers)


def _find(context: Context, name: str) -> tuple[str, Write]:
    if name == EVERYTHING:
        return "application/zip", lambda session: export_all(
            export_tables(session, context.contest, context.server.profile), context.contest, context.now
        )
    table, _, suffix = name.rpartition(".")
    if suffix not in FORMATS:
        raise unknown_name("form of an export", suffix, [*FORMATS, "zip"])
    media_type, pieces = FORMATS[suffix]
    with context.server.database.reading() as session:
        find_table(export_tables(session, context.contest, context.server.profile), table)

    def write(session: Session) -> Iterator[bytes]:
        found = find_table(export_tables(session, context.contest, context.server.profile), table)
        return _gather(pieces(found))

    return media_type, write


def _gather(pieces: Iterator[str]) -> Iterator[bytes]:
    """Join small pieces: each that is sent costs a turn of the server."""
    held: list[str] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length >= GATHER_CHARACTERS:
            yield "".join(held).encode()
            held, length = [], 0
    yield "".join(held).encode()


def _read(context: Context, write: Write) -> Iterator[bytes]:
    with context.server.database.reading() as session:
        yield from write(session)
