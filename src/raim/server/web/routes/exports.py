"""Exports: one zip with everything, and each table alone; sent while they are read."""

from collections.abc import Callable, Iterator

from sqlalchemy.orm import Session
from starlette.responses import Response, StreamingResponse

from raim.errors import unknown_name
from raim.records.desk import ExportFile, ExportList
from raim.server.auditing import record_event
from raim.server.database import Challenge
from raim.server.export_table import ExportTable, csv_pieces, json_pieces
from raim.server.queries.exports import export_all, export_tables, find_table
from raim.server.web.context import RequestContext
from raim.server.web.fields import Slug
from raim.server.web.routing import Area

area = Area("desk")
EVERYTHING = "everything.zip"
FORMATS = {"csv": ("text/csv; charset=utf-8", csv_pieces), "json": ("application/json", json_pieces)}
GATHER_CHARACTERS = 2**16
Write = Callable[[Session], Iterator[bytes]]


@area.get("/desk/exports", who="organiser", template="desk_exports")
def list_exports(context: RequestContext) -> ExportList:
    """Return what can be downloaded."""
    tables = _tables(context, context.session)
    return ExportList(
        everything=EVERYTHING, tables=[ExportFile(name=each.name, title=each.title) for each in tables]
    )


@area.get("/desk/exports/{table}", who="organiser", is_page=True)
def give_export(context: RequestContext, table: Slug) -> Response:
    """Return everything.zip, or a table as CSV or JSON, such as teams.csv or results.json."""
    media_type, write = _find(context, table)
    context.aside(_note, context, table)
    headers = {"Content-Disposition": f'attachment; filename="{context.challenge.definition.id}-{table}"'}
    return StreamingResponse(_read(context, write), media_type=media_type, headers=headers)


def _find(context: RequestContext, name: str) -> tuple[str, Write]:
    if name == EVERYTHING:
        return "application/zip", lambda session: export_all(
            _tables(context, session), context.challenge, context.now
        )
    table, _, suffix = name.rpartition(".")
    if suffix not in FORMATS:
        raise unknown_name("form of an export", suffix, [*FORMATS, "zip"])
    media_type, pieces = FORMATS[suffix]
    find_table(_tables(context, context.session), table)
    return media_type, lambda session: _gather(pieces(find_table(_tables(context, session), table)))


def _tables(context: RequestContext, session: Session) -> tuple[ExportTable, ...]:
    return export_tables(session, context.challenge, context.challenge.profile)


def _note(context: RequestContext, name: str) -> None:
    with context.server.database.writing() as session:
        row = session.get_one(Challenge, context.challenge.id)
        record_event(session, context.now, "export", row, actor_id=context.user_id, file=name)


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


def _read(context: RequestContext, write: Write) -> Iterator[bytes]:
    with context.server.database.reading() as session:
        yield from write(session)
