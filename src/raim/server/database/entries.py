"""Tables of what teams hand in: submissions, uploads, results of images and entries, comments, logs."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Index,
    String,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from raim.records import STATES, State, named
from raim.server.database.columns import (
    Arriving,
    Name,
    Numbered,
    Sha256,
    check_words,
    is_sha256,
    reference,
    reference_key,
)

KINDS = ("scored", "feedback", "final")


class Submission(Numbered):
    """What a team hands in; this row is the truth about it, a job carries only its id.

    `received_at` is the start of the upload, when length and SHA-256 were committed: deadlines and tries go by
    it. `takes_try`: it counts against the team's tries. `is_chosen`: the team wants this entry to count.
    `lease_owner` works on it until `lease_until`; `attempt` counts the leases. `error` is shown to the team;
    `report` is that of the check (raim-check/1), `flags` what an organiser should look at (codes with their text).
    `rescore_asked_at`: it has results and is to be scored again under the scorer version of today.
    `freed_at`: when its file was deleted, long after it was refused.
    """

    __table_args__ = (
        CheckConstraint(check_words("kind", KINDS), name="kind"),
        CheckConstraint(check_words("state", tuple(STATES)), name="state"),
        CheckConstraint(
            f"rescore_asked_at IS NULL OR {check_words('state', named('has_score'))}", name="rescore"
        ),
        CheckConstraint(f"freed_at IS NULL OR {check_words('state', named('is_refused'))}", name="freed"),
        CheckConstraint("committed_bytes > 0", name="committed_bytes"),
        CheckConstraint(is_sha256("committed_sha256"), name="committed_sha256"),
        CheckConstraint("attempt >= 0", name="attempt"),
        CheckConstraint("images_done BETWEEN 0 AND images_total", name="images_done"),
        CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name="lease"),
        CheckConstraint(
            f"error IS NOT NULL OR NOT {check_words('state', named('needs_reason'))}", name="error"
        ),
        CheckConstraint(f"NOT is_chosen OR {check_words('state', named('is_checked'))}", name="chosen"),
        Index("ix_submission_tries", "team_id", "phase_id", "kind", "received_at"),
        Index("ix_submission_state_received_at", "state", "received_at"),
        Index(
            "uq_submission_chosen",
            "team_id",
            "phase_id",
            "kind",
            unique=True,
            sqlite_where=text("is_chosen"),
            postgresql_where=text("is_chosen"),
        ),
    )

    team_id: Mapped[int] = reference("team", index=False)
    phase_id: Mapped[int] = reference("phase")
    data_set_id: Mapped[int] = reference("data_set")
    member_id: Mapped[int] = reference("member")
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20), default="receiving")
    received_at: Mapped[datetime]
    state_at: Mapped[datetime]
    committed_bytes: Mapped[int] = mapped_column(BigInteger)
    committed_sha256: Mapped[Sha256] = mapped_column(index=True)
    note: Mapped[str] = mapped_column(default="")
    takes_try: Mapped[bool]
    is_chosen: Mapped[bool] = mapped_column(default=False)
    is_verified: Mapped[bool] = mapped_column(default=False)
    is_out_of_competition: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None]
    images_done: Mapped[int] = mapped_column(default=0)
    images_total: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any] | None]
    flags: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rescore_asked_at: Mapped[datetime | None]
    freed_at: Mapped[datetime | None]

    @property
    def facts(self) -> State:
        """What holds in its state."""
        return STATES[self.state]

    @property
    def has_images(self) -> bool:
        """Whether its check has found images in it; a withdrawn one keeps them for organisers."""
        return self.facts.is_checked or bool(
            self.facts.is_withdrawn and self.report and self.report.get("ok")
        )

    @classmethod
    def where(cls, claim: str) -> ColumnElement[bool]:
        """Return the condition that a claim of `State` holds of the state."""
        return cls.state.in_(named(claim))


class SubmittedImage(Numbered):
    """An image in the zip of a checked submission, and where its packed bytes lie there; never changed."""

    __table_args__ = (
        CheckConstraint("n_bytes >= 0 AND packed_start >= 0 AND packed_bytes >= 0", name="place"),
        UniqueConstraint("submission_id", "name", name="uq_submitted_image_once"),
    )

    submission_id: Mapped[int] = reference("submission", index=False)
    name: Mapped[Name]
    sha256: Mapped[Sha256] = mapped_column(index=True)
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    packed_start: Mapped[int] = mapped_column(BigInteger)
    packed_bytes: Mapped[int] = mapped_column(BigInteger)
    crc: Mapped[int] = mapped_column(BigInteger)
    is_deflated: Mapped[bool]


class Upload(Arriving):
    """The way of a submission's file into storage."""

    __table_args__ = (
        CheckConstraint("finished_at IS NULL OR aborted_at IS NULL", name="end"),
        *Arriving.constraints(),
    )

    submission_id: Mapped[int] = mapped_column(reference_key("submission"), unique=True)
    finished_at: Mapped[datetime | None]
    aborted_at: Mapped[datetime | None]


def is_kept() -> ColumnElement[bool]:
    """Return the condition that the file of a submission lies in the storage: it has come whole, and was not freed."""
    unfinished = select(Upload.id).where(Upload.submission_id == Submission.id, Upload.finished_at.is_(None))
    return Submission.where("has_file") & Submission.freed_at.is_(None) & ~unfinished.exists()


class Result(Numbered):
    """One image's score record; never changed (a trigger holds that): a new scorer version makes new rows."""

    __table_args__ = (
        UniqueConstraint(
            "submission_id", "image_id", "scorer_version", "reference_version", name="uq_result_once"
        ),
        CheckConstraint("(score IS NULL) = (unscorable IS NOT NULL)", name="score"),
    )

    submission_id: Mapped[int] = reference("submission", index=False)
    image_id: Mapped[int] = reference("image")
    scorer_version: Mapped[str] = mapped_column(String(80))
    reference_version: Mapped[Sha256]
    restored_sha256: Mapped[Sha256]
    score: Mapped[float | None]
    unscorable: Mapped[str | None]
    measures: Mapped[dict[str, Any]]
    scored_at: Mapped[datetime]


class EntryResult(Numbered):
    """A submission's means over its images under one scorer version; never changed, like the rows of `result`.

    `score` is None where an image has no score, with the reason. `scenarios`: means for each scenario or issue.
    """

    __table_args__ = (
        UniqueConstraint("submission_id", "scorer_version", "reference_version", name="uq_entry_result_once"),
        CheckConstraint("(score IS NULL) = (unscorable IS NOT NULL)", name="score"),
        CheckConstraint("n_scored BETWEEN 0 AND n_images", name="n_scored"),
    )

    submission_id: Mapped[int] = reference("submission", index=False)
    scorer_version: Mapped[str] = mapped_column(String(80))
    reference_version: Mapped[Sha256]
    score: Mapped[float | None]
    unscorable: Mapped[str | None]
    measures: Mapped[dict[str, Any]]
    scenarios: Mapped[dict[str, Any]]
    n_images: Mapped[int]
    n_scored: Mapped[int]
    scored_at: Mapped[datetime]


class LogLine(Numbered):
    """What a worker says about a submission, for organisers: what it does, and the traceback of a fault."""

    submission_id: Mapped[int] = reference("submission")
    logged_at: Mapped[datetime]
    worker: Mapped[str] = mapped_column(String(100))
    text: Mapped[str]


class Comment(Numbered):
    """A remark on a submission, on one of its images, or on a region of it (pixels of the restored image).

    `is_of_team`: a member wrote it, else an organiser. `seen_at`: when an organiser had read what a member wrote.
    """

    __table_args__ = (
        CheckConstraint(
            "(region_x IS NULL AND region_y IS NULL AND region_width IS NULL AND region_height IS NULL)"
            " OR (image_id IS NOT NULL AND region_x >= 0 AND region_y >= 0 AND region_width > 0 AND region_height > 0)",
            name="region",
        ),
        CheckConstraint("is_shown_to_team OR NOT is_of_team", name="shown"),
        CheckConstraint("seen_at IS NULL OR is_of_team", name="seen"),
    )

    submission_id: Mapped[int] = reference("submission")
    author_id: Mapped[int] = reference("user_account")
    image_id: Mapped[int | None] = mapped_column(reference_key("image"), index=True)
    region_x: Mapped[int | None]
    region_y: Mapped[int | None]
    region_width: Mapped[int | None]
    region_height: Mapped[int | None]
    text: Mapped[str]
    is_shown_to_team: Mapped[bool] = mapped_column(default=True)
    is_of_team: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
