"""Submissions of all teams, for organisers: found by filters, scored again, marked, commented on."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from raim.errors import InputError, UnknownNameError
from raim.records.record import LARGEST_ID
from raim.records.submissions import (
    Asked,
    EveryTeamsList,
    NewComment,
    Region,
    SubmissionChange,
    SubmissionHistory,
    SubmissionImage,
)
from raim.records.submissions import Submission as SubmissionRecord
from raim.server.database import Submission, User
from raim.server.queries import desk_submissions as queries
from raim.server.queries.images import find_image
from raim.server.queries.rows import find_row
from raim.server.queries.submissions import read_submission, read_submission_image
from raim.server.submissions import rescoring as actions
from raim.server.submissions.comments import add_comment, read_comments
from raim.server.submissions.input_entry import check_phase, enter_input, keep_inputs
from raim.server.web.context import RequestContext
from raim.server.web.fields import Page, RowId, Search, Slug
from raim.server.web.routes.data import give_stored, log_sight
from raim.server.web.routes.submissions import ImageName
from raim.server.web.routing import Area

area = Area("desk")
PATH = "/desk/submissions/{submission_id}"
IMAGE = f"{PATH}/images/{{name}}"


@area.get("/desk/submissions", who="organiser", template="desk_submissions")
def list_desk_submissions(
    context: RequestContext,
    team: Annotated[str, Query(max_length=10, pattern="^[0-9]*$")] = "",
    phase: Search = "",
    kind: Search = "",
    state: Search = "",
    flagged: Search = "",
    page: Page = "",
) -> EveryTeamsList:
    """Return submissions of all teams, newest first; "unseen" flags, or "unread" comments, are what waits."""
    return queries.list_of_every_team(
        context.session, context.challenge,
        team=team, phase=phase, kind=kind, state=state, flagged=flagged, page=page,
    )  # fmt: skip


@area.get(PATH, who="organiser", template="desk_submission")
def show_desk_submission(
    context: RequestContext, submission_id: RowId, result: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0
) -> SubmissionHistory:
    """Return all that is known of a submission; `result` chooses under which versions its images are shown."""
    return queries.read_history(
        context.session, context.challenge, context.forecast, submission_id, result=result
    )


@area.post(PATH, who="organiser", page=show_desk_submission, note="saved")
def change_submission(
    context: RequestContext, submission_id: RowId, wanted: SubmissionChange
) -> SubmissionHistory:
    """Set whether it is verified and can win, that its flags were looked at and the team's comments read."""
    row = find_row(context.session, Submission, submission_id, "submission")
    actions.mark_submission(
        context.session,
        context.now,
        row,
        is_verified=wanted.is_verified,
        is_out_of_competition=wanted.is_out_of_competition,
        actor_id=context.user_id,
    )
    if wanted.flags_looked_at and submission_id in actions.unseen_flags(context.session, context.challenge):
        actions.look_at_flags(context.session, context.now, row, actor_id=context.user_id)
    if wanted.comments_read:
        read_comments(context.session, context.now, row, actor_id=context.user_id)
    return show_desk_submission(context, submission_id)


@area.post(f"{PATH}/rescore", who="organiser", page=show_desk_submission, note="rescore")
def score_again(context: RequestContext, submission_id: RowId) -> Asked:
    """Have a scored submission scored again; its results stay."""
    actions.ask_rescore(context.session, context.now, submission_id, actor_id=context.user_id)
    return Asked(submissions=1)


@area.post(f"{PATH}/restart", who="organiser", page=show_desk_submission, note="restarted")
def restart(context: RequestContext, submission_id: RowId) -> SubmissionHistory:
    """Start a failed submission again from its check."""
    actions.restart_failed(context.session, context.now, submission_id, actor_id=context.user_id)
    return show_desk_submission(context, submission_id)


@area.post(
    "/desk/phases/{phase_id}/rescore",
    who="organiser",
    then="/desk/submissions?phase={phase_id}",
    note="rescore_all",
)
def score_phase_again(context: RequestContext, phase_id: Slug) -> Asked:
    """Have all scored submissions of a phase scored again; their results stay."""
    row_id = context.challenge.phase_ids[context.challenge.definition.phase(phase_id).id]
    n_asked = actions.ask_rescore_all(context.session, context.now, row_id, actor_id=context.user_id)
    return Asked(submissions=n_asked)


@area.post(
    "/desk/phases/{phase_id}/input", who="organiser", then="/desk/submissions/{id}", note="sent", status=201
)
def enter_the_input(context: RequestContext, phase_id: Slug) -> SubmissionRecord:
    """Enter the inputs themselves: checked and scored like any entry, listed as a baseline, out of competition."""
    server, challenge = context.server, context.challenge
    phase = challenge.definition.phase(phase_id)
    check_phase(phase, context.now)
    row_id, folder = challenge.data_set_ids[phase.intakes["scored"].on], server.settings.folder
    kept = context.aside(keep_inputs, server.database, server.storage, folder, row_id)
    entered = enter_input(context.session, context.now, challenge, phase, kept, actor_id=context.user_id)
    return read_submission(context.session, challenge, context.forecast, entered.id, for_team=False)


@area.get(IMAGE, who="organiser", template="desk_image")
def show_desk_image(context: RequestContext, submission_id: RowId, name: ImageName) -> SubmissionImage:
    """Return what is known of a restored image, with all comments on it."""
    return read_submission_image(
        context.session, context.challenge, submission_id, name,
        for_team=False, has_input=True, has_reference=True,
    )  # fmt: skip


@area.get(f"{PATH}/reference/{{name}}", who="organiser", is_page=True)
def give_desk_reference(context: RequestContext, submission_id: RowId, name: ImageName) -> Response:
    """Return the reference of an image; for organisers only, whatever the dates: the log has who saw a hidden one."""
    submission = find_row(context.session, Submission, submission_id, "submission")
    image = find_image(context.session, submission, name)
    sha256, given, n_bytes = image.reference_sha256, image.reference_name, image.reference_bytes
    if sha256 is None or given is None or n_bytes is None:
        raise UnknownNameError(f"the image {name!r} has no reference")
    log_sight(context, context.challenge.data_set_of_row(submission.data_set_id), "reference")
    return context.aside(give_stored, context, sha256, name=given, n_bytes=n_bytes)


@area.post(f"{PATH}/comments", who="organiser", page=show_desk_submission, note="commented", status=201)
def comment(context: RequestContext, submission_id: RowId, wanted: NewComment) -> SubmissionHistory:
    """Write a comment on a submission, on one of its images, or on a region of it."""
    submission = find_row(context.session, Submission, submission_id, "submission")
    add_comment(
        context.session,
        context.now,
        submission=submission,
        author=context.session.get_one(User, context.user_id),
        text=wanted.text,
        image=find_image(context.session, submission, wanted.image) if wanted.image else None,
        region=_read_region(wanted),
        is_shown_to_team=wanted.is_shown_to_team,
    )
    return show_desk_submission(context, submission_id)


@area.post(IMAGE, who="organiser", page=show_desk_image, note="commented", status=201)
def comment_on_image(
    context: RequestContext, submission_id: RowId, name: ImageName, wanted: NewComment
) -> SubmissionImage:
    """Write a comment on an image, or on a region of it."""
    comment(context, submission_id, wanted.model_copy(update={"image": name}))
    return show_desk_image(context, submission_id, name)


def _read_region(wanted: NewComment) -> Region | None:
    parts = {name: getattr(wanted, f"region_{name}") for name in Region.model_fields}
    if not any(each is not None for each in parts.values()):
        return None
    if None in parts.values():
        raise InputError(f"a region has {', '.join(parts)} in whole pixels, or none of them")
    return Region(**parts)
