"""A study as one JSON document: its design, if it is known, and every vote; schema "raim-study/1".

{"schema": "raim-study/1", "is_simulated": false, "design": {...} or null,
 "ballots": {"mode", "points", "criteria", "entries", "images", "issues", "judges",
             "votes": [{"judge", "image", "kind", "position", "shown", "choice", "ratings", "seconds",
                        "cast_at", "reasons"}, ...]}}
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from raim.challenge.modes import MODES
from raim.errors import InputError
from raim.study.design import STUDY_SCHEMA, StudyDesign
from raim.study.files.problems import find_vote_problems, votes_error
from raim.study.files.values import (
    need_choice,
    need_list,
    need_mapping,
    need_text,
    need_texts,
    need_whole,
    parse_json,
    read_time,
)
from raim.study.votes import Ballots, Kind, Vote


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyDocument:
    """A study with its votes.

    Attributes:
        ballots: Every vote.
        design: Who saw what; None if it is not known, as for votes from elsewhere.
        is_simulated: The votes were made by a program; whoever shows them says so.
        notes: What was assumed when the file was read.
    """

    ballots: Ballots
    design: StudyDesign | None = None
    is_simulated: bool = False
    notes: tuple[str, ...] = ()


def format_document(document: StudyDocument) -> str:
    """Return a study as JSON that `parse_document` reads back as the same."""
    return json.dumps(document_to_plain(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def document_to_plain(document: StudyDocument) -> dict[str, Any]:
    """Return a study as JSON knows values."""
    ballots = document.ballots
    return {
        "schema": STUDY_SCHEMA,
        "is_simulated": document.is_simulated,
        "design": None if document.design is None else document.design.to_plain(),
        "ballots": {
            "mode": ballots.mode,
            "points": list(ballots.points),
            "criteria": list(ballots.criteria),
            "entries": list(ballots.entries),
            "images": list(ballots.images),
            "issues": dict(ballots.issues),
            "judges": list(ballots.judges),
            "votes": [vote_to_plain(vote) for vote in ballots.votes],
        },
    }


def vote_to_plain(vote: Vote) -> dict[str, Any]:
    """Return a vote as JSON knows values.

    Example:
        >>> plain = vote_to_plain(Vote(judge="J1", image="a", position=1, shown=("x", "y"), choice=("y",)))
        >>> plain["choice"], plain["cast_at"]
        (['y'], None)
    """
    return {
        "judge": vote.judge,
        "image": vote.image,
        "kind": vote.kind,
        "position": vote.position,
        "shown": list(vote.shown),
        "choice": list(vote.choice),
        "ratings": dict(vote.ratings),
        "seconds": vote.seconds,
        "cast_at": None if vote.cast_at is None else vote.cast_at.isoformat(),
        "reasons": {name: list(criteria) for name, criteria in vote.reasons.items()},
    }


def parse_document(text: str, *, file_name: str = "study.json") -> StudyDocument:
    """Read what `format_document` gave.

    Raises:
        VotesError: It is not that, or has problems; all are listed.
    """
    try:
        plain = parse_json(text)
    except InputError as error:
        raise votes_error(file_name, [str(error)]) from error
    if not isinstance(plain, dict) or not isinstance(plain.get("ballots"), dict):
        hint = "; a plan has no votes yet" if isinstance(plain, dict) and "judges" in plain else ""
        raise votes_error(file_name, [f"it has no object 'ballots'{hint}"])
    if plain.get("schema") != STUDY_SCHEMA:
        raise votes_error(
            file_name, [f"its schema is {plain.get('schema')!r}; this version reads {STUDY_SCHEMA!r}"]
        )
    problems: list[str] = []
    design = _read_design(plain.get("design"), problems)
    ballots = _read_ballots(plain["ballots"], problems)
    if ballots is not None and not problems:
        problems += find_vote_problems(ballots)
    if ballots is None or problems:
        raise votes_error(file_name, problems)
    return StudyDocument(ballots=ballots, design=design, is_simulated=plain.get("is_simulated") is True)


def _read_design(plain: object, problems: list[str]) -> StudyDesign | None:
    if plain is None:
        return None
    try:
        return StudyDesign.from_plain(need_mapping(plain, "design"))
    except (InputError, TypeError) as error:
        problems.append(f"design: {error}")
        return None


def _read_ballots(plain: Mapping[str, Any], problems: list[str]) -> Ballots | None:
    votes = []
    listed = plain.get("votes", [])
    for place, each in enumerate(listed if isinstance(listed, list) else [listed]):
        try:
            votes.append(_read_vote(each))
        except InputError as error:
            problems.append(f"votes[{place}]: {error}")
    try:
        return Ballots(
            mode=need_choice(plain.get("mode"), tuple(MODES), "mode"),
            points=tuple(
                need_whole(each, "points") for each in need_list(plain.get("points", [3, 2, 1]), "points")
            ),
            criteria=need_texts(plain.get("criteria", []), "criteria"),
            entries=need_texts(plain.get("entries"), "entries"),
            images=need_texts(plain.get("images"), "images"),
            issues={
                key: need_text(value, "issues")
                for key, value in need_mapping(plain.get("issues", {}), "issues").items()
            },
            judges=need_texts(plain.get("judges"), "judges"),
            votes=tuple(votes),
        )
    except InputError as error:
        problems.append(f"ballots: {error}")
        return None


def _read_vote(plain: object) -> Vote:
    vote = need_mapping(plain, "vote")
    seconds = vote.get("seconds", 0.0)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise InputError(f"seconds is {seconds!r}; expected a number")
    ratings = need_mapping(vote.get("ratings", {}), "ratings")
    reasons = need_mapping(vote.get("reasons", {}), "reasons")
    return Vote(
        judge=need_text(vote.get("judge"), "judge"),
        image=need_text(vote.get("image"), "image"),
        kind=need_choice(vote.get("kind", "counted"), get_args(Kind), "kind"),
        position=need_whole(vote.get("position"), "position"),
        shown=need_texts(vote.get("shown"), "shown"),
        choice=need_texts(vote.get("choice", []), "choice"),
        ratings={name: need_whole(grade, f"the grade of {name!r}") for name, grade in ratings.items()},
        seconds=float(seconds),
        cast_at=None if vote.get("cast_at") is None else read_time(need_text(vote["cast_at"], "cast_at")),
        reasons={name: need_texts(criteria, "reasons") for name, criteria in reasons.items()},
    )
