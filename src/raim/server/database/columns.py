"""What the tables share: the base class, names of constraints, and times that are aware UTC on every database."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    MetaData,
    String,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

from raim.errors import InputError


class UtcDateTime(TypeDecorator[datetime]):
    """A time with its zone: any zone goes in, UTC comes out; a time without a zone is refused.

    SQLite has no times: there it is text of one width in UTC, so that comparing texts compares times.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what the driver stores."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise InputError(f"{value!r} has no time zone; pass an aware time, such as datetime.now(UTC)")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables. Every constraint has a name, so that migrations can change it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own form
        datetime: UtcDateTime(),
        # Where there may be none, that is SQL's NULL and never JSON's null.
        dict[str, Any]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
        list[dict[str, Any]]: JSON(none_as_null=True),
    }

    def __init_subclass__(cls, **options: Any) -> None:
        """Name a table after its class, unless it has a name of its own."""
        if "__tablename__" not in vars(cls) and "__abstract__" not in vars(cls):
            cls.__tablename__ = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()
        super().__init_subclass__(**options)


class Numbered(Base):
    """Base of the tables whose rows have a number."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)


Name = Annotated[str, mapped_column(String(200))]
Sha256 = Annotated[str, mapped_column(String(64))]


class Arriving(Numbered):
    """Base of the tables of files on their way; the key is random, the user's file name is only shown.

    `holder` writes to it until `held_until`; `received_bytes` is what had come when that was last written down.
    """

    __abstract__ = True

    key: Mapped[str] = mapped_column(String(64), unique=True)
    file_name: Mapped[Name]
    received_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    holder: Mapped[str | None] = mapped_column(String(64))
    held_until: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    @staticmethod
    def constraints() -> tuple[CheckConstraint, ...]:
        """Make the checks that each of the tables has."""
        return (
            CheckConstraint("received_bytes >= 0", name="received_bytes"),
            CheckConstraint("(holder IS NULL) = (held_until IS NULL)", name="holder"),
        )


def reference_key(target: str) -> ForeignKey:
    """Refer to another table's id; a row that is referred to cannot be deleted."""
    return ForeignKey(f"{target}.id", ondelete="RESTRICT")


def reference(target: str, *, index: bool = True) -> MappedColumn[int]:
    """Make a column that refers to another table's id."""
    return mapped_column(reference_key(target), index=index)


def is_sha256(column: str) -> str:
    """Return the check that a column holds 64 characters; hexadecimal digits are checked in Python."""
    return f"length({column}) = 64"


def check_words(column: str, words: tuple[str, ...]) -> str:
    """Return the check that a column holds one of some words.

    Example:
        >>> check_words("role", ("captain", "member"))
        "role IN ('captain', 'member')"
    """
    return f"{column} IN ({', '.join(repr(word) for word in words)})"
