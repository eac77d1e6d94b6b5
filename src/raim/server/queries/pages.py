"""Long lists, a page at a time; a page goes on from a row, so that the last page takes no longer than the first."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, func
from sqlalchemy.orm import Session

from raim.errors import InputError
from raim.records.record import LARGEST_ID

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class ListPart:
    """A part of a list.

    Attributes:
        rows: Of this page.
        n_rows: In all.
        previous_page: What to ask for to have the page before; "" for the first.
        next_page: The same of the page after; "" for the last.
    """

    rows: list[Any]
    n_rows: int
    previous_page: str
    next_page: str

    @property
    def place(self) -> dict[str, Any]:
        """What a record of the list says of it."""
        return {"n_rows": self.n_rows, "previous_page": self.previous_page, "next_page": self.next_page}


def read_part(
    session: Session, found: Any, page: str, *, by: Any, is_descending: bool = True, per_page: int = PER_PAGE
) -> ListPart:
    """Read one page of a query without an order; one query counts, one reads.

    Args:
        session: Any.
        found: The query.
        page: "after.KEY" or "before.KEY", as a page of the list says, or "" for the first.
        by: Column of the order, whose values differ.
        is_descending: Whether the largest comes first.
        per_page: How many rows at most.

    Raises:
        InputError: The page is none of this list.
    """
    way, _, word = page.partition(".")
    is_back = way == "before"
    goes_up = is_descending == is_back
    shown = found.add_columns(by.label("key_of_page"))
    if page:
        key = _read_key(word, by)
        shown = shown.where(by > key if goes_up else by < key)
    rows = session.execute(shown.order_by(by if goes_up else by.desc()).limit(per_page + 1)).all()
    has_more = len(rows) > per_page
    if is_back and not has_more:  # the first page, which is to be whole
        return read_part(session, found, "", by=by, is_descending=is_descending, per_page=per_page)
    listed = rows[:per_page][::-1] if is_back else rows[:per_page]
    counted = found.with_only_columns(func.count(), maintain_column_froms=True)
    return ListPart(
        rows=[row[:-1] for row in listed],
        n_rows=session.scalar(counted) or 0,
        previous_page=f"before.{listed[0][-1]}" if listed and page else "",
        next_page=f"after.{listed[-1][-1]}" if listed and (has_more or is_back) else "",
    )


def _read_key(word: str, by: Any) -> str | int:
    if not isinstance(by.type, Integer):
        return word
    if not (word.isascii() and word.isdecimal() and len(word) <= len(str(LARGEST_ID))):
        raise InputError(f"there is no page after {word[:20]!r}; begin with the first page of the list")
    return min(int(word), LARGEST_ID)
