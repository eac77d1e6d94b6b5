"""The tables of an export that are one query each; rows are read in portions while they are sent."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Select, case, select
from sqlalchemy.orm import Session, aliased

from raim.server.current_challenge import CurrentChallenge
from raim.server.database import (
    Announcement,
    AuditEvent,
    Base,
    Comment,
    EntryResult,
    Finalist,
    Image,
    Member,
    Phase,
    Result,
    Submission,
    Team,
    Upload,
    User,
)
from raim.server.database.operation import events_of
from raim.server.database.people import people_of
from raim.server.export_table import ExportTable

ROWS_AT_ONCE = 500
Columns = Mapping[str, Any]
Statement = Callable[[Select[Any]], Select[Any]]


def people_tables(session: Session, challenge: CurrentChallenge) -> Iterator[ExportTable]:
    """Yield teams, their members, and all accounts."""
    yield _table(
        session,
        "teams",
        "Teams with their state and marks",
        _of(Team, "id name state is_baseline is_out_of_competition merged_into created_at"),
        lambda found: found.where(Team.challenge_id == challenge.id).order_by(Team.id),
    )
    yield _table(
        session,
        "members",
        "Who is in which team",
        {
            "id": Member.id,
            "team": Team.name,
            **_of(User, "login name email"),
            **_of(Member, "role joined_at consented_at"),
        },
        lambda found: (
            found.join(Team, Team.id == Member.team_id)
            .join(User, User.id == Member.user_id)
            .where(Member.challenge_id == challenge.id)
            .order_by(Member.id)
        ),
    )
    yield _table(
        session,
        "users",
        "Accounts; never a password or a token",
        {
            **_of(User, "id login name email created_at"),
            "consented_at": case((User.registered_in == challenge.id, User.consented_at)),
            **_of(User, "disabled_at"),
        },
        lambda found: found.where(User.id.in_(people_of(challenge.id))).order_by(User.id),
    )


def entry_tables(
    session: Session, challenge: CurrentChallenge, measures: tuple[str, ...]
) -> Iterator[ExportTable]:
    """Yield submissions, and the results of entries and of images with a column for each measure."""
    author = aliased(User)
    yield _table(
        session,
        "submissions",
        "What teams have handed in",
        {
            "id": Submission.id,
            "team": Team.name,
            "phase": Phase.slug,
            **_of(Submission, "kind state received_at state_at"),
            "sent_by": author.login,
            "file_name": Upload.file_name,
            "n_bytes": Submission.committed_bytes,
            "sha256": Submission.committed_sha256,
            **_of(Submission, "note takes_try is_chosen is_verified"),
            **_of(Submission, "is_out_of_competition error flags report freed_at"),
        },
        lambda found: (
            found.join(Team, Team.id == Submission.team_id)
            .join(Phase, Phase.id == Submission.phase_id)
            .join(Member, Member.id == Submission.member_id)
            .join(author, author.id == Member.user_id)
            .outerjoin(Upload, Upload.submission_id == Submission.id)
            .where(Team.challenge_id == challenge.id)
            .order_by(Submission.id)
        ),
    )
    yield _with_measures(_entry_results(session, challenge), measures)
    yield _with_measures(_image_results(session, challenge), measures)


def _entry_results(session: Session, challenge: CurrentChallenge) -> ExportTable:
    return _table(
        session,
        "entry_results",
        "Means of each submission, under every scorer version",
        {
            "submission": EntryResult.submission_id,
            "team": Team.name,
            "state": Submission.state,
            **_of(EntryResult, "scorer_version reference_version scored_at n_images"),
            **_of(EntryResult, "n_scored unscorable scenarios score measures"),
        },
        lambda found: (
            found.join(Submission, Submission.id == EntryResult.submission_id)
            .join(Team, Team.id == Submission.team_id)
            .where(Team.challenge_id == challenge.id)
            .order_by(EntryResult.id)
        ),
    )


def _image_results(session: Session, challenge: CurrentChallenge) -> ExportTable:
    return _table(
        session,
        "results",
        "Every image of every submission, under every scorer version",
        {
            "submission": Result.submission_id,
            "team": Team.name,
            "state": Submission.state,
            "image": Image.name,
            "scenario": Image.scenario,
            **_of(Result, "scorer_version reference_version restored_sha256"),
            **_of(Result, "scored_at unscorable score measures"),
        },
        lambda found: (
            found.join(Image, Image.id == Result.image_id)
            .join(Submission, Submission.id == Result.submission_id)
            .join(Team, Team.id == Submission.team_id)
            .where(Team.challenge_id == challenge.id)
            .order_by(Result.id)
        ),
    )


def text_tables(session: Session, challenge: CurrentChallenge) -> Iterator[ExportTable]:
    """Yield comments, announcements and finalists."""
    yield _table(
        session,
        "comments",
        "Organisers' comments; regions in pixels of the restored image",
        {
            "id": Comment.id,
            "submission": Comment.submission_id,
            "author": User.name,
            "image": Image.name,
            **_of(Comment, "region_x region_y region_width region_height text is_shown_to_team"),
            **_of(Comment, "is_of_team seen_at created_at"),
        },
        lambda found: (
            found.join(User, User.id == Comment.author_id)
            .join(Submission, Submission.id == Comment.submission_id)
            .join(Team, Team.id == Submission.team_id)
            .outerjoin(Image, Image.id == Comment.image_id)
            .where(Team.challenge_id == challenge.id)
            .order_by(Comment.id)
        ),
    )
    yield _table(
        session,
        "announcements",
        "Texts to everybody, withdrawn ones too",
        {
            "id": Announcement.id,
            "author": User.name,
            **_of(Announcement, "title text published_at withdrawn_at"),
        },
        lambda found: (
            found.join(User, User.id == Announcement.author_id)
            .where(Announcement.challenge_id == challenge.id)
            .order_by(Announcement.id)
        ),
    )
    yield _table(
        session,
        "finalists",
        "Places in the final, those that were declined too",
        {
            "id": Finalist.id,
            "phase": Phase.slug,
            "place": Finalist.position,
            "team": Team.name,
            **_of(Finalist, "invited_at accepted_at declined_at"),
            "replaces": Finalist.replaces_id,
        },
        lambda found: (
            found.join(Phase, Phase.id == Finalist.phase_id)
            .join(Team, Team.id == Finalist.team_id)
            .where(Phase.challenge_id == challenge.id)
            .order_by(Finalist.position, Finalist.id)
        ),
    )


def audit_table(session: Session, challenge: CurrentChallenge) -> ExportTable:
    """Return the log of who did what."""
    return _table(
        session,
        "audit",
        "Who did what; without an actor it was the server",
        {
            **_of(AuditEvent, "id happened_at action"),
            "actor": User.login,
            **_of(AuditEvent, "subject subject_id address details"),
        },
        lambda found: (
            found.outerjoin(User, User.id == AuditEvent.actor_id)
            .where(events_of(challenge.id))
            .order_by(AuditEvent.id)
        ),
    )


def _of(table: type[Base], names: str) -> Columns:
    """Return columns of a table by their own names."""
    return {name: getattr(table, name) for name in names.split()}


def _with_measures(table: ExportTable, measures: tuple[str, ...]) -> ExportTable:
    """Return a table whose last column, a record of measures, is a column for each of them."""

    def read() -> Iterator[tuple[Any, ...]]:
        for *before, values in table.read():
            yield (*before, *(values.get(name) for name in measures))

    return ExportTable(
        name=table.name, title=table.title, columns=(*table.columns[:-1], *measures), read=read
    )


def _table(session: Session, name: str, title: str, columns: Columns, statement: Statement) -> ExportTable:
    def read() -> Iterator[tuple[Any, ...]]:
        found = statement(select(*columns.values())).execution_options(yield_per=ROWS_AT_ONCE)
        for row in session.execute(found):
            yield tuple(row)

    return ExportTable(name=name, title=title, columns=tuple(columns), read=read)
