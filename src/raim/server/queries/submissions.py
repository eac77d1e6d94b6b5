"""Submissions as their team sees them, and as organisers do."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.records import submissions as records
from raim.server.contest import Contest, is_finalist
from raim.server.contest.versions import is_in_force
from raim.server.database import (
    Comment,
    EntryResult,
    Image,
    LogLine,
    Member,
    Phase,
    Result,
    Submission,
    Team,
    Upload,
    User,
)
from raim.server.database.columns import LARGEST_ID
from raim.server.jobs.waiting import queue_places
from raim.server.queries.pages import read_part
from raim.server.submissions import count_tries, received_bytes
from raim.server.submissions.rescoring import unseen_flags

PER_PAGE = 200  # of a team's own list
MOST_LINES = 500  # of the log, the newest
SCORES = ("score", "unscorable", "measures", "scenarios", "scorer_version")


def find_submission(session: Session, submission_id: int) -> Submission:
    """Return a submission's row.

    Raises:
        UnknownNameError: There is none of that number.
    """
    row = session.get(Submission, submission_id)
    if row is None:
        raise UnknownNameError(f"there is no submission {submission_id}")
    return row


def find_image(session: Session, submission: Submission, name: str) -> Image:
    """Return the row of an image of a submission's data set.

    Raises:
        UnknownNameError: There is none of that name.
    """
    image = session.scalar(
        select(Image).where(Image.data_set_id == submission.data_set_id, Image.name == name)
    )
    if image is None:
        raise UnknownNameError(f"there is no image {name!r} in this submission")
    return image


def list_submissions(
    session: Session,
    contest: Contest,
    now: datetime,
    folder: Path,
    *,
    team_ids: Any,
    phase: str,
    kind: str,
    page: int,
) -> records.SubmissionList:
    """Return a page of submissions, newest first.

    Args:
        session: Any session.
        contest: The challenge in force.
        now: The time.
        folder: The server's, with the parts of uploads.
        team_ids: Of which teams; None for all.
        phase: Id of the phase; "" for all.
        kind: "scored", "feedback" or "final"; "" for all.
        page: From 1.
    """
    found = select(Submission.id).order_by(Submission.id.desc())
    if team_ids is not None:
        found = found.where(Submission.team_id.in_(team_ids))
    if phase:
        found = found.where(Submission.phase_id == contest.phase_ids.get(phase, 0))
    if kind:
        found = found.where(Submission.kind == kind)
    part = read_part(session, found, page, per_page=PER_PAGE)
    described = _describe(session, contest, now, folder, [row.id for row in part.rows])
    return records.SubmissionList(
        submissions=[records.Submission(**fields) for fields, _ in described], **part.place
    )


def read_submission(
    session: Session, contest: Contest, now: datetime, folder: Path, submission_id: int
) -> records.Submission:
    """Return a submission as it is now.

    Raises:
        UnknownNameError: There is none of that number.
    """
    return records.Submission(**_describe_one(session, contest, now, folder, submission_id)[0])


def read_details(
    session: Session, contest: Contest, now: datetime, folder: Path, submission_id: int, *, for_team: bool
) -> records.SubmissionDetails:
    """Return a submission with its images, results and comments.

    Raises:
        UnknownNameError: There is none of that number.
    """
    fields, entry = _describe_one(session, contest, now, folder, submission_id)
    details = _details(session, submission_id, entry, for_team=for_team)
    return records.SubmissionDetails(**fields, **details)


def read_history(
    session: Session, contest: Contest, now: datetime, folder: Path, submission_id: int, *, result: int = 0
) -> records.SubmissionHistory:
    """Return all that is known of a submission; `result` chooses the entry whose images are shown.

    Raises:
        UnknownNameError: There is none of that number.
    """
    fields, entry = _describe_one(session, contest, now, folder, submission_id)
    row = session.get_one(Submission, submission_id)
    entries = session.scalars(
        select(EntryResult).where(EntryResult.submission_id == submission_id).order_by(EntryResult.id.desc())
    ).all()
    shown = next((each for each in entries if each.id == result), entry)
    lines = session.scalars(
        select(LogLine)
        .where(LogLine.submission_id == submission_id)
        .order_by(LogLine.id.desc())
        .limit(MOST_LINES)
    ).all()
    login = select(User.login).join(Member, Member.user_id == User.id).where(Member.id == row.member_id)
    copied = (
        "is_verified",
        "is_out_of_competition",
        "attempt",
        "lease_owner",
        "lease_until",
        "flags",
        "report",
    )
    return records.SubmissionHistory(
        **fields,
        **_details(session, submission_id, shown, for_team=False),
        **{name: getattr(row, name) for name in copied},
        login=session.scalars(login).one(),
        unseen_flags=sorted(unseen_flags(session).get(submission_id, {})),
        entries=[_entry(each, is_in_force=_is_in_force(contest, row.data_set_id, each)) for each in entries],
        shown=None if shown is None else shown.id,
        log=[
            records.LogEntry(logged_at=each.logged_at, worker=each.worker, text=each.text)
            for each in reversed(lines)
        ],
    )


def read_results(session: Session, contest: Contest, submission_id: int) -> records.ResultList:
    """Return the measures of a submission's images under the versions in force, else the newest there are."""
    entry = _newest_entries(session, contest, [submission_id]).get(submission_id)
    return records.ResultList(
        submission_id=submission_id,
        scorer_version=None if entry is None else entry.scorer_version,
        images=_results(session, entry),
    )


def read_image(
    session: Session,
    contest: Contest,
    submission_id: int,
    name: str,
    *,
    for_team: bool,
    has_input: bool,
    has_reference: bool,
) -> records.SubmissionImage:
    """Return an image of a submission.

    Args:
        session: Any session.
        contest: The challenge in force.
        submission_id: Which submission.
        name: Of the image.
        for_team: Whether to leave out comments that are meant for organisers only.
        has_input: Whether who asks may see the input.
        has_reference: The same for the reference, if there is one.

    Raises:
        UnknownNameError: There is no such submission, or image.
    """
    submission = find_submission(session, submission_id)
    image = find_image(session, submission, name)
    entry = _newest_entries(session, contest, [submission_id]).get(submission_id)
    names = list(_images(session, submission))
    place = names.index(image.name)
    return records.SubmissionImage(
        submission_id=submission_id,
        name=image.name,
        scenario=image.scenario,
        width=image.width,
        height=image.height,
        data_set=contest.data_set_of_row(submission.data_set_id),
        result=next(iter(_results(session, entry, image_id=image.id)), None),
        comments=_comments(session, submission_id, for_team=for_team, image_id=image.id),
        has_input=has_input,
        has_reference=has_reference and image.reference_sha256 is not None,
        before=names[place - 1] if place else None,
        after=names[place + 1] if place + 1 < len(names) else None,
    )


def list_targets(session: Session, contest: Contest, now: datetime, team_id: int) -> list[records.Target]:
    """Return each kind of submission of each phase, with what a team has left of it."""
    is_invited = is_finalist(session, contest, team_id)
    found = []
    for phase in contest.challenge.phases:
        state = contest.state(phase, now)
        is_for_team = phase.open_to == "teams" or is_invited
        for kind, intake in phase.intakes.items():
            tries = count_tries(session, now, contest, team_id=team_id, phase=phase.id, kind=kind)
            data_set = contest.challenge.data_set(intake.on)
            may_now = tries.next_at is not None and tries.next_at <= now
            found.append(
                records.Target(
                    phase=phase.id,
                    phase_name=phase.name,
                    kind=kind,
                    data_set=data_set.name,
                    n_images=len(data_set.images),
                    left_today=tries.left_today,
                    left_in_all=tries.left_in_all,
                    next_at=tries.next_at,
                    phase_state=state,
                    is_for_team=is_for_team,
                    is_open=state == "open" and is_for_team and may_now,
                )
            )
    return found


def list_of_every_team(
    session: Session,
    contest: Contest,
    *,
    team: str,
    phase: str,
    kind: str,
    state: str,
    flagged: str,
    page: int,
) -> records.EveryTeamsList:
    """Return a page of all teams' submissions, newest first; each of the words may be ""."""
    asked: dict[str, Any] = {"team": team, "phase": phase, "kind": kind, "state": state, "flagged": flagged}
    found = (
        select(Submission, Team.name, Phase.title, EntryResult.score)
        .join(Team, Team.id == Submission.team_id)
        .join(Phase, Phase.id == Submission.phase_id)
        .outerjoin(EntryResult, is_in_force(contest))
        .order_by(Submission.id.desc())
    )
    if team:
        found = found.where(Submission.team_id == min(int(team), LARGEST_ID))
    if phase:
        found = found.where(Phase.slug == phase)
    if kind:
        found = found.where(Submission.kind == kind)
    if state:
        found = found.where(Submission.state == state)
    if flagged == "unseen":
        found = found.where(Submission.id.in_(unseen_flags(session)))
    part = read_part(session, found, page)
    teams = session.execute(
        select(Team.id, Team.name).where(Team.challenge_id == contest.id).order_by(Team.name_key)
    )
    phases = session.execute(
        select(Phase.slug, Phase.title).where(Phase.challenge_id == contest.id).order_by(Phase.position)
    )
    return records.EveryTeamsList(
        submissions=[_line(*row) for row in part.rows],
        teams={each.id: each.name for each in teams},
        phases={each.slug: each.title for each in phases},
        **(asked | part.place),
    )


def _line(row: Submission, team: str, phase: str, score: float | None) -> records.SubmissionLine:
    copied = (
        "id",
        "kind",
        "state",
        "is_chosen",
        "received_at",
        "team_id",
        "is_verified",
        "is_out_of_competition",
    )
    return records.SubmissionLine(
        **{name: getattr(row, name) for name in copied},
        team=team,
        phase=phase,
        score=score,
        has_flags=bool(row.flags),
        is_asked_again=row.rescore_asked_at is not None,
        remark=row.error or row.note,
    )


def _describe_one(
    session: Session, contest: Contest, now: datetime, folder: Path, submission_id: int
) -> tuple[dict[str, Any], EntryResult | None]:
    found = _describe(session, contest, now, folder, [submission_id])
    if not found:
        raise UnknownNameError(f"there is no submission {submission_id}")
    return found[0]


def _describe(
    session: Session, contest: Contest, now: datetime, folder: Path, submission_ids: Sequence[int]
) -> list[tuple[dict[str, Any], EntryResult | None]]:
    """Return the fields of `Submission` with the means, newest first, with few questions however many there are."""
    rows = session.execute(
        select(Submission, Team.name, Phase, User.name, Upload)
        .join(Team, Team.id == Submission.team_id)
        .join(Phase, Phase.id == Submission.phase_id)
        .join(Member, Member.id == Submission.member_id)
        .join(User, User.id == Member.user_id)
        .outerjoin(Upload, Upload.submission_id == Submission.id)
        .where(Submission.id.in_(submission_ids))
        .order_by(Submission.id.desc())
    ).all()
    entries = _newest_entries(session, contest, submission_ids)
    waiting = [row.id for row, *_ in rows if row.facts.is_waiting]
    places = queue_places(session, now, waiting) if waiting else {}
    here = f"/c/{contest.challenge.id}"
    copied = (
        "id", "kind", "state", "team_id", "note", "received_at", "state_at", "takes_try", "is_chosen",
        "rescore_asked_at", "error", "images_done", "images_total",
    )  # fmt: skip
    described = []
    for row, team, phase, author, upload in rows:
        entry, report = entries.get(row.id), row.report or {}
        place = places.get(row.id)
        came, upload_place = row.committed_bytes, None
        if row.facts.is_arriving and upload is not None:
            came = received_bytes(folder, upload)
            upload_place = records.UploadPlace(url=f"{here}/uploads/{upload.key}", offset=came)
        nothing: dict[str, Any] = {
            "score": None,
            "unscorable": None,
            "measures": {},
            "scenarios": {},
            "scorer_version": None,
        }
        fields = {
            **{name: getattr(row, name) for name in copied},
            **{name: nothing[name] if entry is None else getattr(entry, name) for name in SCORES},
            "page": f"{here}/submissions/{row.id}",
            "phase": phase.slug,
            "phase_title": phase.title,
            "team": team,
            "sent_by": author,
            "file_name": "" if upload is None else upload.file_name,
            "n_bytes": row.committed_bytes,
            "sha256": row.committed_sha256,
            "received_bytes": came,
            "upload": upload_place,
            "problems": [each["message"] for each in report.get("problems", [])],
            "notes": [each["message"] for each in report.get("notes", [])],
            "position": place.position if place else None,
            "expected_at": place.expected_at if place else None,
            "is_in_force": entry is not None and _is_in_force(contest, row.data_set_id, entry),
        }
        described.append((fields, entry))
    return described


def _newest_entries(
    session: Session, contest: Contest, submission_ids: Sequence[int]
) -> dict[int, EntryResult]:
    """Return for each submission its means under the versions in force, else the newest there are."""
    rows = session.execute(
        select(EntryResult, Submission.data_set_id)
        .join(Submission, Submission.id == EntryResult.submission_id)
        .where(EntryResult.submission_id.in_(submission_ids))
        .order_by(EntryResult.scored_at, EntryResult.id)
    ).all()
    ordered = sorted(rows, key=lambda pair: _is_in_force(contest, pair[1], pair[0]))
    return {entry.submission_id: entry for entry, _ in ordered}  # the last one stays


def _is_in_force(contest: Contest, data_set_id: int, entry: EntryResult) -> bool:
    pairs = (contest.in_force[slug] for slug, row_id in contest.data_set_ids.items() if row_id == data_set_id)
    return (entry.scorer_version, entry.reference_version) in pairs


def _entry(entry: EntryResult, *, is_in_force: bool) -> records.EntryScores:
    names = [name for name in records.EntryScores.model_fields if name != "is_in_force"]
    return records.EntryScores(**{name: getattr(entry, name) for name in names}, is_in_force=is_in_force)


def _details(
    session: Session, submission_id: int, entry: EntryResult | None, *, for_team: bool
) -> dict[str, Any]:
    return {
        "images": _images(session, session.get_one(Submission, submission_id)),
        "results": _results(session, entry),
        "comments": _comments(session, submission_id, for_team=for_team),
    }


def _images(session: Session, submission: Submission) -> dict[str, str | None]:
    found = session.execute(
        select(Image.name, Image.scenario)
        .where(Image.data_set_id == submission.data_set_id)
        .order_by(Image.name)
    )
    return {each.name: each.scenario for each in found}


def _results(
    session: Session, entry: EntryResult | None, *, image_id: int | None = None
) -> list[records.ImageResult]:
    """Return the results of one pair of versions: those without a score first, then the worst."""
    if entry is None:
        return []
    found = (
        select(Result, Image)
        .join(Image, Image.id == Result.image_id)
        .where(
            Result.submission_id == entry.submission_id,
            Result.scorer_version == entry.scorer_version,
            Result.reference_version == entry.reference_version,
        )
        .order_by(Result.score.is_not(None), Result.score, Image.name)
    )
    rows = session.execute(found if image_id is None else found.where(Image.id == image_id))
    return [
        records.ImageResult(
            name=image.name,
            scenario=image.scenario,
            score=result.score,
            measures=result.measures,
            unscorable=result.unscorable,
        )
        for result, image in rows
    ]


def _comments(
    session: Session, submission_id: int, *, for_team: bool, image_id: int | None = None
) -> list[records.Comment]:
    found = (
        select(Comment, User.name, Image.name)
        .join(User, User.id == Comment.author_id)
        .outerjoin(Image, Image.id == Comment.image_id)
        .where(Comment.submission_id == submission_id)
        .order_by(Comment.id)
    )
    if for_team:
        found = found.where(Comment.is_shown_to_team)
    if image_id is not None:
        found = found.where(Comment.image_id == image_id)
    return [
        records.Comment(
            author=author,
            image=image,
            region=_region(each),
            text=each.text,
            created_at=each.created_at,
            is_shown_to_team=each.is_shown_to_team,
        )
        for each, author, image in session.execute(found)
    ]


def _region(comment: Comment) -> records.Region | None:
    parts: dict[str, Any] = {name: getattr(comment, f"region_{name}") for name in records.Region.model_fields}
    return None if comment.region_x is None else records.Region(**parts)
