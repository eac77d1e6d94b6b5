"""What addresses hold: numbers of rows, names, texts to search for, pages."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator

from raim.records.record import LARGEST_ID, clean_text

RowId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Slug = Annotated[str, Path(max_length=80)]
Search = Annotated[str, Query(max_length=200), AfterValidator(clean_text)]
Page = Annotated[str, Query(pattern=r"^((after|before)\.[^\x00]+)?$", max_length=300)]
