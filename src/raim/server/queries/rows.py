"""Rows that are asked for by their numbers."""

from typing import TypeVar

from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.server.database import Base

Row = TypeVar("Row", bound=Base)


def find_row(session: Session, table: type[Row], row_id: int, what: str, **part_of: int) -> Row:
    """Return a row; `part_of` says what it has to belong to, such as `challenge_id=1`.

    Raises:
        UnknownNameError: There is none of that number there.
    """
    row = session.get(table, row_id)
    if row is None or any(getattr(row, name) != number for name, number in part_of.items()):
        raise UnknownNameError(f"there is no {what} {row_id}")
    return row
