"""The challenge, who asks, leaderboards, announcements, downloads."""

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.challenge import Intake, Phase, describe_deadline
from raim.challenge.phase import SubmissionKind
from raim.server.contest import list_announcements
from raim.server.submissions import count_tries
from raim.server.web.api.answers import FAILURES, LIMITED, PREFIX
from raim.server.web.api.records import (
    AnnouncementRecord,
    ChallengeRecord,
    DataSetRecord,
    IntakeRecord,
    MeRecord,
    PhaseRecord,
)
from raim.server.web.context import Admitted, Context
from raim.server.web.pages.data import give_bundle, verdict

router = APIRouter(prefix=PREFIX, tags=["challenge"], responses=FAILURES, dependencies=LIMITED)


@router.get("/challenge", name="api.challenge")
def read_challenge(context: Admitted) -> ChallengeRecord:
    """Give the challenge with its phases in force."""
    challenge = context.contest.challenge
    return ChallengeRecord(
        id=challenge.id,
        name=challenge.name,
        tagline=challenge.tagline,
        profile=challenge.profile,
        measures=[each for each in context.server.profile.columns if each != "score"],
        scorer_version=context.contest.scorer_version,
        max_bytes=challenge.uploads.max_bytes,
        grace_seconds=challenge.uploads.grace_seconds,
        phases=[_phase(context, phase) for phase in challenge.phases],
        data_sets=[
            DataSetRecord(
                id=each.id,
                name=each.name,
                kind=each.kind,
                n_images=len(each.images),
                may_get_inputs=verdict(context, each.id, "input").is_allowed,
                may_get_references=each.kind == "paired"
                and verdict(context, each.id, "reference").is_allowed,
            )
            for each in challenge.data_sets
        ],
    )


@router.get("/announcements", name="api.announcements")
def read_announcements(context: Admitted) -> list[AnnouncementRecord]:
    """Give the announcements, newest first."""
    with context.server.database.reading() as session:
        found = list_announcements(session, context.contest.id)
        return [
            AnnouncementRecord(
                id=each.id, title=each.title, text=each.text, published_at=each.published_at or context.now
            )
            for each in found
        ]


@router.get("/me", name="api.me")
def read_me(context: Admitted) -> MeRecord:
    """Give who asks, with the tries that their team has left."""
    viewer = context.viewer
    intakes: dict[str, list[IntakeRecord]] = {}
    if viewer.team_id is not None:
        with context.server.database.reading() as session:
            for phase in context.contest.challenge.phases:
                intakes[phase.id] = [
                    _intake(kind, intake).model_copy(
                        update=_left(context, session, viewer.team_id, phase.id, kind)
                    )
                    for kind, intake in phase.intakes.items()
                ]
    return MeRecord(
        login=viewer.login,
        role=viewer.role,
        team=viewer.team or None,
        team_id=viewer.team_id,
        team_state=viewer.team_state or None,
        is_finalist=viewer.is_finalist,
        intakes=intakes,
    )


@router.get("/data-sets/{data_set_id}/inputs.zip", name="api.inputs_zip", response_class=Response)
def download_inputs(context: Admitted, data_set_id: str) -> Response:
    """Give all inputs of a data set as a zip; ranges of it can be asked for."""
    return give_bundle(context, data_set_id, "input")


@router.get("/data-sets/{data_set_id}/references.zip", name="api.references_zip", response_class=Response)
def download_references(context: Admitted, data_set_id: str) -> Response:
    """Give all references of a data set as a zip, where a phase gives them out."""
    return give_bundle(context, data_set_id, "reference")


def _phase(context: Context, phase: Phase) -> PhaseRecord:
    return PhaseRecord(
        id=phase.id,
        name=phase.name,
        state=context.contest.state(phase, context.now),
        opens=phase.opens,
        closes=phase.closes,
        deadline=describe_deadline(phase, context.contest.challenge.uploads.grace_seconds),
        gives_out=list(phase.gives_out),
        intakes=[_intake(kind, intake) for kind, intake in phase.intakes.items()],
    )


def _intake(kind: str, intake: Intake) -> IntakeRecord:
    return IntakeRecord(
        kind=kind, data_set=intake.on, tries_per_day=intake.tries_per_day, tries_in_all=intake.tries_in_all
    )


def _left(
    context: Context, session: Session, team_id: int, phase: str, kind: SubmissionKind
) -> dict[str, object]:
    tries = count_tries(session, context.now, context.contest, team_id=team_id, phase=phase, kind=kind)
    return {"left_today": tries.left_today, "left_in_all": tries.left_in_all, "next_at": tries.next_at}
