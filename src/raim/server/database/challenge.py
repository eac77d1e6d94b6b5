"""Tables of the challenge: phases, data sets, their images, announcements, finalists, closing checklist."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

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

SET_KINDS = ("paired", "unpaired")
ADDED_TRIES = ("none", "pro rata")
STATUSES = ("draft", "open", "paused", "retired")
UPLOAD_STATES = ("arriving", "inspecting", "placing", "taken", "rejected", "given up")


class Challenge(Numbered):
    """A challenge; `definition` is what its challenge.toml said when it was last read, `definition_sha256` of that.

    `folder`: where its file lies, seen from the server's folder; "." for that itself. `status`: see `STATUSES`.
    `version` is raised by every change of what is kept (see `engine`).
    `scorer_version` names profile, definitions and weights of today, under which entries are scored from now on.
    `quota_bytes`: what all that is kept of it may take; None for no limit.
    """

    __table_args__ = (
        CheckConstraint(is_sha256("definition_sha256"), name="definition_sha256"),
        CheckConstraint(check_words("status", STATUSES), name="status"),
        CheckConstraint("quota_bytes > 0", name="quota_bytes"),
    )

    slug: Mapped[str] = mapped_column(String(80), unique=True)
    folder: Mapped[str] = mapped_column(String(500), default=".")
    status: Mapped[str] = mapped_column(String(20), default="open")
    title: Mapped[Name]
    version: Mapped[int] = mapped_column(default=1)
    definition: Mapped[dict[str, Any]] = mapped_column(deferred=True)  # long, and read when it changes
    definition_sha256: Mapped[Sha256]
    profile: Mapped[str] = mapped_column(String(80))
    scorer_version: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    quota_bytes: Mapped[int | None] = mapped_column(BigInteger)
    results_published_at: Mapped[datetime | None]


class ServerFolder(Numbered):
    """What the server's folder had besides challenges when it was last looked at; one row.

    `series`: of series.toml. `problems`: of files that could not be taken, by folder. `version` counts the changes.
    `mark` is that of the folder, storage and secret that all web processes share (`raim.server.hosts`).
    """

    version: Mapped[int] = mapped_column(default=0)
    series: Mapped[dict[str, Any] | None]
    problems: Mapped[dict[str, Any]] = mapped_column(default=dict)
    mark: Mapped[str] = mapped_column(String(64), default="")


class DataSet(Numbered):
    """Images of a phase; `version` changes with its images, and with it the scores.

    `contents` is the SHA-256 of all that files and manifest say, and names the zips for download.

    Boards and results show what was scored under the pair `*_in_force` (see `raim.server.actions.versions`).
    """

    __table_args__ = (
        UniqueConstraint("challenge_id", "slug"),
        CheckConstraint(check_words("kind", SET_KINDS), name="kind"),
    )

    challenge_id: Mapped[int] = reference("challenge")
    slug: Mapped[str] = mapped_column(String(80))
    title: Mapped[Name]
    kind: Mapped[str] = mapped_column(String(20))
    version: Mapped[Sha256]
    scorer_version_in_force: Mapped[str] = mapped_column(String(80))
    reference_version_in_force: Mapped[Sha256]
    contents: Mapped[Sha256]
    manifest: Mapped[str]
    created_at: Mapped[datetime]


class Image(Numbered):
    """One image of a data set, by the stem that its files share; sizes in pixels of the restored image."""

    __table_args__ = (
        UniqueConstraint("data_set_id", "name"),
        CheckConstraint("width > 0 AND height > 0", name="size"),
        CheckConstraint(is_sha256("input_sha256"), name="input_sha256"),
        CheckConstraint(
            f"reference_sha256 IS NULL OR {is_sha256('reference_sha256')}", name="reference_sha256"
        ),
    )

    data_set_id: Mapped[int] = reference("data_set")
    name: Mapped[Name]
    scenario: Mapped[str | None] = mapped_column(String(200))
    width: Mapped[int]
    height: Mapped[int]
    input_name: Mapped[Name]
    input_sha256: Mapped[Sha256]
    input_bytes: Mapped[int] = mapped_column(BigInteger)
    reference_name: Mapped[Name | None]
    reference_sha256: Mapped[Sha256 | None]
    reference_bytes: Mapped[int | None] = mapped_column(BigInteger)


class Phase(Numbered):
    """A part of the challenge; its dates decide, at the time of each request, what is open.

    `opens_at` and `closes_at` are in force: an organiser may have changed them from the page. `stated_*` are those of
    the file when it was last read; where the file changes them, the file wins.
    """

    __table_args__ = (
        UniqueConstraint("challenge_id", "slug"),
        CheckConstraint("opens_at < closes_at", name="dates"),
    )

    challenge_id: Mapped[int] = reference("challenge")
    slug: Mapped[str] = mapped_column(String(80))
    title: Mapped[Name]
    position: Mapped[int]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    stated_opens_at: Mapped[datetime]
    stated_closes_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]


class Extension(Numbered):
    """That a phase was made to close later, why, and what became of its tries: `none` added, or as its length grew.

    `opens_at`: of the phase then.
    """

    __table_args__ = (
        CheckConstraint(check_words("tries", ADDED_TRIES), name="tries"),
        CheckConstraint("opens_at < closes_before AND closes_before < closes_after", name="dates"),
    )

    phase_id: Mapped[int] = reference("phase")
    extended_by: Mapped[int] = reference("user_account")
    extended_at: Mapped[datetime]
    opens_at: Mapped[datetime]
    closes_before: Mapped[datetime]
    closes_after: Mapped[datetime]
    reason: Mapped[str]
    tries: Mapped[str] = mapped_column(String(20))


class Announcement(Numbered):
    """A text of the organiser to everybody, in Markdown."""

    challenge_id: Mapped[int] = reference("challenge")
    author_id: Mapped[int] = reference("user_account")
    title: Mapped[Name]
    text: Mapped[str]
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class Finalist(Numbered):
    """A team that goes on after a phase; one that declined keeps its row, beside the one in its place."""

    __table_args__ = (
        UniqueConstraint("phase_id", "team_id"),
        CheckConstraint("position > 0", name="position"),
    )

    phase_id: Mapped[int] = reference("phase")
    team_id: Mapped[int] = reference("team")
    position: Mapped[int]
    invited_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    replaces_id: Mapped[int | None] = mapped_column(reference_key("finalist"), index=True)


class PublishedRanking(Numbered):
    """A final ranking as it was published (raim-ranking/1), with what it was made of; the newest one is public.

    `charts`: SVG by the chart's name and theme.
    """

    challenge_id: Mapped[int] = reference("challenge")
    published_at: Mapped[datetime]
    published_by: Mapped[int] = reference("user_account")
    record: Mapped[dict[str, Any]]
    charts: Mapped[dict[str, Any]]


class ChecklistTick(Numbered):
    """A point of the closing checklist that an organiser has ticked."""

    __table_args__ = (UniqueConstraint("challenge_id", "item"),)

    challenge_id: Mapped[int] = reference("challenge")
    item: Mapped[str] = mapped_column(String(80))
    ticked_by: Mapped[int] = reference("user_account")
    ticked_at: Mapped[datetime]


class ChallengeUpload(Arriving):
    """A zip of a challenge's folder that somebody sends.

    `arriving` until it is whole, `inspecting` by a worker (`attempt` counts the jobs), `placing` by the server below
    its folder, then `taken` as the draft `challenge_id`, or `rejected` for `problems`; `given up` if it never came
    whole. `n_done` of `n_files` are checked. `updated_at`: when its state changed too.
    """

    __table_args__ = (
        CheckConstraint(check_words("state", UPLOAD_STATES), name="state"),
        CheckConstraint(is_sha256("sha256"), name="sha256"),
        CheckConstraint("(state = 'taken') = (challenge_id IS NOT NULL)", name="challenge"),
        *Arriving.constraints(),
    )

    user_id: Mapped[int] = reference("user_account")
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[Sha256]
    state: Mapped[str] = mapped_column(String(20), default="arriving")
    begun_at: Mapped[datetime]
    attempt: Mapped[int] = mapped_column(default=0)
    n_done: Mapped[int] = mapped_column(default=0)
    n_files: Mapped[int] = mapped_column(default=0)
    problems: Mapped[list[str]] = mapped_column(default=list)
    notes: Mapped[list[str]] = mapped_column(default=list)
    challenge_id: Mapped[int | None] = mapped_column(reference_key("challenge"), index=True)
