"""All that a server knows of a closed challenge, as the record that reports and charts are made of."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim import __version__
from raim.challenge import FinalRanking, Prize
from raim.errors import StateError
from raim.report.closed.material import (
    ImageMaterial,
    Material,
    PhaseMaterial,
    PictureSource,
    Submitted,
    TeamMaterial,
)
from raim.scoring.profiles import Profile
from raim.server.actions.fact_sheets import FIELDS
from raim.server.current_challenge import CurrentChallenge, is_in_force
from raim.server.database import EntryResult, FactSheet, Image, Study, StudyImage, Submission, Team
from raim.server.standings import Standing, StandingsCache
from raim.server.storage import Storage, read_stored_file
from raim.server.study.closing import studies_under_way
from raim.server.study.results import (
    StudyOutcome,
    all_rows,
    deciding_standings,
    newest_revealed,
    rank_by_score,
)
from raim.server.submissions.restored import places_of, read_restored


def find_results(
    session: Session, challenge: CurrentChallenge, make: Callable[[Study], StudyOutcome]
) -> StudyOutcome | None:
    """Return the results that decide a challenge, by `make` of a revealed study; None where SCORE alone does.

    Raises:
        StateError: A study is to decide, and none is revealed.
    """
    study = newest_revealed(session, challenge)
    if study is not None:
        return make(study)
    under_way = studies_under_way(session, challenge)
    if under_way:
        state = under_way[0].state
        way_out = (
            "close and reveal it on the organiser's desk" if state == "open" else "reveal it on the desk"
        )
        raise StateError(f"the study “{under_way[0].title}” is {state}; {way_out}, then make the report")
    if challenge.definition.study is not None:
        raise StateError(
            "challenge.toml has a [study], and none is revealed: make one on the desk (Studies), let judges "
            "vote, close and reveal it; or take [study] out of the file, then SCORE alone decides"
        )
    return None


def collect_material(
    session: Session,
    storage: Storage,
    challenge: CurrentChallenge,
    *,
    standings: StandingsCache,
    profile: Profile,
    results: StudyOutcome | None,
    now: datetime | None = None,
) -> Material:
    """Collect what a report says; nothing is decoded, and pictures are read when they are asked for.

    Without results SCORE alone decides; without `now` the report does not say when it was made.
    """
    definition = challenge.definition
    ranking = rank_by_score(session, challenge, standings, profile) if results is None else results.ranking
    board = deciding_standings(session, challenge, standings, profile)
    by_team = {each.team: each for each in reversed(board.rows)} if board else {}
    return Material(
        title=definition.name,
        tagline=definition.tagline,
        organisers=tuple(
            f"{each.name}, {each.affiliation}" if each.affiliation else each.name
            for each in definition.organisers
        ),
        created_at=now,
        raim_version=__version__,
        is_simulated=results is not None and results.is_simulated,
        profile=definition.profile,
        phases=tuple(
            PhaseMaterial(name=phase.name, opens=phase.opens, closes=phase.closes)
            for phase in definition.phases
        ),
        participation=_participation(session, challenge),
        teams=_teams(session, challenge, ranking, by_team),
        ranking=ranking,
        analysis=None if results is None else results.analysis,
        ballots=None if results is None else results.ballots,
        timeline=_timeline(session, challenge),
        awards=definition.awards,
        prizes=tuple(_say_prize(each) for each in definition.prizes),
        notes=_notes(results),
        pictures=None if results is None else _pictures(session, storage, results),
    )


def _teams(
    session: Session, challenge: CurrentChallenge, ranking: FinalRanking, by_team: Mapping[str, Standing]
) -> tuple[TeamMaterial, ...]:
    sheets = _fact_sheets(session, challenge)
    counts = _submission_counts(session, challenge)
    left_out = {row.team: row.why_unranked.removeprefix("left out: ") for row in ranking.left_out}
    made = []
    for row in all_rows(ranking):
        standing = by_team.get(row.team)
        made.append(
            TeamMaterial(
                team=row.team,
                score=row.score,
                measures={} if standing is None else _numbers(standing.row.entry.measures),
                scenarios={}
                if standing is None
                else {name: _numbers(means) for name, means in standing.scenarios.items()},
                fact_sheet=sheets.get(row.team, {}),
                left_out=left_out.get(row.team, ""),
                n_submissions=counts.get(row.team, 0),
            )
        )
    return tuple(made)


def _numbers(means: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float(value) for name, value in means.items() if value is not None}


def _fact_sheets(session: Session, challenge: CurrentChallenge) -> dict[str, dict[str, str]]:
    rows = session.execute(
        select(Team.name, FactSheet.fields)
        .join(FactSheet, FactSheet.team_id == Team.id)
        .where(Team.challenge_id == challenge.id)
    )
    return {
        team: {each.label: fields[each.key] for each in FIELDS if fields.get(each.key, "").strip()}
        for team, fields in rows
    }


def _submission_counts(session: Session, challenge: CurrentChallenge) -> dict[str, int]:
    rows = session.execute(
        select(Team.name, func.count(Submission.id))
        .join(Submission, Submission.team_id == Team.id)
        .where(Team.challenge_id == challenge.id, Submission.where("is_good"))
        .group_by(Team.name)
    )
    return {team: count for team, count in rows}  # noqa: C416 - rows are no pairs to mypy


def _participation(session: Session, challenge: CurrentChallenge) -> dict[str, int]:
    registered = session.scalar(select(func.count(Team.id)).where(Team.challenge_id == challenge.id)) or 0
    counts = _submission_counts(session, challenge)
    return {
        "teams that registered": registered,
        "teams that handed something in": len(counts),
        "submissions": sum(counts.values()),
    }


def _timeline(session: Session, challenge: CurrentChallenge) -> tuple[Submitted, ...]:
    """Return every scored submission with its SCORE under the versions in force, in the order of time."""
    rows = session.execute(
        select(
            Submission.received_at,
            Team.name,
            EntryResult.score,
        )
        .join(Team, Team.id == Submission.team_id)
        .outerjoin(EntryResult, is_in_force(challenge))
        .where(Team.challenge_id == challenge.id, Team.state == "approved", Submission.where("has_score"))
        .order_by(Submission.received_at, Submission.id)
    )
    return tuple(Submitted(at=at, team=team, score=score) for at, team, score in rows)


def _notes(results: StudyOutcome | None) -> tuple[str, ...]:
    if results is None:
        return ("There was no study: SCORE alone decides.",)
    return tuple(
        f"The votes of judge {code} are left out of the main result: {reason}"
        for code, reason in results.excluded.items()
    )


def _say_prize(prize: Prize) -> str:
    given = f", given by {prize.sponsor}" if prize.sponsor else ""
    return f"{prize.name}{given}" + (f": {prize.text}" if prize.text else "")


def _pictures(session: Session, storage: Storage, results: StudyOutcome) -> PictureSource:
    """Return the study's pictures out of the storage; nothing of the session is needed any more when they are read."""
    rows = session.execute(
        select(Image.name, Image.scenario, Image.input_sha256)
        .join(StudyImage, StudyImage.image_id == Image.id)
        .where(StudyImage.study_id == results.study_id)
        .order_by(Image.name)
    ).all()
    inputs = {name: sha256 for name, _, sha256 in rows}
    submissions = {each.team: session.get_one(Submission, each.submission_id) for each in results.entries}
    zips = {team: row.committed_sha256 for team, row in submissions.items()}
    held = places_of(session, [row.id for row in submissions.values()])
    places = {team: held[row.id] for team, row in submissions.items()}
    return PictureSource(
        images=tuple(ImageMaterial(name=name, issue=issue or "") for name, issue, _ in rows),
        read_input=lambda name: b"".join(read_stored_file(storage, inputs[name])),
        read_restored=lambda team, name: (
            read_restored(storage, zips[team], places[team][name]) if name in places.get(team, {}) else None
        ),
    )
