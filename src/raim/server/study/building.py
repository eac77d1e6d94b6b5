"""Building a study: whose images can be judged, what is missing, and the draft with its design."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import Phase, StudyRule
from raim.errors import InputError, StateError
from raim.server.actions.accounts import check_name
from raim.server.actions.finalists import list_finalists
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Image, Study, StudyEntry, StudyImage, Team
from raim.server.submissions.choices import final_submissions
from raim.server.submissions.restored import places_of
from raim.study import StudyDesign

LEAST_ENTRIES = 2
LONGEST_INSTRUCTIONS = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ProposedEntry:
    """A team's images for the study.

    Attributes:
        team_id: The team.
        team: Its name.
        submission_id: Its final submission that counts: the chosen one, else the newest; None if it has none.
        missing: Names of images that are missing in the submission.
    """

    team_id: int
    team: str
    submission_id: int | None
    missing: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it can be judged."""
        return self.submission_id is not None and not self.missing


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What a study would be made of.

    Attributes:
        phase: Whose final submissions.
        data_set: Id of the set of images in the challenge's file.
        images: (row, name, issue) of each, in the order of names.
        entries: Of finalists by place, or of every approved team where there are none.
    """

    phase: Phase
    data_set: str
    images: tuple[tuple[int, str, str], ...]
    entries: tuple[ProposedEntry, ...]


def propose_study(session: Session, challenge: CurrentChallenge, phase: Phase) -> Proposal:
    """Look at what a study of a phase's final submissions would be made of.

    Raises:
        StateError: The phase takes no final submissions.
    """
    if phase.final is None:
        raise StateError(f"{phase.name} takes no final submissions; a study needs a phase with `final = ...`")
    images = session.execute(
        select(Image.id, Image.name, Image.scenario)
        .where(Image.data_set_id == challenge.data_set_ids[phase.final.on])
        .order_by(Image.name)
    ).all()
    names = [name for _, name, _ in images]
    submissions = final_submissions(session, challenge, phase)
    places = places_of(session, [each.id for each in submissions.values()])
    entries = []
    for team in _candidates(session, challenge):
        found = submissions.get(team.id)
        held = {} if found is None else places[found.id]
        missing = () if found is None else tuple(name for name in names if name not in held)
        entries.append(
            ProposedEntry(
                team_id=team.id,
                team=team.name,
                submission_id=None if found is None else found.id,
                missing=missing,
            )
        )
    return Proposal(
        phase=phase,
        data_set=phase.final.on,
        images=tuple((row_id, name, scenario or "") for row_id, name, scenario in images),
        entries=tuple(entries),
    )


def build_study(
    session: Session,
    now: datetime,
    challenge: CurrentChallenge,
    proposal: Proposal,
    *,
    title: str,
    rule: StudyRule,
    seed: int,
    submissions: Sequence[int] | None = None,
    image_names: Sequence[str] | None = None,
    instructions: str = "",
    min_width: int = 1280,
    min_height: int = 720,
    is_simulated: bool = False,
    actor_id: int | None,
) -> Study:
    """Make the draft of a study; its tiles are then made by a job.

    All orders follow from the seed. Without `submissions`, or `image_names`, everything whole takes part. The least
    size of a judge's window is in CSS pixels.

    Raises:
        InputError: Fewer than two entries, an entry with missing images, no image, or the design cannot be.
    """
    entries = _chosen_entries(proposal, submissions)
    images = _chosen_images(proposal, image_names)
    codes = [f"e{number}" for number in range(1, len(entries) + 1)]
    # The order of codes says nothing about places: it is drawn, and codes never reach a judge's browser.
    drawn = random.Random(seed).sample(entries, len(entries))  # noqa: S311 - not a secret
    design = StudyDesign.from_rule(
        rule, entries=tuple(codes), images={name: issue for _, name, issue in images}, seed=seed
    )
    study = Study(
        challenge_id=challenge.id,
        phase_id=challenge.phase_ids[proposal.phase.id],
        data_set_id=challenge.data_set_ids[proposal.data_set],
        title=check_name(title, "study's title"),
        design=design.to_plain(),
        instructions=instructions[:LONGEST_INSTRUCTIONS],
        min_width=min_width,
        min_height=min_height,
        is_simulated=is_simulated,
        created_at=now,
    )
    session.add(study)
    session.flush()
    for code, entry in zip(codes, drawn, strict=True):
        session.add(StudyEntry(study_id=study.id, submission_id=entry.submission_id, code=code))
    for row_id, _, _ in images:
        session.add(StudyImage(study_id=study.id, image_id=row_id))
    details: dict[str, Any] = {
        "entries": len(entries),
        "images": len(images),
        "seed": seed,
        "mode": rule.mode,
    }
    record_event(session, now, "build study", study, actor_id=actor_id, **details)
    return study


def _chosen_entries(proposal: Proposal, submissions: Sequence[int] | None) -> list[ProposedEntry]:
    wanted = None if submissions is None else set(submissions)
    chosen = [
        each
        for each in proposal.entries
        if (
            each.is_whole
            if wanted is None
            else each.submission_id is not None and each.submission_id in wanted
        )
    ]
    broken = [each for each in chosen if each.missing]
    if broken:
        raise InputError(
            f"{broken[0].team} misses {len(broken[0].missing)} images ({', '.join(broken[0].missing[:5])}); every "
            "candidate needs every image: leave the team or the images out"
        )
    if len(chosen) < LEAST_ENTRIES:
        raise InputError(
            f"{len(chosen)} teams have a whole final submission; a study compares at least {LEAST_ENTRIES}"
        )
    return chosen


def _chosen_images(proposal: Proposal, names: Sequence[str] | None) -> list[tuple[int, str, str]]:
    wanted = None if names is None else set(names)
    unknown = (wanted or set()) - {name for _, name, _ in proposal.images}
    if unknown:
        raise InputError(f"there is no image {min(unknown)!r} in {proposal.data_set}")
    chosen = [each for each in proposal.images if wanted is None or each[1] in wanted]
    if not chosen:
        raise InputError("a study needs at least one image")
    return chosen


def _candidates(session: Session, challenge: CurrentChallenge) -> list[Team]:
    """Return finalists by place, or every approved team of a challenge without a final."""
    if challenge.definition.finalists is not None:
        rows = [each for each in list_finalists(session, challenge) if each.declined_at is None]
        teams = {
            team.id: team
            for team in session.scalars(select(Team).where(Team.id.in_([e.team_id for e in rows])))
        }
        return [teams[each.team_id] for each in rows]
    found = (
        select(Team).where(Team.challenge_id == challenge.id, Team.state == "approved").order_by(Team.name)
    )
    return list(session.scalars(found))
