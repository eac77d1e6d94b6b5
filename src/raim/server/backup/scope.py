"""Which rows are one challenge's, by what the tables refer to: a new table needs no line here.

A row is of a challenge if its first reference that is always there leads to one: vote, trial, judge, study, challenge.
People are the server's; whom a row of the challenge names goes with it, and what they wish of mail.
"""

from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, case, false, func, or_, select, true, union

from raim.server.database import (
    ApiToken,
    AuditEvent,
    Base,
    Challenge,
    ChallengeUpload,
    Image,
    Judge,
    LoginAttempt,
    LoginSession,
    Mail,
    MailRefusal,
    MailService,
    OneUseLink,
    RequestRate,
    ServerFolder,
    Submission,
    User,
    WorkerHeartbeat,
)

# Logins and links end with the server that made them; workers and folder tell of themselves again; what waited may have
# gone; who asks how often is nobody's business later.
LEFT_OUT = frozenset(
    each.__tablename__
    for each in (LoginSession, Mail, MailService, OneUseLink, RequestRate, ServerFolder, WorkerHeartbeat)
)
# What opens an account on its server: nothing that lets anybody into one goes elsewhere but a password's hash. How a
# challenge came to its server is that one's, too.
OF_SERVER = LEFT_OUT | {ApiToken.__tablename__, LoginAttempt.__tablename__, ChallengeUpload.__tablename__}
CHALLENGE_TABLES, PEOPLE, JUDGES, REFUSALS, IMAGES, SUBMISSIONS, EVENTS = (
    Base.metadata.tables[each.__tablename__]
    for each in (Challenge, User, Judge, MailRefusal, Image, Submission, AuditEvent)
)


def list_tables(challenge_id: int | None) -> list[Table]:
    """Return the tables of a backup, those that others refer to first; of one challenge, or of all (None)."""
    left_out = LEFT_OUT if challenge_id is None else OF_SERVER
    return [table for table in Base.metadata.sorted_tables if table.name not in left_out]


def select_rows(table: Table, challenge_id: int | None) -> Select[Any]:
    """Select the rows of a table in the order of their keys; people lose where else they have registered."""
    columns: list[ColumnElement[Any]] = list(table.columns)
    if table is PEOPLE and challenge_id is not None:
        elsewhere = PEOPLE.c.registered_in
        columns = [
            case((each == challenge_id, each)).label(each.name) if each is elsewhere else each
            for each in columns
        ]
    return select(*columns).where(is_of(table, challenge_id)).order_by(*table.primary_key.columns)


def is_of(table: Table, challenge_id: int | None) -> ColumnElement[bool]:
    """Return the condition that a row of a table is of a challenge; that of any row for None."""
    if challenge_id is None:
        return true()
    if table is CHALLENGE_TABLES:
        return CHALLENGE_TABLES.c.id == challenge_id
    if table is PEOPLE:
        return or_(PEOPLE.c.registered_in == challenge_id, PEOPLE.c.id.in_(_named_people(challenge_id)))
    column = _way(table)
    if column is None:
        return false()
    target = references(table)[column]
    found = column.in_(select(target.c.id).where(is_of(target, challenge_id)))
    if table is REFUSALS:  # judges have no account
        addresses = select(func.lower(JUDGES.c.email)).where(is_of(JUDGES, challenge_id))
        return found | REFUSALS.c.address.in_(addresses)
    return found


@cache
def references(table: Table) -> dict["Column[Any]", Table]:
    """Return the columns that refer to a table, with that one."""
    return {key.parent: key.column.table for column in table.columns for key in column.foreign_keys}


def _named_people(challenge_id: int) -> Any:
    found = []
    for table in list_tables(challenge_id):
        way = _way(table)
        if way is not None and references(table)[way] is not PEOPLE:
            columns = [column for column, target in references(table).items() if target is PEOPLE]
            found += [select(each).where(is_of(table, challenge_id), each.is_not(None)) for each in columns]
    return union(*found)


@cache
def _way(table: Table) -> "Column[Any] | None":
    """Return the column by which a row is of a challenge, or of a person alone; None for what is neither's."""
    found = [
        (target is PEOPLE, bool(column.nullable), number, column)
        for number, (column, target) in enumerate(references(table).items())
        if target is not table and (target in (CHALLENGE_TABLES, PEOPLE) or _way(target) is not None)
    ]
    return min(found)[3] if found else None
