"""One submission: its live status, all reasons or all measures, its images beside the inputs."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import UnknownNameError
from raim.server.contest import Contest
from raim.server.database import EntryResult, Image, Member, Phase, Result, Submission, Team, Upload, User
from raim.server.jobs.queue_facts import expected_at, queue_position
from raim.server.submissions import choose, drop_upload, list_comments, received_bytes, withdraw
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.pages.data import give_stored, verdict
from raim.server.web.rendering import render
from raim.server.web.restored import read_restored
from raim.tables import format_table

router = APIRouter(include_in_schema=False)
PATH = "/submissions/{submission_id}"


@router.get(PATH, name="submission")
def show_submission(context: Admitted, submission_id: int) -> Response:
    """Show a submission."""
    with context.server.database.reading() as session:
        shown = read_status(context, session, submission_id)
        submission: Submission = shown["submission"]
        results = read_results(session, submission, context.contest)
        comments = list_comments(session, submission_id, for_team=not context.viewer.is_organiser)
        names = () if results else _image_names(session, submission)
        return render(
            context,
            "submission.html.jinja",
            **shown,
            results=results,
            comments=comments,
            names=names,
            measures=context.server.profile.columns,
        )


@router.get(f"{PATH}/status", name="submission.status")
def show_status(context: Admitted, submission_id: int) -> Response:
    """Give the part of the page that changes while the submission is worked on."""
    with context.server.database.reading() as session:
        shown = read_status(context, session, submission_id)
        answer = render(context, "submission_status.html.jinja", **shown)
    if not shown["submission"].facts.is_under_way:
        answer.headers["HX-Refresh"] = "true"  # it has ended: the whole page has more to show now
    return answer


@router.get(f"{PATH}/results.csv", name="submission.results_csv")
def give_results(context: Admitted, submission_id: int) -> Response:
    """Give the measures of every image as CSV."""
    columns = context.server.profile.columns
    rows = []
    with context.server.database.reading() as session:
        submission = session.get_one(Submission, submission_id)
        for result, image in read_results(session, submission, context.contest):
            values = {**result.measures, "score": result.score}
            cells = [values.get(each) for each in columns]
            rows.append([image.name, image.scenario, *cells, result.unscorable])
    text = format_table(["image", "scenario", *columns, "unscorable"], rows)
    name = f'attachment; filename="submission-{submission_id}.csv"'
    return Response(text, media_type="text/csv", headers={"Content-Disposition": name})


@router.get(f"{PATH}/file", name="submission.file")
def give_file(context: Admitted, submission_id: int) -> Response:
    """Give back the file that was handed in."""
    with context.server.database.reading() as session:
        submission = session.get_one(Submission, submission_id)
        upload = session.scalar(select(Upload).where(Upload.submission_id == submission_id))
    if upload is None or upload.finished_at is None:
        raise UnknownNameError("the file of this submission has not come whole")
    answer = give_stored(
        context, submission.committed_sha256, name="a.zip", n_bytes=submission.committed_bytes
    )
    answer.headers["Content-Type"] = "application/zip"
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(upload.file_name)}"
    return answer


@router.get(f"{PATH}/images/{{name}}", name="submission.image")
def show_image(context: Admitted, submission_id: int, name: str) -> Response:
    """Show a restored image beside its input; the reference only where it was given out."""
    with context.server.database.reading() as session:
        submission = session.get_one(Submission, submission_id)
        image = find_image(session, submission, name)
        result = next(
            (each for each, of in read_results(session, submission, context.contest) if of.id == image.id),
            None,
        )
        comments = list_comments(
            session, submission_id, for_team=not context.viewer.is_organiser, image_id=image.id
        )
        data_set = context.contest.data_set_of_row(submission.data_set_id)
        names = _image_names(session, submission)
        place = names.index(image.name)
        return render(
            context,
            "submission_image.html.jinja",
            submission=submission,
            image=image,
            result=result,
            comments=comments,
            data_set=data_set,
            measures=context.server.profile.columns,
            shows_input=verdict(context, data_set, "input").is_allowed,
            shows_reference=image.reference_sha256 is not None
            and verdict(context, data_set, "reference").is_allowed
            and not context.viewer.is_organiser,
            before=names[place - 1] if place else None,
            after=names[place + 1] if place + 1 < len(names) else None,
        )


@router.get(f"{PATH}/restored/{{name}}", name="submission.restored")
def give_restored(context: Admitted, submission_id: int, name: str) -> Response:
    """Give a restored image, as it lies in the zip."""
    with context.server.database.reading() as session:
        submission = session.get_one(Submission, submission_id)
        image = find_image(session, submission, name)
        return read_restored(context.server.storage, submission, image.name)


@router.post(f"{PATH}/withdraw", name="submission.withdraw")
def withdraw_submission(context: Admitted, submission_id: int) -> Response:
    """Take a submission back."""
    with context.server.database.writing() as session:
        withdraw(session, context.now, submission_id, acting_member(context, session, submission_id))
        drop_upload(session, context.now, context.server.settings.folder, submission_id)
    return go_to(f"{context.here}/submissions/{submission_id}", note="withdrawn")


@router.post(f"{PATH}/choose", name="submission.choose")
def choose_submission(context: Admitted, submission_id: int) -> Response:
    """Let this entry count."""
    with context.server.database.writing() as session:
        choose(session, context.now, submission_id, acting_member(context, session, submission_id))
    return go_to(f"{context.here}/submissions/{submission_id}", note="chosen")


def acting_member(context: Context, session: Session, submission_id: int) -> Member:
    """Give the member who decides: of the team, never an organiser in its place.

    Raises:
        UnknownNameError: Who asks is an organiser.
    """
    submission = session.get_one(Submission, submission_id)
    if context.viewer.team_id != submission.team_id:
        raise UnknownNameError(
            "only the team decides about its submissions; suspend or flag it on your desk instead"
        )
    return context.member(session)


def find_image(session: Session, submission: Submission, name: str) -> Image:
    """Give an image of a submission's data set.

    Raises:
        UnknownNameError: There is none of that name.
    """
    image = session.scalar(
        select(Image).where(Image.data_set_id == submission.data_set_id, Image.name == name)
    )
    if image is None:
        raise UnknownNameError(f"there is no image {name!r} in this submission")
    return image


def _image_names(session: Session, submission: Submission) -> list[str]:
    found = select(Image.name).where(Image.data_set_id == submission.data_set_id).order_by(Image.name)
    return list(session.scalars(found))


def read_status(context: Context, session: Session, submission_id: int) -> dict[str, Any]:
    """Give what pages and API tell of a submission as a whole."""
    submission, team, phase, author = session.execute(
        select(Submission, Team, Phase, User)
        .join(Team, Team.id == Submission.team_id)
        .join(Phase, Phase.id == Submission.phase_id)
        .join(Member, Member.id == Submission.member_id)
        .join(User, User.id == Member.user_id)
        .where(Submission.id == submission_id)
    ).one()
    upload = session.scalar(select(Upload).where(Upload.submission_id == submission_id))
    received = submission.committed_bytes
    if submission.facts.is_arriving and upload is not None:
        received = received_bytes(context.server.settings.folder, upload)
    report = submission.report or {}
    return {
        "submission": submission,
        "team": team,
        "phase": phase,
        "author": author,
        "upload": upload,
        "received": received,
        "entry": newest_entries(session, [submission_id], context.contest).get(submission_id),
        "position": queue_position(session, submission_id),
        "expected": expected_at(session, context.now, submission_id),
        "problems": [each["message"] for each in report.get("problems", [])],
        "remarks": [each["message"] for each in report.get("notes", [])],
    }


def read_results(session: Session, submission: Submission, contest: Contest) -> list[tuple[Result, Image]]:
    """Give results of the versions in force, else of the newest; unscored images first, then the worst."""
    rows = [
        (result, image)
        for result, image in session.execute(
            select(Result, Image)
            .join(Image, Image.id == Result.image_id)
            .where(Result.submission_id == submission.id)
            .order_by(Result.scored_at)
        )
    ]
    if not rows:
        return []
    versions = [(result.scorer_version, result.reference_version) for result, _ in rows]
    in_force = contest.in_force.values()
    wanted = next((each for each in versions if each in in_force), versions[-1])
    kept = [
        (result, image)
        for result, image in rows
        if (result.scorer_version, result.reference_version) == wanted
    ]
    return sorted(kept, key=lambda pair: (pair[0].score is not None, pair[0].score or 0.0, pair[1].name))


def newest_entries(
    session: Session, submission_ids: Sequence[int], contest: Contest
) -> dict[int, EntryResult]:
    """Give for each submission its means under the versions in force, else the newest there are."""
    rows = session.scalars(
        select(EntryResult)
        .where(EntryResult.submission_id.in_(submission_ids))
        .order_by(EntryResult.scored_at, EntryResult.id)
    ).all()
    in_force = contest.in_force.values()
    ordered = sorted(rows, key=lambda each: (each.scorer_version, each.reference_version) in in_force)
    return {each.submission_id: each for each in ordered}  # the last one stays
