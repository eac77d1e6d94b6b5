"""What the desk's forms and addresses hold: numbers of rows, texts, boxes to tick."""

from typing import Annotated, TypeVar

from fastapi import Form, Path, Query
from pydantic import AfterValidator
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.server.database import Base
from raim.server.database.columns import LARGEST_ID

LONGEST = 30_000


def clean_text(text: str) -> str:
    r"""Give a text with line ends as the database keeps them.

    Raises:
        ValueError: It has a character that a database cannot keep.

    Example:
        >>> clean_text("one\r\ntwo")
        'one\ntwo'
    """
    if "\0" in text:
        raise ValueError("the character NUL cannot be kept; delete it")
    return text.replace("\r\n", "\n")


Row = TypeVar("Row", bound=Base)
RowId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Slug = Annotated[str, Path(max_length=80)]
Text = Annotated[str, Form(max_length=LONGEST), AfterValidator(clean_text)]
Number = Annotated[int, Form(ge=1, le=LARGEST_ID)]
Ticked = Annotated[bool, Form()]
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
