"""The tables of an export that are one query each; rows are read in portions while they are handed on."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from raim.server.contest.contest import Contest
from raim.server.contest.export_formats import ExportTable
from raim.server.database import (
    Announcement,
    AuditEvent,
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

ROWS_AT_ONCE = 500
Columns = Mapping[str, Any]
Statement = Callable[[Select[Any]], Select[Any]]


def people_tables(session: Session, contest: Contest) -> Iterator[ExportTable]:
    """Give teams, their members, and all accounts."""
    yield _table(
        session,
        "teams",
        "Teams with their state and marks",
        {
            "id": Team.id,
            "name": Team.name,
            "state": Team.state,
            "is_baseline": Team.is_baseline,
            "is_out_of_competition": Team.is_out_of_competition,
            "merged_into": Team.merged_into,
            "created_at": Team.created_at,
        },
        lambda found: found.where(Team.challenge_id == contest.id).order_by(Team.id),
    )
    yield _table(
        session,
        "members",
        "Who is in which team",
        {
            "id": Member.id,
            "team": Team.name,
            "login": User.login,
            "name": User.name,
            "email": User.email,
            "role": Member.role,
            "joined_at": Member.joined_at,
        },
        lambda found: (
            found.join(Team, Team.id == Member.team_id)
            .join(User, User.id == Member.user_id)
            .where(Member.challenge_id == contest.id)
            .order_by(Member.id)
        ),
    )
    yield _table(
        session,
        "users",
        "Accounts; never a password or a token",
        {
            "id": User.id,
            "login": User.login,
            "name": User.name,
            "email": User.email,
            "role": User.role,
            "created_at": User.created_at,
            "consented_at": User.consented_at,
            "disabled_at": User.disabled_at,
        },
        lambda found: found.order_by(User.id),
    )


def entry_tables(session: Session, measures: tuple[str, ...]) -> Iterator[ExportTable]:
    """Give submissions, and the results of entries and of images with a column for each measure."""
    author = aliased(User)
    yield _table(
        session,
        "submissions",
        "What teams have handed in",
        {
            "id": Submission.id,
            "team": Team.name,
            "phase": Phase.slug,
            "kind": Submission.kind,
            "state": Submission.state,
            "received_at": Submission.received_at,
            "state_at": Submission.state_at,
            "sent_by": author.login,
            "file_name": Upload.file_name,
            "n_bytes": Submission.committed_bytes,
            "sha256": Submission.committed_sha256,
            "note": Submission.note,
            "takes_try": Submission.takes_try,
            "is_chosen": Submission.is_chosen,
            "is_verified": Submission.is_verified,
            "is_out_of_competition": Submission.is_out_of_competition,
            "error": Submission.error,
            "flags": Submission.flags,
            "report": Submission.report,
        },
        lambda found: (
            found.join(Team, Team.id == Submission.team_id)
            .join(Phase, Phase.id == Submission.phase_id)
            .join(Member, Member.id == Submission.member_id)
            .join(author, author.id == Member.user_id)
            .outerjoin(Upload, Upload.submission_id == Submission.id)
            .order_by(Submission.id)
        ),
    )
    yield _with_measures(_entry_results(session), measures)
    yield _with_measures(_image_results(session), measures)


def _entry_results(session: Session) -> ExportTable:
    return _table(
        session,
        "entry_results",
        "Means of each submission, under every scorer version",
        {
            "submission": EntryResult.submission_id,
            "team": Team.name,
            "scorer_version": EntryResult.scorer_version,
            "reference_version": EntryResult.reference_version,
            "scored_at": EntryResult.scored_at,
            "n_images": EntryResult.n_images,
            "n_scored": EntryResult.n_scored,
            "unscorable": EntryResult.unscorable,
            "scenarios": EntryResult.scenarios,
            "score": EntryResult.score,
            "measures": EntryResult.measures,
        },
        lambda found: (
            found.join(Submission, Submission.id == EntryResult.submission_id)
            .join(Team, Team.id == Submission.team_id)
            .order_by(EntryResult.id)
        ),
    )


def _image_results(session: Session) -> ExportTable:
    return _table(
        session,
        "results",
        "Every image of every submission, under every scorer version",
        {
            "submission": Result.submission_id,
            "team": Team.name,
            "image": Image.name,
            "scenario": Image.scenario,
            "scorer_version": Result.scorer_version,
            "reference_version": Result.reference_version,
            "restored_sha256": Result.restored_sha256,
            "scored_at": Result.scored_at,
            "unscorable": Result.unscorable,
            "score": Result.score,
            "measures": Result.measures,
        },
        lambda found: (
            found.join(Image, Image.id == Result.image_id)
            .join(Submission, Submission.id == Result.submission_id)
            .join(Team, Team.id == Submission.team_id)
            .order_by(Result.id)
        ),
    )


def text_tables(session: Session, contest: Contest) -> Iterator[ExportTable]:
    """Give comments, announcements and finalists."""
    yield _table(
        session,
        "comments",
        "Organisers' comments; regions in pixels of the restored image",
        {
            "id": Comment.id,
            "submission": Comment.submission_id,
            "author": User.name,
            "image": Image.name,
            "region_x": Comment.region_x,
            "region_y": Comment.region_y,
            "region_width": Comment.region_width,
            "region_height": Comment.region_height,
            "text": Comment.text,
            "is_shown_to_team": Comment.is_shown_to_team,
            "created_at": Comment.created_at,
        },
        lambda found: (
            found.join(User, User.id == Comment.author_id)
            .outerjoin(Image, Image.id == Comment.image_id)
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
            "title": Announcement.title,
            "text": Announcement.text,
            "published_at": Announcement.published_at,
            "withdrawn_at": Announcement.withdrawn_at,
        },
        lambda found: (
            found.join(User, User.id == Announcement.author_id)
            .where(Announcement.challenge_id == contest.id)
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
            "invited_at": Finalist.invited_at,
            "accepted_at": Finalist.accepted_at,
            "declined_at": Finalist.declined_at,
            "replaces": Finalist.replaces_id,
        },
        lambda found: (
            found.join(Phase, Phase.id == Finalist.phase_id)
            .join(Team, Team.id == Finalist.team_id)
            .where(Phase.challenge_id == contest.id)
            .order_by(Finalist.position, Finalist.id)
        ),
    )


def audit_table(session: Session) -> ExportTable:
    """Give the log of who did what."""
    return _table(
        session,
        "audit",
        "Who did what; without an actor it was the server",
        {
            "id": AuditEvent.id,
            "happened_at": AuditEvent.happened_at,
            "action": AuditEvent.action,
            "actor": User.login,
            "subject": AuditEvent.subject,
            "subject_id": AuditEvent.subject_id,
            "address": AuditEvent.address,
            "details": AuditEvent.details,
        },
        lambda found: found.outerjoin(User, User.id == AuditEvent.actor_id).order_by(AuditEvent.id),
    )


def _with_measures(table: ExportTable, measures: tuple[str, ...]) -> ExportTable:
    """Give a table whose last column, a record of measures, is a column for each of them."""

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
