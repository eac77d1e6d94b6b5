"""Long lists, a page at a time."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of a list.

    Attributes:
        rows: Of this page.
        n_rows: In all.
        page: From 1.
        n_pages: At least 1.
    """

    rows: list[Any]
    n_rows: int
    page: int
    n_pages: int

    @property
    def place(self) -> dict[str, int]:
        """What a record of the list says of it."""
        return {"n_rows": self.n_rows, "page": self.page, "n_pages": self.n_pages}


def read_part(session: Session, found: Any, page: int, *, per_page: int = PER_PAGE) -> Part:
    """Read one page of a query that has its order; one query counts, one reads."""
    counted = found.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
    n_rows = session.scalar(counted) or 0
    n_pages = max(1, -(-n_rows // per_page))
    page = min(page, n_pages)
    rows = session.execute(found.limit(per_page).offset((page - 1) * per_page)).all()
    return Part(rows=list(rows), n_rows=n_rows, page=page, n_pages=n_pages)
