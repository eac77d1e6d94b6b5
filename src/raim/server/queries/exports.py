"""Everything as tables, for reports and archives: no hash of a password or a token is in any of them."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import as_plain
from raim.errors import unknown_name
from raim.records.leaderboard import Line
from raim.scoring.profiles import Profile
from raim.server.actions.fact_sheets import KEYS
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import EntryResult, FactSheet, Submission, Team
from raim.server.export_table import ExportTable, csv_pieces, json_pieces, zip_pieces
from raim.server.queries.export_tables import audit_table, entry_tables, people_tables, text_tables
from raim.server.standings import make_standings


def export_tables(session: Session, challenge: CurrentChallenge, profile: Profile) -> tuple[ExportTable, ...]:
    """Return all tables; their rows are read while they are sent, so the session has to stay open.

    All show the same moment where the database keeps one for a transaction.
    """
    measures = _measures(session, challenge, profile)
    return (
        *people_tables(session, challenge),
        *entry_tables(session, challenge, measures),
        _leaderboards(session, challenge, profile, measures),
        *text_tables(session, challenge),
        _fact_sheets(session, challenge),
        audit_table(session, challenge),
    )


def find_table(tables: tuple[ExportTable, ...], name: str) -> ExportTable:
    """Return the table of that name.

    Raises:
        UnknownNameError: There is none; the nearest is named.
    """
    for each in tables:
        if each.name == name:
            return each
    raise unknown_name("table to export", name, [each.name for each in tables])


def export_all(
    tables: tuple[ExportTable, ...], challenge: CurrentChallenge, now: datetime
) -> Iterator[bytes]:
    """Return one zip: each table as CSV and as JSON, and what challenge.toml says with the dates in force."""
    return zip_pieces(_files(tables, challenge), now)


def _files(
    tables: tuple[ExportTable, ...], challenge: CurrentChallenge
) -> Iterator[tuple[str, Iterator[str]]]:
    definition = json.dumps(as_plain(challenge.definition), indent=1, ensure_ascii=False)
    yield "challenge.json", iter([definition])
    for table in tables:
        yield f"{table.name}.csv", csv_pieces(table)
        yield f"{table.name}.json", json_pieces(table)


def _measures(session: Session, challenge: CurrentChallenge, profile: Profile) -> tuple[str, ...]:
    """Return the measures of the profile, then those that only earlier versions had."""
    own = [name for name in profile.columns if name != "score"]
    found = session.scalars(
        select(EntryResult.measures)
        .join(Submission, Submission.id == EntryResult.submission_id)
        .where(Submission.phase_id.in_(challenge.phase_ids.values()))
    )
    earlier = {name for values in found for name in values} - set(own)
    return (*own, *sorted(earlier))


def _leaderboards(
    session: Session, challenge: CurrentChallenge, profile: Profile, measures: tuple[str, ...]
) -> ExportTable:
    def read() -> Iterator[tuple[Any, ...]]:
        for phase in challenge.definition.phases:
            if phase.scored is None:
                continue
            for each in make_standings(session, challenge, phase, profile).rows:
                yield (phase.id, *(each.value(name) for name in columns))

    columns = tuple(column.name for column in Line.columns(measures))
    return ExportTable(
        name="leaderboards",
        title="Every leaderboard under the versions in force",
        columns=("phase", *columns),
        read=read,
    )


def _fact_sheets(session: Session, challenge: CurrentChallenge) -> ExportTable:
    def read() -> Iterator[tuple[Any, ...]]:
        rows = session.execute(
            select(Team.name, FactSheet.updated_at, FactSheet.fields)
            .join(Team, Team.id == FactSheet.team_id)
            .where(Team.challenge_id == challenge.id)
            .order_by(Team.id)
        )
        for team, updated_at, stated in rows:
            yield (team, updated_at, *(stated.get(key, "") for key in KEYS))

    columns = ("team", "updated_at", *KEYS)
    return ExportTable(
        name="fact_sheets", title="What teams state about their methods", columns=columns, read=read
    )
