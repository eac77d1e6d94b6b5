"""Submissions as their team sees them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.records import submissions as records
from raim.server.actions.finalists import is_finalist
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import EntryResult, Member, Phase, Submission, Team, Upload, User
from raim.server.jobs import Forecast
from raim.server.queries.images import find_image, list_comments, list_results, name_images
from raim.server.queries.pages import read_part
from raim.server.queries.rows import find_row
from raim.server.submissions.tries import count_tries

PER_PAGE = 200  # of a team's own list
UNSCORED: dict[str, Any] = {
    "score": None, "unscorable": None, "measures": {}, "scenarios": {}, "scorer_version": None,
}  # fmt: skip
ROWS = (
    select(Submission, Team.name, Phase.slug, Phase.title, User.name, Upload)
    .join(Team, Team.id == Submission.team_id)
    .join(Phase, Phase.id == Submission.phase_id)
    .join(Member, Member.id == Submission.member_id)
    .join(User, User.id == Member.user_id)
    .outerjoin(Upload, Upload.submission_id == Submission.id)
    .where(Submission.id.in_(bindparam("numbers", expanding=True)))
    .order_by(Submission.id.desc())
)
Described = tuple[Submission, dict[str, Any], EntryResult | None]


def list_submissions(
    session: Session,
    challenge: CurrentChallenge,
    forecast: Forecast,
    *,
    team_ids: Any,
    phase: str,
    kind: str,
    page: str,
) -> records.SubmissionList:
    """Return a page of the submissions of some teams, of all for None, newest first.

    `phase` and `kind` may be "" for all.
    """
    found = select(Submission.id).where(Submission.phase_id.in_(challenge.phase_ids.values()))
    if team_ids is not None:
        found = found.where(Submission.team_id.in_(team_ids))
    if phase:
        found = found.where(Submission.phase_id == challenge.phase_ids.get(phase, 0))
    if kind:
        found = found.where(Submission.kind == kind)
    part = read_part(session, found, page, by=Submission.id, per_page=PER_PAGE)
    numbers = [number for (number,) in part.rows]
    described = describe_submissions(session, challenge, forecast, numbers, for_team=team_ids is not None)
    submissions = [records.Submission.of_row(row, **fields) for row, fields, _ in described]
    return records.SubmissionList(submissions=submissions, **part.place)


def read_submission(
    session: Session,
    challenge: CurrentChallenge,
    forecast: Forecast,
    submission_id: int,
    *,
    for_team: bool,
) -> records.Submission:
    """Return a submission as it is now; what a team has withdrawn has no score for it.

    Raises:
        UnknownNameError: There is none of that number.
    """
    row, fields, _ = describe_one(session, challenge, forecast, submission_id, for_team=for_team)
    return records.Submission.of_row(row, **fields)


def read_details(
    session: Session,
    challenge: CurrentChallenge,
    forecast: Forecast,
    submission_id: int,
    *,
    for_team: bool,
) -> records.SubmissionDetails:
    """Return a submission with its images, results and comments.

    Raises:
        UnknownNameError: There is none of that number.
    """
    row, fields, entry = describe_one(session, challenge, forecast, submission_id, for_team=for_team)
    return records.SubmissionDetails.of_row(
        row, **fields, **read_parts(session, row, entry, for_team=for_team)
    )


def read_results(
    session: Session, challenge: CurrentChallenge, submission_id: int, *, for_team: bool
) -> records.ResultList:
    """Return the measures of a submission's images under the versions in force, else the newest there are."""
    entry = _newest_entries(session, challenge, [submission_id], for_team=for_team).get(submission_id)
    version = None if entry is None else entry.scorer_version
    images = list_results(session, entry)
    return records.ResultList(submission_id=submission_id, scorer_version=version, images=images)


def read_submission_image(
    session: Session,
    challenge: CurrentChallenge,
    submission_id: int,
    name: str,
    *,
    for_team: bool,
    has_input: bool,
    has_reference: bool,
) -> records.SubmissionImage:
    """Return an image of a submission, with what who asks may see of input and reference.

    A team does not see comments that are meant for organisers only.

    Raises:
        UnknownNameError: There is no such submission, or image.
    """
    submission = find_row(session, Submission, submission_id, "submission")
    image = find_image(session, submission, name)
    entry = _newest_entries(session, challenge, [submission_id], for_team=for_team).get(submission_id)
    names = list(name_images(session, submission))
    place = names.index(image.name)
    return records.SubmissionImage.of_row(
        image,
        submission_id=submission_id,
        data_set=challenge.data_set_of_row(submission.data_set_id),
        result=next(iter(list_results(session, entry, image_id=image.id)), None),
        comments=list_comments(session, submission_id, for_team=for_team, image_id=image.id),
        has_input=has_input,
        has_reference=has_reference and image.reference_sha256 is not None,
        before=names[place - 1] if place else None,
        after=names[place + 1] if place + 1 < len(names) else None,
    )


def list_targets(
    session: Session, challenge: CurrentChallenge, now: datetime, team_id: int
) -> list[records.Target]:
    """Return each kind of submission of each phase, with what a team has left of it."""
    is_invited = is_finalist(session, challenge, team_id)
    found = []
    for phase in challenge.definition.phases:
        state = challenge.state(phase, now)
        is_for_team = phase.open_to == "teams" or is_invited
        for kind, intake in phase.intakes.items():
            tries = count_tries(session, now, challenge, team_id=team_id, phase=phase.id, kind=kind)
            data_set = challenge.definition.data_set(intake.on)
            may_now = tries.next_at is not None and tries.next_at <= now
            found.append(
                records.Target.of_row(
                    tries,
                    phase=phase.id,
                    phase_name=phase.name,
                    kind=kind,
                    data_set=data_set.name,
                    n_images=len(data_set.images),
                    n_added=challenge.added_tries[phase.id, kind],
                    phase_state=state,
                    is_for_team=is_for_team,
                    is_open=state == "open" and is_for_team and may_now,
                )
            )
    return found


def describe_one(
    session: Session,
    challenge: CurrentChallenge,
    forecast: Forecast,
    submission_id: int,
    *,
    for_team: bool,
) -> Described:
    """Return what `describe_submissions` does of one submission.

    Raises:
        UnknownNameError: There is none of that number.
    """
    found = describe_submissions(session, challenge, forecast, [submission_id], for_team=for_team)
    if not found:
        raise UnknownNameError(f"there is no submission {submission_id}")
    return found[0]


def describe_submissions(
    session: Session,
    challenge: CurrentChallenge,
    forecast: Forecast,
    submission_ids: Sequence[int],
    *,
    for_team: bool,
) -> list[Described]:
    """Return rows, further fields of `Submission` and means, newest first; few queries for however many there are.

    Means are asked for only where something has ended: what is under way has none yet.
    """
    rows = session.execute(ROWS, {"numbers": submission_ids}).all()
    ended = [row.id for row, *_ in rows if not row.facts.is_under_way]
    entries = _newest_entries(session, challenge, ended, for_team=for_team) if ended else {}
    here = f"/c/{challenge.definition.id}"
    described = []
    for row, team, phase, phase_title, author, upload in rows:
        entry, report = entries.get(row.id), row.report or {}
        place = forecast.place(row.id) if row.facts.is_waiting else None
        came, upload_place = row.committed_bytes, None
        if row.facts.is_arriving and upload is not None:
            came = upload.received_bytes
            upload_place = records.UploadPlace(url=f"{here}/uploads/{upload.key}", offset=came)
        scores = UNSCORED if entry is None else {name: getattr(entry, name) for name in UNSCORED}
        fields = {
            **scores,
            "page": f"{here}/submissions/{row.id}",
            "phase": phase,
            "phase_title": phase_title,
            "team": team,
            "sent_by": author,
            "file_name": "" if upload is None else upload.file_name,
            "n_bytes": row.committed_bytes,
            "sha256": row.committed_sha256,
            "has_file": upload is not None and upload.finished_at is not None and row.freed_at is None,
            "received_bytes": came,
            "upload": upload_place,
            "problems": [each["message"] for each in report.get("problems", [])],
            "notes": [each["message"] for each in report.get("notes", [])],
            "position": place.position if place else None,
            "expected_at": place.expected_at if place else None,
            "is_in_force": entry is not None and in_force(challenge, row, entry),
        }
        described.append((row, fields, entry))
    return described


def read_parts(
    session: Session, row: Submission, entry: EntryResult | None, *, for_team: bool
) -> dict[str, Any]:
    """Return images, results and comments of a submission, as fields of `SubmissionDetails`."""
    return {
        "images": name_images(session, row),
        "results": list_results(session, entry),
        "comments": list_comments(session, row.id, for_team=for_team),
    }


def in_force(challenge: CurrentChallenge, row: Submission, entry: EntryResult) -> bool:
    """Return whether boards show these means of a submission."""
    data_set = challenge.data_set_of_row(row.data_set_id)
    return (entry.scorer_version, entry.reference_version) == challenge.in_force[data_set]


def _newest_entries(
    session: Session, challenge: CurrentChallenge, submission_ids: Sequence[int], *, for_team: bool
) -> dict[int, EntryResult]:
    """Return for each submission its means under the versions in force, else the newest there are.

    What its team has withdrawn keeps them for organisers only.
    """
    found = (
        select(EntryResult, Submission)
        .join(Submission, Submission.id == EntryResult.submission_id)
        .where(EntryResult.submission_id.in_(submission_ids))
        .order_by(EntryResult.scored_at, EntryResult.id)
    )
    if for_team:
        found = found.where(~Submission.where("is_withdrawn"))
    rows = session.execute(found).all()
    ordered = sorted(rows, key=lambda pair: in_force(challenge, pair[1], pair[0]))
    return {entry.submission_id: entry for entry, _ in ordered}  # the last one stays
