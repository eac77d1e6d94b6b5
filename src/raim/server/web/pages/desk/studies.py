"""Studies: their list, and a new one made of a phase's final submissions."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.challenge import Phase, StudyRule
from raim.challenge.modes import MODES
from raim.errors import InputError, RaimError, StateError
from raim.server.contest import Contest
from raim.server.database import Judge, Study, StudyEntry, StudyImage
from raim.server.study.building import Proposal, build_study, propose_study
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.fields import Search
from raim.server.web.pages.desk.study_form import StudyForm, form_of, rule_of, whole
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
LARGEST_SEED = 2**53  # JSON keeps whole numbers to here


@router.get("/desk/studies", name="desk.studies")
def show_studies(context: Admitted) -> Response:
    """Show all studies."""
    with context.server.database.reading() as session:
        return render(
            context,
            "desk_studies.html.jinja",
            studies=list_studies(session, context.contest),
            phases=phases_with_finals(context.contest),
        )


@router.get("/desk/studies/new", name="desk.study.new")
def show_form(context: Admitted, phase: Search = "") -> Response:
    """Show what a study would be made of, and the form that makes it."""
    return _show_form(context, find_phase(context.contest, phase))


@router.post("/desk/studies/new", name="desk.study.new.post")
def make_study(context: Admitted, form: Annotated[StudyForm, Form()], phase: Search = "") -> Response:
    """Make the draft of a study."""
    try:
        study_id = make_draft(context, phase, form)
    except RaimError as error:
        return _show_form(context, find_phase(context.contest, phase), form=form, error=error)
    return go_to(f"{context.here}/desk/studies/{study_id}", note="study_made")


def list_studies(session: Session, contest: Contest) -> list[tuple[Study, Mapping[str, int]]]:
    """Give every study with counts of its entries, images, judges, and of those who have finished; newest first."""
    studies = list(
        session.scalars(select(Study).where(Study.challenge_id == contest.id).order_by(Study.id.desc()))
    )
    counts: dict[int, dict[str, int]] = {study.id: {} for study in studies}
    for name, table in (("entries", StudyEntry), ("images", StudyImage)):
        for study_id, count in session.execute(select(table.study_id, func.count()).group_by(table.study_id)):
            counts.get(study_id, {})[name] = count
    for study_id, judges, finished in session.execute(
        select(Judge.study_id, func.count(), func.count(Judge.finished_at))
        .where(~Judge.is_preview, Judge.revoked_at.is_(None))
        .group_by(Judge.study_id)
    ):
        counts.get(study_id, {}).update(judges=judges, finished=finished)
    nothing = {"entries": 0, "images": 0, "judges": 0, "finished": 0}
    return [(study, {**nothing, **counts[study.id]}) for study in studies]


def phases_with_finals(contest: Contest) -> list[Phase]:
    """Give the phases that take final submissions."""
    return [phase for phase in contest.challenge.phases if phase.final is not None]


def find_phase(contest: Contest, phase_id: str) -> Phase:
    """Give a phase by its id; without one the phase of [study], else the last one that takes final submissions.

    Raises:
        StateError: No phase takes final submissions.
        UnknownNameError: There is no such phase.
    """
    if phase_id:
        return contest.challenge.phase(phase_id)
    if contest.challenge.study is not None:
        return contest.challenge.phase(contest.challenge.study.phase)
    found = phases_with_finals(contest)
    if not found:
        raise StateError(
            "no phase of challenge.toml takes final submissions (`final = ...`); a study compares those"
        )
    return found[-1]


def stated_rule(contest: Contest, phase: Phase) -> StudyRule:
    """Give what [study] says, or the usual study where it says nothing."""
    rule = contest.challenge.study
    return rule if rule is not None and rule.phase == phase.id else StudyRule(phase=phase.id)


def make_draft(context: Context, phase_id: str, form: StudyForm, *, is_simulated: bool = False) -> int:
    """Make the draft of a study; give its number.

    Raises:
        InputError: Something on the form cannot be.
        StateError: No phase takes final submissions.
    """
    phase = find_phase(context.contest, phase_id)
    if not form.submission or not form.image:
        raise InputError(
            f"no {'image' if form.submission else 'team'} is ticked; tick what the study compares"
        )
    with context.server.database.writing() as session:
        study = build_study(
            session,
            context.now,
            context.contest,
            propose_study(session, context.contest, phase),
            title=form.title,
            rule=rule_of(form, stated_rule(context.contest, phase)),
            seed=whole(form.seed, "seed", low=0, high=LARGEST_SEED),
            submissions=form.submission,
            image_names=form.image,
            instructions=form.instructions,
            min_width=whole(form.min_width, "least width of the window", low=320, high=20_000),
            min_height=whole(form.min_height, "least height of the window", low=240, high=20_000),
            is_simulated=is_simulated,
            actor_id=context.user_id,
        )
        return study.id


def read_proposal(context: Context, session: Session, phase: Phase) -> Proposal | None:
    """Give what a study would be made of; None for a phase without final submissions."""
    return None if phase.final is None else propose_study(session, context.contest, phase)


def _show_form(
    context: Context, phase: Phase, *, form: StudyForm | None = None, error: RaimError | None = None
) -> Response:
    with context.server.database.reading() as session:
        proposal = read_proposal(context, session, phase)
    rule = stated_rule(context.contest, phase)
    # Nobody may guess the seed: labels and orders follow from it.
    typed = form or form_of(
        rule, title=context.contest.challenge.name, seed=secrets.randbelow(LARGEST_SEED), proposal=proposal
    )
    shown: dict[str, Any] = {
        "rule": rule,
        "modes": [(each.name, each.words) for each in MODES.values()],
        "phases": phases_with_finals(context.contest),
    }
    return render(
        context,
        "desk_study_new.html.jinja",
        status=200 if error is None else status_of(error)[0],
        error="" if error is None else str(error),
        phase=phase,
        proposal=proposal,
        typed=typed,
        **shown,
    )
