"""The organisers' API: submissions of all teams, scoring again, comments."""

from fastapi import APIRouter

from raim.server.database import Submission
from raim.server.queries.desk import find_phase
from raim.server.submissions import Region
from raim.server.submissions.rescoring import (
    ask_rescore,
    ask_rescore_all,
    look_at_flags,
    mark_submission,
    restart_failed,
    unseen_flags,
)
from raim.server.web.api.answers import FAILURES, LIMITED, PREFIX
from raim.server.web.api.desk_records import (
    Asked,
    EntryRecord,
    LogRecord,
    Made,
    NewComment,
    SubmissionChange,
    SubmissionDetails,
)
from raim.server.web.api.records import as_plain
from raim.server.web.context import Admitted, Context
from raim.server.web.fields import RowId, Slug, find_row
from raim.server.web.pages.desk.looking import write_comment
from raim.server.web.pages.desk.submissions import read_submission

router = APIRouter(prefix=f"{PREFIX}/desk", tags=["desk"], responses=FAILURES, dependencies=LIMITED)
PATH = "/submissions/{submission_id}"


@router.get(PATH, name="api.desk.submission")
def read_details(context: Admitted, submission_id: RowId) -> SubmissionDetails:
    """Give report, flags, log and the results under all versions."""
    return _details(context, submission_id)


@router.patch(PATH, name="api.desk.submission.change")
def change_submission(context: Admitted, submission_id: RowId, wanted: SubmissionChange) -> SubmissionDetails:
    """Say whether it is verified and can win, and that its flags were looked at."""
    with context.server.database.writing() as session:
        row = find_row(session, Submission, submission_id, "submission")
        out = wanted.is_out_of_competition
        mark_submission(
            session,
            context.now,
            row,
            is_verified=row.is_verified if wanted.is_verified is None else wanted.is_verified,
            is_out_of_competition=row.is_out_of_competition if out is None else out,
            actor_id=context.user_id,
        )
        if wanted.flags_looked_at and submission_id in unseen_flags(session):
            look_at_flags(session, context.now, row, actor_id=context.user_id)
    return _details(context, submission_id)


@router.post(f"{PATH}/rescore", name="api.desk.rescore")
def rescore(context: Admitted, submission_id: RowId) -> Asked:
    """Have a scored submission scored again; its results stay."""
    with context.server.database.writing() as session:
        ask_rescore(session, context.now, submission_id, actor_id=context.user_id)
    return Asked(submissions=1)


@router.post("/phases/{phase_id}/rescore", name="api.desk.rescore_all")
def rescore_phase(context: Admitted, phase_id: Slug) -> Asked:
    """Have all scored submissions of a phase scored again; their results stay."""
    with context.server.database.writing() as session:
        row = find_phase(session, context.contest, phase_id)
        return Asked(submissions=ask_rescore_all(session, context.now, row.id, actor_id=context.user_id))


@router.post(f"{PATH}/restart", name="api.desk.restart")
def restart(context: Admitted, submission_id: RowId) -> SubmissionDetails:
    """Start a failed submission again from its check."""
    with context.server.database.writing() as session:
        restart_failed(session, context.now, submission_id, actor_id=context.user_id)
    return _details(context, submission_id)


@router.post(f"{PATH}/comments", name="api.desk.comment", status_code=201)
def comment(context: Admitted, submission_id: RowId, wanted: NewComment) -> Made:
    """Write a comment on a submission, on one of its images, or on a part of it."""
    region = wanted.region
    with context.server.database.writing() as session:
        made = write_comment(
            context,
            session,
            submission_id,
            text=wanted.text,
            image=wanted.image or "",
            region=None
            if region is None
            else Region(x=region.x, y=region.y, width=region.width, height=region.height),
            is_shown=wanted.is_shown_to_team,
        )
        return Made(id=made.id)


def _details(context: Context, submission_id: int) -> SubmissionDetails:
    with context.server.database.reading() as session:
        find_row(session, Submission, submission_id, "submission")
        found = read_submission(context, session, submission_id)
        row: Submission = found["submission"]
        return SubmissionDetails(
            id=row.id,
            team_id=row.team_id,
            team=found["team"].name,
            state=row.state,
            sent_by=found["author"].login,
            is_verified=row.is_verified,
            is_out_of_competition=row.is_out_of_competition,
            rescore_asked_at=row.rescore_asked_at,
            attempt=row.attempt,
            lease_owner=row.lease_owner,
            flags=row.flags,
            unseen_flags=sorted(found["unseen"]),
            report=row.report,
            entries=[
                EntryRecord(
                    id=each.id,
                    scorer_version=each.scorer_version,
                    reference_version=each.reference_version,
                    scored_at=each.scored_at,
                    score=as_plain(each.score),
                    unscorable=each.unscorable,
                    measures=each.measures,
                    scenarios=each.scenarios,
                    n_images=each.n_images,
                    n_scored=each.n_scored,
                )
                for each in found["entries"]
            ],
            log=[
                LogRecord(logged_at=each.logged_at, worker=each.worker, text=each.text)
                for each in found["lines"]
            ],
        )
