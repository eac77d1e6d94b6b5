"""The material of a challenge that ran elsewhere, from a folder of plain files (docs/report.md has every column).

scores.csv                  team,score, a column for each measure, n_scored,n_expected; or what raim score --csv wrote
points.csv                  team,points                     or votes; without both SCORE alone decides
votes.csv, study.json, votes.zip   see docs/study.md
teams.csv                   team, left_out, and the columns of the fact sheet
scenarios.csv               team,scenario,score, measures
submissions.csv             submitted_at,team,score
judges.csv                  judge,excluded
challenge.toml              name, organisers, phases, awards, weights: as docs/challenge-file.md says
images/input, images/TEAM   folders or zips of images, and images.csv with name,issue
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from raim.challenge import Challenge, Entrant, Prize, StudyRule, Weights, parse_challenge, rank_teams
from raim.challenge.ranking_files import COUNTS, KNOWN, find_incomplete, find_teams
from raim.errors import ChallengeError, InputError, RaimError, unknown_name
from raim.report.closed.folder_pictures import open_pictures
from raim.report.closed.material import Material, PhaseMaterial, Submitted, TeamMaterial
from raim.scoring.profiles import PROFILES
from raim.study import Analysis, Ballots, analyse
from raim.study.files import StudyDocument, read_study_files
from raim.tables import (
    Problems,
    Row,
    by_name,
    list_shortly,
    name_alike,
    read_moment,
    read_number,
    read_rows,
)

VOTES = ("votes.csv", "study.json", "votes.zip")
KNOWN_COLUMNS = frozenset({"team", "left_out"})
NOT_MEASURES = frozenset(
    {"team", "entry", "score", "scenario", "kind", "name", "rank", "warnings", "unscored", *COUNTS}
)
MEASURES = tuple({column for profile in PROFILES.values() for column in profile.columns})
SEED, DRAWS = 2024, 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderOptions:
    """What a folder does not say.

    Attributes:
        title: Name of the challenge; that of challenge.toml, or of the folder, if None.
        created_at: When the report is made; None leaves it out.
        raim_version: With which it is made.
        is_simulated: Whether the votes are simulated though the files do not say so.
        allow_incomplete: Whether entries with missing images are ranked.
        decimals: Of final scores.
        seed: Of the intervals.
        n_draws: Of the intervals.
    """

    title: str | None = None
    created_at: datetime | None = None
    raim_version: str = ""
    is_simulated: bool = False
    allow_incomplete: bool = False
    decimals: int = 2
    seed: int = SEED
    n_draws: int = DRAWS


def read_folder(folder: Path, options: FolderOptions | None = None) -> Material:
    r"""Read what a report needs from a folder.

    Raises:
        InputError: There is no such folder, or files have problems: all of them are listed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as name:
        ...     _ = Path(name, "scores.csv").write_text("team,score\nMiAlgo,79.13\nHIT-IIL,69.80\n")
        ...     _ = Path(name, "points.csv").write_text("team,points\nMiAlgo,57\nHIT-IIL,1\n")
        ...     [(row.team, round(row.final, 2)) for row in read_folder(Path(name)).ranking.rows]
        [('MiAlgo', 91.65), ('HIT-IIL', 27.92)]
    """
    options = options or FolderOptions()
    if not folder.is_dir():
        raise InputError(
            f"there is no folder {folder}; expected one with scores.csv and points.csv or votes.csv"
        )
    problems = Problems()
    challenge = _read_challenge(folder, problems)
    teams = _read_teams(folder, problems)
    study = _read_votes(folder, None if challenge is None else challenge.study, problems)
    if study is not None:
        renamed = name_alike("scores.csv", teams, study.ballots.entries, problems)
        teams = {name: replace(each, team=name) for name, each in renamed.items()}
    points = name_alike("points.csv", _read_points(folder, problems), teams, problems)
    excluded = _read_excluded(folder, study, problems)
    timeline = _read_timeline(folder, problems)
    names = list(teams) if study is None else [*study.ballots.entries]
    _check_names(folder, teams, names, points, problems)
    pictures = open_pictures(folder, list(teams), None if study is None else study.ballots, problems)
    problems.stop(folder)

    weights = _choose_weights(challenge, has_study=study is not None or bool(points))
    analysis = None if study is None else _analyse(study.ballots, teams, weights, excluded, options)
    if analysis is not None:
        points = {each.entry: each.points.value for each in analysis.entries}
    awards = () if challenge is None else challenge.awards
    return Material(
        title=options.title or (folder.resolve().name if challenge is None else challenge.name),
        tagline="" if challenge is None else challenge.tagline,
        organisers=() if challenge is None else _organisers(challenge),
        created_at=options.created_at,
        raim_version=options.raim_version,
        is_simulated=options.is_simulated or (study is not None and study.is_simulated),
        profile="" if challenge is None else challenge.profile,
        phases=() if challenge is None else _phases(challenge),
        participation=_count(timeline),
        teams=tuple(teams.values()),
        ranking=rank_teams(
            [
                Entrant(
                    team=each.team,
                    score=each.score,
                    points=points.get(each.team),
                    left_out=each.left_out,
                    incomplete=each.incomplete,
                )
                for each in teams.values()
            ],
            weights=weights,
            decimals=options.decimals,
            awards=awards,
            allow_incomplete=options.allow_incomplete,
        ),
        analysis=analysis,
        ballots=None if study is None else study.ballots,
        timeline=timeline,
        awards=awards,
        prizes=() if challenge is None else tuple(_say_prize(each) for each in challenge.prizes),
        notes=(*_notes(excluded, study), *list_shortly(problems.notes)),
        pictures=pictures,
    )


def _read_challenge(folder: Path, problems: Problems) -> Challenge | None:
    file = folder / "challenge.toml"
    if not file.is_file():
        return None
    try:
        return parse_challenge(file.read_bytes().decode(), profiles=PROFILES, folder=folder)
    except ChallengeError as error:
        problems.found += [str(each) for each in error.problems]
    except (OSError, UnicodeDecodeError) as error:
        problems.add(str(file), f"it cannot be read: {error}")
    return None


def _read_teams(folder: Path, problems: Problems) -> dict[str, TeamMaterial]:
    if not (folder / "scores.csv").is_file():
        problems.add("scores.csv", "there is none; expected the columns team,score")
        return {}
    rows = read_rows(folder, "scores.csv", ("team|entry", "score"), problems, known=(*KNOWN, *MEASURES))
    scores = find_teams(rows, problems)
    if not scores and not problems.found:
        problems.add("scores.csv", "it names no team")
    incomplete = find_incomplete(rows, scores, problems)
    scenarios = [row for row in rows if row.cells.get("kind") == "scenario"]
    scenarios += read_rows(
        folder, "scenarios.csv", ("team", "scenario"), problems, known=("score", *MEASURES)
    )
    sheets = by_name(
        read_rows(folder, "teams.csv", ("team",), problems, known=("left_out",)), "team", problems
    )
    sheets = name_alike("teams.csv", sheets, scores, problems)
    found = {}
    for name, row in scores.items():
        sheet = sheets[name].cells if name in sheets else {}
        found[name] = TeamMaterial(
            team=name,
            score=read_number(row, "score", problems, is_needed=True),
            measures=_measures(row, problems),
            scenarios=_scenarios(name, scenarios, problems),
            fact_sheet={label: text for label, text in sheet.items() if text and label not in KNOWN_COLUMNS},
            left_out=sheet.get("left_out", ""),
            incomplete=incomplete.get(name, ""),
        )
    for name, row in sheets.items():
        if name not in found:
            problems.add(row.where, str(unknown_name("team in scores.csv", name, found)))
    return found


def _measures(row: Row, problems: Problems) -> dict[str, float]:
    values = {key: read_number(row, key, problems) for key in row.cells if key not in NOT_MEASURES}
    return {key: value for key, value in values.items() if value is not None}


def _scenarios(name: str, rows: list[Row], problems: Problems) -> dict[str, dict[str, float]]:
    found = {}
    for row in rows:
        if row.team == name:
            score = read_number(row, "score", problems)
            values = _measures(row, problems)
            if not row.cells.get("scenario"):
                problems.add(row.where, "it names no scenario")
            found[row.cells.get("scenario", "")] = values if score is None else {"score": score, **values}
    return found


def _read_points(folder: Path, problems: Problems) -> dict[str, float | None]:
    rows = by_name(read_rows(folder, "points.csv", ("team", "points"), problems), "team", problems)
    return {name: read_number(row, "points", problems, is_needed=True) for name, row in rows.items()}


def _read_votes(folder: Path, rule: StudyRule | None, problems: Problems) -> StudyDocument | None:
    there = [name for name in VOTES if (folder / name).is_file()]
    if not there:
        return None
    others = [*there[1:], *(["points.csv"] if (folder / "points.csv").is_file() else [])]
    if others:
        problems.add(str(folder), f"it has {there[0]} and {', '.join(others)}; keep the one that counts")
        return None
    try:
        if rule is None:
            return read_study_files([folder / there[0]])
        return read_study_files([folder / there[0]], mode=rule.mode, points=rule.points)
    except RaimError as error:
        problems.found.append(str(error))
    return None


def _read_excluded(folder: Path, study: StudyDocument | None, problems: Problems) -> dict[str, str]:
    rows = by_name(read_rows(folder, "judges.csv", ("judge", "excluded"), problems), "judge", problems)
    judges = () if study is None else study.ballots.judges
    rows = name_alike("judges.csv", rows, judges, problems)
    for name, row in rows.items():
        if name not in judges:
            problems.add(row.where, str(unknown_name("judge", name, judges)))
    return {name: row.cells["excluded"] for name, row in rows.items() if row.cells["excluded"]}


def _read_timeline(folder: Path, problems: Problems) -> tuple[Submitted, ...]:
    found = []
    for row in read_rows(folder, "submissions.csv", ("submitted_at", "team", "score"), problems):
        at = read_moment(row, "submitted_at", problems)
        if at is not None:
            found.append(Submitted(at=at, team=row.cells["team"], score=read_number(row, "score", problems)))
    return tuple(sorted(found, key=lambda each: each.at))


def _check_names(
    folder: Path,
    teams: Mapping[str, TeamMaterial],
    entries: list[str],
    points: Mapping[str, float | None],
    problems: Problems,
) -> None:
    """Every name of the votes or points must stand in scores.csv; who was not voted on is unranked, with the reason."""
    if not teams:
        return
    for name in dict.fromkeys([*entries, *points]):
        if name not in teams:
            problems.add(str(folder), str(unknown_name("team in scores.csv", name, teams)))


def _choose_weights(challenge: Challenge | None, *, has_study: bool) -> Weights:
    if not has_study:
        return Weights(score=1.0, study=0.0)
    return Weights() if challenge is None else challenge.weights


def _analyse(
    ballots: Ballots,
    teams: Mapping[str, TeamMaterial],
    weights: Weights,
    excluded: Mapping[str, str],
    options: FolderOptions,
) -> Analysis:
    return analyse(
        ballots,
        scores={name: each.score for name, each in teams.items() if each.score is not None},
        weights=weights,
        left_out=frozenset(name for name in ballots.entries if teams[name].left_out),
        incomplete={name: each.incomplete for name, each in teams.items() if each.incomplete},
        allow_incomplete=options.allow_incomplete,
        excluded_judges=frozenset(excluded),
        seed=options.seed,
        n_draws=options.n_draws,
    )


def _notes(excluded: Mapping[str, str], study: StudyDocument | None) -> tuple[str, ...]:
    if study is None:
        return ()
    codes = {name: f"J{place + 1:02d}" for place, name in enumerate(study.ballots.judges)}
    return (
        *(f"{note[0].upper()}{note[1:].rstrip('.')}." for note in study.notes if note),
        *(
            f"The votes of judge {codes[name]} are left out of the main result: {reason}"
            for name, reason in excluded.items()
        ),
    )


def _count(timeline: tuple[Submitted, ...]) -> dict[str, int]:
    if not timeline:
        return {}
    return {
        "teams that handed something in": len({each.team for each in timeline}),
        "submissions": len(timeline),
    }


def _organisers(challenge: Challenge) -> tuple[str, ...]:
    return tuple(
        f"{each.name}, {each.affiliation}" if each.affiliation else each.name for each in challenge.organisers
    )


def _phases(challenge: Challenge) -> tuple[PhaseMaterial, ...]:
    return tuple(
        PhaseMaterial(name=phase.name, opens=phase.opens, closes=phase.closes) for phase in challenge.phases
    )


def _say_prize(prize: Prize) -> str:
    given = f", given by {prize.sponsor}" if prize.sponsor else ""
    return f"{prize.name}{given}" + (f": {prize.text}" if prize.text else "")
