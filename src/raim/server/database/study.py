"""Tables of the blinded study: what is compared. The judges and their votes: `raim.server.database.judging`."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from raim.server.database.columns import (
    Base,
    Identity,
    Name,
    Sha256,
    is_sha256,
    one_of,
    reference,
)

STUDY_STATES = ("draft", "open", "closed", "revealed", "discarded")


class Study(Base):
    """A blinded study of final submissions.

    `design` is that of `raim.study` with the entries by their codes; it does not change once the study is open.
    `is_simulated`: its votes were made by a program, and every page that shows them says so.
    """

    __tablename__ = "study"
    __table_args__ = (
        CheckConstraint(one_of("state", STUDY_STATES), name="state"),
        CheckConstraint("min_width > 0 AND min_height > 0", name="min_size"),
    )

    id: Mapped[Identity]
    challenge_id: Mapped[int] = reference("challenge")
    phase_id: Mapped[int] = reference("phase")
    data_set_id: Mapped[int] = reference("data_set")
    title: Mapped[Name]
    state: Mapped[str] = mapped_column(String(20), default="draft")
    design: Mapped[dict[str, Any]]
    instructions: Mapped[str] = mapped_column(default="")
    min_width: Mapped[int] = mapped_column(default=1280)
    min_height: Mapped[int] = mapped_column(default=720)
    is_simulated: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    revealed_at: Mapped[datetime | None]
    discarded_at: Mapped[datetime | None]


class StudyEntry(Base):
    """A final submission in a study, under a code that says nothing; it may be left out after the vote."""

    __tablename__ = "study_entry"
    __table_args__ = (
        UniqueConstraint("study_id", "code"),
        UniqueConstraint("study_id", "submission_id"),
        CheckConstraint("(left_out_at IS NULL) = (left_out_reason IS NULL)", name="left_out"),
    )

    id: Mapped[Identity]
    study_id: Mapped[int] = reference("study", index=False)
    submission_id: Mapped[int] = reference("submission")
    code: Mapped[str] = mapped_column(String(20))
    left_out_reason: Mapped[str | None]
    left_out_at: Mapped[datetime | None]


class StudyImage(Base):
    """An image in a study, and the pack of tiles that a job makes of it: all entries, the input, a blurred copy.

    `attempt` counts the jobs; `error` says why the last one could not be done, until an organiser has it tried again.
    """

    __tablename__ = "study_image"
    __table_args__ = (
        UniqueConstraint("study_id", "image_id"),
        CheckConstraint(f"pack_sha256 IS NULL OR {is_sha256('pack_sha256')}", name="pack_sha256"),
        CheckConstraint("pack_sha256 IS NULL OR error IS NULL", name="error"),
        CheckConstraint("attempt >= 0", name="attempt"),
    )

    id: Mapped[Identity]
    study_id: Mapped[int] = reference("study", index=False)
    image_id: Mapped[int] = reference("image")
    pack_sha256: Mapped[Sha256 | None]
    pack_bytes: Mapped[int | None] = mapped_column(BigInteger)
    pack: Mapped[dict[str, Any] | None]
    made_at: Mapped[datetime | None]
    error: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(default=0)
