"""Fact sheets: what a team states about its method for the report. Source: the appendix of arXiv 2405.09923."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.server.auditing import record_event
from raim.server.database import FactSheet, Member


@dataclass(frozen=True, kw_only=True, slots=True)
class FactSheetField:
    """One field.

    Attributes:
        key: Its name in the database and in exports.
        label: As the form says.
        hint: What is expected.
        is_long: Whether it is a text of several lines.
        is_needed: Whether an award needs it.
    """

    key: str
    label: str
    hint: str = ""
    is_long: bool = False
    is_needed: bool = False


FIELDS = (
    FactSheetField(key="title", label="Title of the method", is_needed=True),
    FactSheetField(
        key="members",
        label="Members",
        hint="One a line, in the order of authors; with the contact's e-mail if you wish",
        is_long=True,
        is_needed=True,
    ),
    FactSheetField(
        key="affiliations",
        label="Affiliations",
        hint="One a line, in the same order",
        is_long=True,
        is_needed=True,
    ),
    FactSheetField(
        key="description",
        label="Description of the method",
        hint="Architecture, losses, training strategy, what is new; Markdown",
        is_long=True,
        is_needed=True,
    ),
    FactSheetField(
        key="training_data",
        label="Training data",
        hint="All data sets, synthetic data and pretrained models",
        is_long=True,
        is_needed=True,
    ),
    FactSheetField(
        key="runtime",
        label="Runtime",
        hint="Seconds per image, at which size, on which device",
        is_needed=True,
    ),
    FactSheetField(key="parameters", label="Number of parameters", hint="In millions"),
    FactSheetField(key="memory", label="Memory", hint="While an image is restored, in GB"),
    FactSheetField(key="code", label="Code", hint="Address of the code or of the trained model"),
    FactSheetField(key="licence", label="Licence of the code"),
    FactSheetField(key="citation", label="To be cited as", is_long=True),
)
KEYS = tuple(each.key for each in FIELDS)


def read_fact_sheet(session: Session, team_id: int) -> dict[str, str]:
    """Return what a team has stated so far; empty texts for the rest."""
    row = session.scalar(select(FactSheet).where(FactSheet.team_id == team_id))
    stated = {} if row is None else row.fields
    return {key: str(stated.get(key, "")) for key in KEYS}


def save_fact_sheet(session: Session, now: datetime, member: Member, stated: Mapping[str, str]) -> FactSheet:
    """Keep what a team states, by `KEYS`; fields that are left out stay as they are."""
    row = session.scalar(select(FactSheet).where(FactSheet.team_id == member.team_id).with_for_update())
    if row is None:
        row = FactSheet(team_id=member.team_id, fields={})
    row.fields = {**row.fields, **{key: text.strip() for key, text in stated.items()}}
    row.updated_at, row.updated_by = now, member.user_id
    session.add(row)
    record_event(session, now, "save fact sheet", row, actor_id=member.user_id)
    return row


def missing_fields(stated: Mapping[str, str]) -> tuple[str, ...]:
    """Return the labels of the fields that an award needs and that are empty.

    Example:
        >>> missing_fields({each.key: "x" for each in FIELDS if each.key != "runtime"})
        ('Runtime',)
    """
    return tuple(each.label for each in FIELDS if each.is_needed and not stated.get(each.key, "").strip())
