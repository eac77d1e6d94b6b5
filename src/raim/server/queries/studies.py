"""Studies as organisers see them; what was voted for only once it is revealed."""

import secrets
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.challenge import Phase, StudyRule
from raim.errors import StateError
from raim.records import studies as records
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Image, Judge, Study, StudyEntry, StudyImage
from raim.server.study.ballots import list_study_entries
from raim.server.study.building import propose_study
from raim.server.study.closing import count_unmade
from raim.server.study.progress import judge_progress

MOST_FAULTS = 20  # listed; all are counted
LARGEST_SEED = 2**53  # JSON keeps whole numbers to here


def list_studies(session: Session, challenge: CurrentChallenge) -> records.StudyList:
    """Return every study with counts of its entries, images, judges, and of those who have finished."""
    studies = list(
        session.scalars(select(Study).where(Study.challenge_id == challenge.id).order_by(Study.id.desc()))
    )
    nothing = {"n_entries": 0, "n_images": 0, "n_judges": 0, "n_finished": 0}
    counts: dict[int, dict[str, Any]] = {study.id: dict(nothing) for study in studies}
    for name, table in (("n_entries", StudyEntry), ("n_images", StudyImage)):
        for study_id, count in session.execute(select(table.study_id, func.count()).group_by(table.study_id)):
            counts.get(study_id, {})[name] = count
    for study_id, judges, finished in session.execute(
        select(Judge.study_id, func.count(), func.count(Judge.finished_at))
        .where(~Judge.is_preview, Judge.revoked_at.is_(None))
        .group_by(Judge.study_id)
    ):
        counts.get(study_id, {}).update(n_judges=judges, n_finished=finished)
    return records.StudyList(
        studies=[
            records.StudyBrief.of_row(study, **_phase(challenge, study), **counts[study.id])
            for study in studies
        ],
        phases=_phases_with_finals(challenge),
    )


def find_study_phase(challenge: CurrentChallenge, phase_id: str) -> Phase:
    """Return a phase by its id; without one the phase of [study], else the last one that takes final submissions.

    Raises:
        StateError: No phase takes final submissions.
        UnknownNameError: There is no such phase.
    """
    rule, phases = challenge.definition.study, list(_phases_with_finals(challenge))
    if not phase_id and rule is None and not phases:
        raise StateError(
            "no phase of challenge.toml takes final submissions (`final = ...`); a study compares those"
        )
    return challenge.definition.phase(phase_id or (phases[-1] if rule is None else rule.phase))


def stated_rule(challenge: CurrentChallenge, phase: Phase) -> StudyRule:
    """Return what [study] says, or the usual study where it says nothing."""
    rule = challenge.definition.study
    return rule if rule is not None and rule.phase == phase.id else StudyRule(phase=phase.id)


def read_proposal(session: Session, challenge: CurrentChallenge, phase_id: str) -> records.StudyProposal:
    """Return what a study of a phase's final submissions would be made of, and which images each team misses."""
    phase = find_study_phase(challenge, phase_id)
    found = None if phase.final is None else propose_study(session, challenge, phase)
    return records.StudyProposal(
        phase=phase.id,
        phase_name=phase.name,
        phases=_phases_with_finals(challenge),
        data_set="" if found is None else found.data_set,
        entries=[
            records.ProposedTeam.of_row(each, missing=list(each.missing))
            for each in (found.entries if found else ())
        ],
        images=[
            records.ProposedImage(id=row_id, name=name, issue=issue)
            for row_id, name, issue in (found.images if found else ())
        ],
        design=asdict(stated_rule(challenge, phase)),
        seed=secrets.randbelow(LARGEST_SEED),  # nobody may guess it: labels and orders follow from it
    )


def read_study(session: Session, challenge: CurrentChallenge, study: Study) -> records.StudyDetails:
    """Return a study as it stands; never what was voted for."""
    faults = session.execute(
        select(Image.name, StudyImage.error)
        .join(Image, Image.id == StudyImage.image_id)
        .where(StudyImage.study_id == study.id, StudyImage.error.is_not(None))
        .order_by(Image.name)
        .limit(MOST_FAULTS)
    )
    n_images = session.scalar(select(func.count()).where(StudyImage.study_id == study.id)) or 0
    n_unmade, n_faults = count_unmade(session, study)
    # The labels follow from the seed and the codes.
    secret = {"entries"} if study.state == "revealed" else {"entries", "seed"}
    return records.StudyDetails.of_row(
        study,
        **_phase(challenge, study),
        design={key: value for key, value in study.design.items() if key not in secret},
        entries=[
            records.ComparedEntry.of_row(each, id=each.row.id, left_out=each.row.left_out_reason)
            for each in list_study_entries(session, study)
        ],
        judges=judge_progress(session, study),
        n_images=n_images,
        n_tiles_made=n_images - n_unmade,
        n_faults=n_faults,
        faults=[records.TileFault(image=name, error=error or "") for name, error in faults],
    )


def _phase(challenge: CurrentChallenge, study: Study) -> dict[str, str]:
    phase = challenge.phase_of_row(study.phase_id)
    return {"phase": phase.id, "phase_name": phase.name}


def _phases_with_finals(challenge: CurrentChallenge) -> dict[str, str]:
    """Return the names of the phases that take final submissions, by id."""
    return {phase.id: phase.name for phase in challenge.definition.phases if phase.final is not None}
