"""What everybody sees of a challenge: phases, data sets, rules, announcements; and what a team has left."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.challenge import Verdict, current_phase, describe_deadline, next_phase
from raim.challenge.data_set import DataSetPart
from raim.records import challenge as records
from raim.scoring.profiles import Profile
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Announcement, Team
from raim.server.queries.leaderboard import newest_phase, visible_phases
from raim.server.standings import StandingsCache
from raim.server.submissions.tries import count_tries

NEWEST = 3  # announcements on the first page
MOST_TOP = 3  # of a leaderboard, in the list of challenges
Judgement = Callable[[str, DataSetPart], Verdict]


def read_challenge(
    session: Session, challenge: CurrentChallenge, now: datetime, *, profile: Profile, verdict: Judgement
) -> records.Challenge:
    """Return the challenge with its phases in force; `verdict` says what may be downloaded."""
    definition = challenge.definition
    current, upcoming = current_phase(definition, now), next_phase(definition, now)
    return records.Challenge.of_row(
        definition,
        measures=[each for each in profile.columns if each != "score"],
        scorer_version=challenge.scorer_version,
        max_bytes=definition.uploads.max_bytes,
        grace_seconds=definition.uploads.grace_seconds,
        phases=[
            records.Phase.of_row(
                phase,
                state=challenge.state(phase, now),
                deadline=describe_deadline(phase, definition.uploads.grace_seconds),
                gives_out=list(phase.gives_out),
                intakes=_intakes(challenge, phase.id),
                extensions=challenge.extensions.get(phase.id, ()),
            )
            for phase in definition.phases
        ],
        data_sets=list_data_sets(challenge, verdict),
        current_phase=None if current is None else current.id,
        next_phase=None if upcoming is None else upcoming.id,
        announcements=read_announcements(session, challenge)[:NEWEST],
    )


def list_challenges(
    session: Session,
    challenges: Iterable[CurrentChallenge],
    now: datetime,
    *,
    runs: Collection[int],
    is_administrator: bool,
    standings: StandingsCache,
) -> records.ChallengeList:
    """Return the challenges that somebody may see: no retired ones, and drafts for those who run them.

    Args:
        session: Any session.
        challenges: All of the server.
        now: The time.
        runs: Which they run as organisers.
        is_administrator: Whether they run all.
        standings: Leaderboards as last made.
    """
    counts = session.execute(
        select(Team.challenge_id, func.count()).where(Team.state == "approved").group_by(Team.challenge_id)
    )
    n_teams = {challenge_id: count for challenge_id, count in counts}  # noqa: C416 - rows are no pairs to mypy
    found = []
    for challenge in challenges:
        is_theirs = is_administrator or challenge.id in runs
        if challenge.status == "retired" or (challenge.status == "draft" and not is_theirs):
            continue
        definition = challenge.definition
        opens = min(phase.opens for phase in definition.phases)
        closes = max(phase.closes for phase in definition.phases)
        board, top = _read_top(session, challenge, now, standings)
        found.append(
            records.ListedChallenge(
                id=definition.id,
                name=definition.name,
                page=f"/c/{definition.id}/",
                tagline=definition.tagline,
                status=challenge.status,
                when="coming" if now < opens else "running" if now < closes else "closed",
                opens=opens,
                closes=closes,
                n_teams=n_teams.get(challenge.id, 0),
                open_phases=[
                    phase.name for phase in definition.phases if challenge.state(phase, now) == "open"
                ],
                board=board,
                top=top,
            )
        )
    return records.ChallengeList(listed=sorted(found, key=lambda each: (each.opens, each.name)))


def _read_top(
    session: Session, challenge: CurrentChallenge, now: datetime, standings: StandingsCache
) -> tuple[str, list[records.TopEntry]]:
    """Return the first of the newest leaderboard that everybody may see, with its phase's name."""
    phases = visible_phases(challenge, "public", now)
    phase = newest_phase(session, challenge, phases, standings, challenge.profile)
    rows = () if phase is None else standings.get(session, challenge, phase, challenge.profile).rows
    found = [
        records.TopEntry(rank=each.row.rank, team=each.team, score=each.row.entry.score)
        for each in rows
        if each.row.rank is not None
    ]
    return phase.name if phase is not None and found else "", found[:MOST_TOP]


def list_data_sets(challenge: CurrentChallenge, verdict: Judgement) -> list[records.DataSet]:
    """Return every data set, with what may be downloaded of it."""
    found = []
    for each in challenge.definition.data_sets:
        inputs = verdict(each.id, "input")
        references = verdict(each.id, "reference") if each.kind == "paired" else None
        found.append(
            records.DataSet.of_row(
                each,
                n_images=len(each.images),
                may_get_inputs=inputs.is_allowed,
                may_get_references=references is not None and references.is_allowed,
                why_no_inputs=inputs.reason,
                why_no_references="" if references is None else references.reason,
            )
        )
    return found


def read_announcements(session: Session, challenge: CurrentChallenge) -> list[records.Announcement]:
    """Return the announcements, newest first."""
    found = (
        select(Announcement)
        .where(
            Announcement.challenge_id == challenge.id,
            Announcement.published_at.is_not(None),
            Announcement.withdrawn_at.is_(None),
        )
        .order_by(Announcement.published_at.desc(), Announcement.id.desc())
    )
    return [records.Announcement.of_row(each) for each in session.scalars(found)]


def read_rules(challenge: CurrentChallenge, profile: Profile) -> records.ScoringRules:
    """Return the rules, and what SCORE is made of."""
    return records.ScoringRules(
        text=challenge.definition.website.rules,
        profile=profile.name,
        note=profile.note,
        border_px=profile.border_px,
        terms=[
            records.Term.of_row(each, measure=each.name, is_higher_better=each.higher_is_better)
            for each in profile.measures
        ],
    )


def read_intakes(
    session: Session, challenge: CurrentChallenge, now: datetime, team_id: int
) -> dict[str, list[records.Intake]]:
    """Return what a team has left, by phase."""
    found: dict[str, list[records.Intake]] = {}
    for phase in challenge.definition.phases:
        found[phase.id] = intakes = []
        for kind, each in zip(phase.intakes, _intakes(challenge, phase.id), strict=True):
            tries = count_tries(session, now, challenge, team_id=team_id, phase=phase.id, kind=kind)
            left = {name: getattr(tries, name) for name in ("left_today", "left_in_all", "next_at")}
            intakes.append(each.model_copy(update=left))
    return found


def _intakes(challenge: CurrentChallenge, phase_id: str) -> list[records.Intake]:
    return [
        records.Intake.of_row(each, kind=kind, data_set=each.on)
        for kind, each in challenge.definition.phase(phase_id).intakes.items()
    ]
