"""Tables of the blinded study: what is compared, the judges, the trials that were drawn for them, every vote."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Float, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from raim.server.database.columns import Name, Numbered, Sha256, check_words, is_sha256, reference

STUDY_STATES = ("draft", "open", "closed", "revealed", "discarded")
TRIAL_KINDS = ("training", "counted", "repeat", "trap")


class Study(Numbered):
    """A blinded study of final submissions.

    `design` is that of `raim.study` with the entries by their codes; it does not change once the study is open.
    `is_simulated`: its votes were made by a program, and every page that shows them says so.
    """

    __table_args__ = (
        CheckConstraint(check_words("state", STUDY_STATES), name="state"),
        CheckConstraint("min_width > 0 AND min_height > 0", name="min_size"),
    )

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


class StudyEntry(Numbered):
    """A final submission in a study, under a code that says nothing; it may be left out after the vote."""

    __table_args__ = (
        UniqueConstraint("study_id", "code"),
        UniqueConstraint("study_id", "submission_id"),
        CheckConstraint("(left_out_at IS NULL) = (left_out_reason IS NULL)", name="left_out"),
    )

    study_id: Mapped[int] = reference("study", index=False)
    submission_id: Mapped[int] = reference("submission")
    code: Mapped[str] = mapped_column(String(20))
    left_out_reason: Mapped[str | None]
    left_out_at: Mapped[datetime | None]


class StudyImage(Numbered):
    """An image in a study, and the pack of tiles that a job makes of it: all entries, the input, a blurred copy.

    `attempt` counts the jobs; `error` says why the last one could not be done, until an organiser has it tried again.
    """

    __table_args__ = (
        UniqueConstraint("study_id", "image_id"),
        CheckConstraint(f"pack_sha256 IS NULL OR {is_sha256('pack_sha256')}", name="pack_sha256"),
        CheckConstraint("pack_sha256 IS NULL OR error IS NULL", name="error"),
        CheckConstraint("attempt >= 0", name="attempt"),
    )

    study_id: Mapped[int] = reference("study", index=False)
    image_id: Mapped[int] = reference("image")
    pack_sha256: Mapped[Sha256 | None]
    pack_bytes: Mapped[int | None] = mapped_column(BigInteger)
    pack: Mapped[dict[str, Any] | None]
    made_at: Mapped[datetime | None]
    error: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(default=0)


class Judge(Numbered):
    """Somebody who judges in one study, without an account; `number` counts from 1 and draws their trials.

    A revoked judge's links open nothing; an excluded judge's votes are kept, and left out of the main result.
    """

    __table_args__ = (
        UniqueConstraint("study_id", "number"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("(excluded_at IS NULL) = (excluded_reason IS NULL)", name="excluded"),
    )

    study_id: Mapped[int] = reference("study", index=False)
    number: Mapped[int]
    name: Mapped[Name]
    email: Mapped[str | None] = mapped_column(String(320))
    is_preview: Mapped[bool] = mapped_column(default=False)
    invited_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    instructed_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    excluded_at: Mapped[datetime | None]
    excluded_reason: Mapped[str | None]


class Tie(Numbered):
    """A judge's tie to a team: its images are not for them to judge."""

    __table_args__ = (UniqueConstraint("judge_id", "team_id"),)

    judge_id: Mapped[int] = reference("judge", index=False)
    team_id: Mapped[int] = reference("team")
    reason: Mapped[str] = mapped_column(default="")


class JudgeLink(Numbered):
    """A judge's personal link; only the hash of its token is known here."""

    __table_args__ = (CheckConstraint(is_sha256("token_sha256"), name="token_sha256"),)

    judge_id: Mapped[int] = reference("judge")
    token_sha256: Mapped[Sha256] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ScreenCheck(Numbered):
    """What a judge's browser and eyes said about their screen; the newest one counts."""

    judge_id: Mapped[int] = reference("judge")
    checked_at: Mapped[datetime]
    is_fine: Mapped[bool]
    why: Mapped[str] = mapped_column(default="")
    facts: Mapped[dict[str, Any]]


class Trial(Numbered):
    """What a judge sees at one place of their order: an image, and entries under the labels A, B, ... in this order.

    `key` is in the addresses of its tiles and says nothing. `repeats` is the place that a hidden repeat shows again.
    """

    __table_args__ = (
        UniqueConstraint("judge_id", "part", "position"),
        CheckConstraint(check_words("kind", TRIAL_KINDS), name="kind"),
        CheckConstraint("(part = 'training') = (kind = 'training')", name="part"),
        CheckConstraint("position > 0", name="position"),
    )

    judge_id: Mapped[int] = reference("judge", index=False)
    part: Mapped[str] = mapped_column(String(20), default="voting")
    position: Mapped[int]
    study_image_id: Mapped[int] = reference("study_image")
    kind: Mapped[str] = mapped_column(String(20))
    tiles: Mapped[list[str]]
    repeats: Mapped[int | None]
    key: Mapped[str] = mapped_column(String(64), unique=True)


class Vote(Numbered):
    """What a judge said in a trial; never changed (a trigger holds that): a change is a new row, the newest counts.

    Entries are named by their codes. `seconds`: how long the judge has looked so far, without pauses.
    """

    __table_args__ = (
        UniqueConstraint("trial_id", "sequence"),
        CheckConstraint("sequence > 0", name="sequence"),
        CheckConstraint("seconds >= 0", name="seconds"),
    )

    trial_id: Mapped[int] = reference("trial", index=False)
    sequence: Mapped[int]
    choice: Mapped[list[str]]
    ratings: Mapped[dict[str, Any]]
    reasons: Mapped[dict[str, Any]]
    regions: Mapped[list[dict[str, Any]]]
    seconds: Mapped[float] = mapped_column(Float)
    cast_at: Mapped[datetime]
