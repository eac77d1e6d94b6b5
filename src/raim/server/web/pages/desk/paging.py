"""Long lists in pages."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func
from sqlalchemy.orm import Session

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Paged:
    """A part of a list.

    Attributes:
        rows: Of this page.
        n_rows: In all.
        page: From 1.
        n_pages: At least 1.
        query: What the addresses of the other pages repeat.
    """

    rows: list[Any]
    n_rows: int
    page: int
    n_pages: int
    query: str

    def address(self, page: int) -> str:
        """Give the query of another page.

        Example:
            >>> Paged(rows=[], n_rows=90, page=1, n_pages=2, query="state=failed").address(2)
            '?state=failed&page=2'
        """
        return f"?{self.query}&page={page}" if self.query else f"?page={page}"


def read_page(
    session: Session, found: Any, page: int, *, filters: dict[str, str], per_page: int = PER_PAGE
) -> Paged:
    """Read one page of a query that has its order; one query counts, one reads."""
    counted = found.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
    n_rows = session.scalar(counted) or 0
    n_pages = max(1, -(-n_rows // per_page))
    page = min(page, n_pages)
    rows = session.execute(found.limit(per_page).offset((page - 1) * per_page)).all()
    query = urlencode({name: value for name, value in filters.items() if value})
    return Paged(rows=list(rows), n_rows=n_rows, page=page, n_pages=n_pages, query=query)
