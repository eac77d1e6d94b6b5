"""The JSON forms of the organisers' part of the API, without those about people."""

from typing import Annotated

from pydantic import AfterValidator, Field

from raim.server.database.columns import LARGEST_ID
from raim.server.web.api.records import Record
from raim.server.web.fields import clean_text

Words = Annotated[str, Field(max_length=30_000), AfterValidator(clean_text)]
Name = Annotated[str, Field(max_length=400), AfterValidator(clean_text)]
RowNumber = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class Made(Record):
    """The number of what was made."""

    id: int
