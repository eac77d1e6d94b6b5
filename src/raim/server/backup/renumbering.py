"""A challenge's rows, from the database of its backup into another server's, in the caller's session, with new numbers.

Every reference follows, also in JSON, where a row's number stands under its table's name (`team_id`, `team_ids`) or
that of a column which refers to it. Numbers in texts stay.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, count
from typing import Any

from sqlalchemy import JSON, Column, Connection, Table, func, insert, select
from sqlalchemy.orm import Session

from raim.server.actions.accounts import name_key
from raim.server.backup.scope import (
    CHALLENGE_TABLES,
    EVENTS,
    PEOPLE,
    REFUSALS,
    list_tables,
    references,
    select_rows,
)
from raim.server.backup.tables import ROWS_AT_ONCE, Row, batches, put_in_order
from raim.server.database import Base, MailRefusal, User
from raim.server.database.engine import ACCOUNTS_LOCK, take_turn

Numbers = dict[str, dict[int, int]]  # of each table: what a row's number has become
LONGEST_STEM = 70


@dataclass(frozen=True, kw_only=True, slots=True)
class People:
    """Who comes along.

    Attributes:
        joined: Numbers of those who have an account here, with that one's.
        new: The rows of the others, as they become.
        notes: Whose login is another one here, and who runs the server no more.
    """

    joined: Mapping[int, int]
    new: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """A challenge that is here now: the number of its row, how many rows came with it, and its people."""

    id: int
    n_rows: int
    people: People


def bring_rows(source: Connection, session: Session, challenge_id: int) -> Arrived:
    """Bring a challenge's rows into a server's database; `challenge_id` is its number in `source`.

    Raises:
        SQLAlchemyError: They do not fit what is there.
    """
    tables = list_tables(challenge_id)
    people = People(joined={}, new=(), notes=())
    chosen: dict[str, Sequence[Row]] = {}
    numbers: Numbers = {}
    for table in tables:
        (key,) = table.primary_key.columns
        if table is PEOPLE:
            people = _settle(session, _read(source, table, challenge_id))
            chosen[table.name] = people.new
        elif table is REFUSALS:
            chosen[table.name] = _list_new_refusals(session, _read(source, table, challenge_id), people)
        if table.name in chosen:
            old: Sequence[int] = [row[key.name] for row in chosen[table.name]]
        else:
            old = source.scalars(select_rows(table, challenge_id).with_only_columns(key)).all()
        numbers[table.name] = dict(zip(old, _take_numbers(session, key, len(old)), strict=True))
    n_rows = sum(map(len, numbers.values()))  # before those who have joined
    numbers[PEOPLE.name] |= people.joined
    for table in tables:
        rows = chosen[table.name] if table.name in chosen else _read(source, table, challenge_id)
        if any(target is table for target in references(table).values()):
            rows = put_in_order(list(rows), table)
        renumber = _renumbering(table, numbers)
        for batch in batches(rows):
            session.connection().execute(insert(table), [renumber(row) for row in batch])
    return Arrived(id=numbers[CHALLENGE_TABLES.name][challenge_id], n_rows=n_rows, people=people)


def _read(source: Connection, table: Table, challenge_id: int) -> Iterable[Row]:
    found = select_rows(table, challenge_id).execution_options(yield_per=ROWS_AT_ONCE)
    return map(dict, source.execute(found).mappings())


def _take_numbers(session: Session, key: "Column[Any]", n_rows: int) -> Sequence[int]:
    """Take numbers that no other row has or will have; on SQLite nobody else writes meanwhile."""
    if session.get_bind().dialect.name == "sqlite":
        first = (session.scalar(select(func.max(key))) or 0) + 1
        return range(first, first + n_rows)
    sequence = func.pg_get_serial_sequence(key.table.name, key.name)
    return session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, n_rows))).all()


def _settle(session: Session, rows: Iterable[Row]) -> People:
    """Find the account here of everybody whose verified address one has; the others get one with their password.

    Two accounts never become one. Whose login somebody else has gets another; nobody runs this server by it.
    """
    take_turn(session, ACCOUNTS_LOCK)
    taken: set[str] = set()
    free: dict[str, list[Any]] = {}
    columns = (User.id, User.login, User.login_key, User.email, User.email_verified_at)
    for each in session.execute(select(*columns).order_by(User.id)):
        taken.add(each.login_key)
        if each.email_verified_at is not None:
            free.setdefault(_address(each.email), []).append(each)
    joined, new, notes = {}, [], []
    for row in rows:
        login, key = row["login"], name_key(row["login"])
        same = free.get(_address(row["email"]), []) if row["email_verified_at"] is not None else []
        if same:
            own = min(same, key=lambda each: each.login_key != key)
            same.remove(own)
            joined[row["id"]] = own.id
            if own.login_key != key:
                notes.append(f"{login} of the backup is {own.login} here: their verified address is one")
        else:
            names = (f"{login[:LONGEST_STEM]}-{number}" for number in count(2))
            given = next(name for name in chain([login], names) if name_key(name) not in taken)
            taken.add(name_key(given))
            no_more = dict.fromkeys(("is_administrator", "may_make_challenges"), False)
            new.append({**row, "login": given, "login_key": name_key(given), **no_more})
            if given != login:
                notes.append(f"the login {login} is somebody else's here; {login} of the backup has {given}")
        if row["is_administrator"]:
            notes.append(f"{login} ran the server of the backup, and holds no office here by that")
    return People(joined=joined, new=tuple(new), notes=tuple(notes))


def _address(email: str | None) -> str:
    return (email or "").lower()


def _list_new_refusals(session: Session, rows: Iterable[Row], people: People) -> list[Row]:
    """Leave out what people wish who have an account here, and what an address has said here already."""
    said = set(map(tuple, session.execute(select(MailRefusal.address, MailRefusal.kind))))
    return [
        row
        for row in rows
        if row["user_id"] not in people.joined
        and (row["address"] is None or (row["address"], row["kind"]) not in said)
    ]


def _renumbering(table: Table, numbers: Numbers) -> Callable[[Row], Row]:
    """Make what gives a row the numbers of here; None for what has not come along."""
    (key,) = table.primary_key.columns
    own = numbers[table.name]
    plans = {column.name: numbers.get(target.name, {}) for column, target in references(table).items()}
    plain = [column.name for column in table.columns if isinstance(column.type, JSON)]

    def renumber(row: Row) -> Row:
        changed = {name: known.get(row[name]) for name, known in plans.items()}
        changed |= {name: _renumber_plain(row[name], numbers) for name in plain}
        if table is EVENTS:
            changed["subject_id"] = numbers.get(row["subject"], {}).get(row["subject_id"])
        return {**row, **changed, key.name: own[row[key.name]]}

    return renumber


def _renumber_plain(value: Any, numbers: Numbers, name: str = "") -> Any:
    """Return JSON with the numbers of here; `name`: under which it stands."""
    if isinstance(value, dict):
        return {key: _renumber_plain(each, numbers, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_renumber_plain(each, numbers, name) for each in value]
    if type(value) is int and name in _names():
        return numbers.get(_names()[name], {}).get(value)
    return value


@cache
def _names() -> dict[str, str]:
    """Return the names under which JSON has numbers of rows, with their tables."""
    found = {f"{table.name}_id": table.name for table in Base.metadata.sorted_tables}
    for table in Base.metadata.sorted_tables:
        found |= {column.name: target.name for column, target in references(table).items()}
    return found | {f"{name}s": target for name, target in found.items()}
