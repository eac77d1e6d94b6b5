"""Tables of the challenge: phases, data sets, their images, announcements, finalists."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from raim.server.database.columns import (
    Base,
    Identity,
    Name,
    Sha256,
    is_sha256,
    one_of,
    reference,
    reference_key,
)

SET_KINDS = ("paired", "unpaired")


class Challenge(Base):
    """A contest; `definition` is what its challenge.toml says, `definition_sha256` of the file's bytes."""

    __tablename__ = "challenge"
    __table_args__ = (CheckConstraint(is_sha256("definition_sha256"), name="definition_sha256"),)

    id: Mapped[Identity]
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[Name]
    definition: Mapped[dict[str, Any]]
    definition_sha256: Mapped[Sha256]
    created_at: Mapped[datetime]


class DataSet(Base):
    """Images of a phase; `version` changes with its references, and with it the scores."""

    __tablename__ = "data_set"
    __table_args__ = (
        UniqueConstraint("challenge_id", "slug"),
        CheckConstraint(one_of("kind", SET_KINDS), name="kind"),
    )

    id: Mapped[Identity]
    challenge_id: Mapped[int] = reference("challenge")
    slug: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    version: Mapped[Sha256]
    created_at: Mapped[datetime]


class Image(Base):
    """One image of a data set, by the name that its manifest gives; sizes in pixels of the restored image."""

    __tablename__ = "image"
    __table_args__ = (
        UniqueConstraint("data_set_id", "name"),
        CheckConstraint("width > 0 AND height > 0", name="size"),
        CheckConstraint(is_sha256("input_sha256"), name="input_sha256"),
        CheckConstraint(
            f"reference_sha256 IS NULL OR {is_sha256('reference_sha256')}", name="reference_sha256"
        ),
    )

    id: Mapped[Identity]
    data_set_id: Mapped[int] = reference("data_set")
    name: Mapped[Name]
    scenario: Mapped[Name]
    width: Mapped[int]
    height: Mapped[int]
    input_sha256: Mapped[Sha256]
    reference_sha256: Mapped[Sha256 | None]


class Phase(Base):
    """A part of the challenge; its dates decide, at the time of each request, what is open."""

    __tablename__ = "phase"
    __table_args__ = (
        UniqueConstraint("challenge_id", "slug"),
        CheckConstraint("opens_at < closes_at", name="dates"),
        CheckConstraint("tries_per_day > 0", name="tries_per_day"),
        CheckConstraint("tries_in_all > 0", name="tries_in_all"),
    )

    id: Mapped[Identity]
    challenge_id: Mapped[int] = reference("challenge")
    data_set_id: Mapped[int] = reference("data_set")
    slug: Mapped[str] = mapped_column(String(80))
    title: Mapped[Name]
    position: Mapped[int]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]
    tries_per_day: Mapped[int | None]
    tries_in_all: Mapped[int | None]


class Announcement(Base):
    """A text of the organiser to everybody, in Markdown."""

    __tablename__ = "announcement"

    id: Mapped[Identity]
    challenge_id: Mapped[int] = reference("challenge")
    author_id: Mapped[int] = reference("user_account")
    title: Mapped[Name]
    text: Mapped[str]
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class Finalist(Base):
    """A team that goes on after a phase; a replaced one keeps its row."""

    __tablename__ = "finalist"
    __table_args__ = (
        UniqueConstraint("phase_id", "team_id"),
        CheckConstraint("position > 0", name="position"),
    )

    id: Mapped[Identity]
    phase_id: Mapped[int] = reference("phase")
    team_id: Mapped[int] = reference("team")
    position: Mapped[int]
    invited_at: Mapped[datetime]
    replaced_by: Mapped[int | None] = mapped_column(reference_key("finalist"))
    replaced_at: Mapped[datetime | None]
