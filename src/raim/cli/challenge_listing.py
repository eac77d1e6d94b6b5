"""What `raim challenge` prints: findings, and a challenge in plain words."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from raim.challenge import Challenge, DataSet, Examined, Intake, Phase, describe_deadline, phase_state
from raim.cli.wording import say_count


def describe_findings(path: Path, examined: Examined) -> str:
    """List problems and notes, one a line, and sum them up."""
    n_problems = sum(each.severity == "problem" for each in examined.found)
    n_notes = len(examined.found) - n_problems
    notes = f", {say_count(n_notes, 'note')}" if n_notes else ""
    summary = f"{path}: {say_count(n_problems, 'problem') if n_problems else 'fine'}{notes}"
    return "\n".join([*map(str, examined.found), summary])


def findings_as_dict(examined: Examined) -> dict[str, Any]:
    """Return the same for JSON."""
    return {"is_fine": examined.challenge is not None, "found": [asdict(each) for each in examined.found]}


def describe_challenge(challenge: Challenge, now: datetime) -> str:
    """Describe a challenge.

    Args:
        challenge: With the images of its data sets.
        now: Aware time, for the state of its phases.
    """
    return "\n".join(_lines(challenge, now))


def _lines(challenge: Challenge, now: datetime) -> Iterator[str]:
    yield f"{challenge.name} ({challenge.id})"
    if challenge.tagline:
        yield challenge.tagline
    yield f"profile {challenge.profile}; times in {challenge.timezone.key}; contact {challenge.contact}"
    yield "\nphases"
    for phase in challenge.phases:
        yield from _phase_lines(challenge, phase, now)
    yield "\ndata sets"
    yield from (_data_set_line(data_set) for data_set in challenge.data_sets)
    yield "\nrules"
    yield from (f"  {line}" for line in _rules(challenge))
    yield "\nawards"
    yield from (f"  {award.places} x {award.name}" for award in challenge.awards)
    for prize in challenge.prizes:
        names = [award.name for award in challenge.awards if award.id == prize.award]
        given = f", given by {prize.sponsor}" if prize.sponsor else ""
        yield f"  prize: {prize.name}{' for the ' + names[0] if names else ''}{given}"


def _phase_lines(challenge: Challenge, phase: Phase, now: datetime) -> Iterator[str]:
    opens, closes = (each.astimezone(challenge.timezone) for each in (phase.opens, phase.closes))
    days = (phase.closes - phase.opens).total_seconds() / 86400
    yield f"  {phase.name} ({phase.id}): {phase_state(phase, now)}"
    yield f"    {opens:%Y-%m-%d %H:%M %Z} to {closes:%Y-%m-%d %H:%M %Z}, {days:g} days, for {phase.open_to}"
    if phase.gives_out:
        yield f"    gives out: {', '.join(phase.gives_out)}"
    if phase.gives_references_of:
        yield f"    gives out the references of: {', '.join(phase.gives_references_of)}"
    for kind, intake in phase.intakes.items():
        yield f"    takes {kind} submissions on {intake.on}, {_tries(intake)}"
    if phase.scored:
        yield f"    leaderboard for {phase.leaderboard}, after it has closed for {phase.leaderboard_after}"
    if phase.intakes:
        yield f"    {describe_deadline(phase, challenge.uploads.grace_seconds)}"


def _tries(intake: Intake) -> str:
    limits = {"per day": intake.tries_per_day, "in all": intake.tries_in_all}
    stated = [f"{number} {when}" for when, number in limits.items() if number is not None]
    return " and ".join(stated) if stated else "as often as wanted"


def _data_set_line(data_set: DataSet) -> str:
    scenarios = Counter(image.scenario for image in data_set.images if image.scenario)
    listed = f": {', '.join(f'{name} {n}' for name, n in sorted(scenarios.items()))}" if scenarios else ""
    return f"  {data_set.name} ({data_set.id}): {say_count(len(data_set.images), 'image')}, {data_set.kind}{listed}"


def _rules(challenge: Challenge) -> Iterator[str]:
    board, registration = challenge.leaderboard, challenge.registration
    yield (
        f"leaderboard: SCORE to {board.decimals} decimals, the {board.counts} entry of a team counts, ties by "
        f"{', '.join(board.ties) or 'nothing: the rank is shared'}"
    )
    if challenge.finalists:
        yield f"finalists: the first {challenge.finalists.count} of {challenge.finalists.phase}"
    study = challenge.study
    if study:
        points = "/".join(map(str, study.points))
        yield f"study of {study.phase}: {study.mode}, {study.judges} judges, points {points}"
        yield f"criteria: {', '.join(study.criteria)}"
    yield f"final score: {challenge.weights.score:g} SCORE + {challenge.weights.study:g} study"
    approval = "approved by an organiser" if registration.approval_required else "without approval"
    yield f"teams of up to {registration.team_size}, {approval}; uploads of up to {challenge.uploads.max_bytes} bytes"
