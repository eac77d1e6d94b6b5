"""What addresses hold: numbers of rows, names, texts to search for, pages."""

from typing import Annotated, TypeVar

from fastapi import Path, Query
from pydantic import AfterValidator
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.records.record import clean_text
from raim.server.database import Base
from raim.server.database.columns import LARGEST_ID

Row = TypeVar("Row", bound=Base)
RowId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Slug = Annotated[str, Path(max_length=80)]
Search = Annotated[str, Query(max_length=200), AfterValidator(clean_text)]
Page = Annotated[int, Query(ge=1, le=1_000_000)]


def find_row(session: Session, table: type[Row], row_id: int, what: str) -> Row:
    """Give a row.

    Raises:
        UnknownNameError: There is none of that number.
    """
    row = session.get(table, row_id)
    if row is None:
        raise UnknownNameError(f"there is no {what} {row_id}")
    return row
