"""What all records have in common."""

import math
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

R = TypeVar("R", bound="Record")


class Record(BaseModel):
    """Base of what people see: frozen, checked when it is made; a newer server's further fields are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def of_row(cls: type[R], row: object, **fields: Any) -> R:  # noqa: PYI019 - the tests' type checker takes no Self
        """Return the record with these fields; the others are the row's of the same name."""
        others = (name for name in cls.model_fields if name not in fields and hasattr(row, name))
        return cls(**fields, **{name: getattr(row, name) for name in others})


class Paged(Record):
    """Base of a page of a long list; ask with `page` for another one."""

    n_rows: int = Field(description="of the whole list")
    previous_page: str = Field(description="`page` of the page before; empty for the first")
    next_page: str = Field(description="`page` of the page after; empty for the last")


class Fault(Record):
    """What went wrong."""

    code: str
    message: str
    problems: tuple[str, ...] = ()
    request_id: str = Field(default="", description="by which the server's log names the request")


class Failure(Record):
    """Every answer that is not a success."""

    error: Fault


class Wanted(BaseModel):
    """Base of what people ask for; a field that there is not is refused, so that a misspelt one is reported."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty(cls, given: Any) -> Any:
        """Take an empty field of a form for one that was left out, but where a text may be empty."""
        if not isinstance(given, dict):
            return given
        texts = {name for name, field in cls.model_fields.items() if _takes_text(field.annotation)}
        return {name: value for name, value in given.items() if value != "" or name in texts}


def _takes_text(annotation: Any) -> bool:
    return annotation is str or any(_takes_text(each) for each in get_args(annotation))


def _as_number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


def _as_plain(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


# A number that may be missing or infinite; JSON has no infinity, there it is the word "inf".
Number = Annotated[
    float | None,
    BeforeValidator(_as_number),
    PlainSerializer(_as_plain, return_type=float | str | None, when_used="json"),
]

LARGEST_ID = 2**31 - 1  # of PostgreSQL's INTEGER
RowNumber = Annotated[int, Field(ge=1, le=LARGEST_ID)]


def clean_text(text: str) -> str:
    r"""Return a text with line ends as the database keeps them; NUL, which it cannot keep, is a ValueError.

    Example:
        >>> clean_text("one\r\ntwo")
        'one\ntwo'
    """
    if "\0" in text:
        raise ValueError("the character NUL cannot be kept; delete it")
    return text.replace("\r\n", "\n")


Text = Annotated[str, Field(max_length=30_000), AfterValidator(clean_text)]
