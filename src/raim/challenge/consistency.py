"""What the tables of challenge.toml must say about each other: ids, profile, weights, finalists, study, prizes.

What concerns phases and data sets together is in `raim.challenge.schedule`.
"""

import difflib
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Protocol, runtime_checkable

from raim.challenge.locating import KeyPath
from raim.challenge.modes import MODES
from raim.challenge.parsing import Draft
from raim.challenge.problem import UnplacedProblem


@runtime_checkable
class ProfileLike(Protocol):
    """What is asked of a scoring profile; `raim.scoring.Profile` is one."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its measures, and "score"."""

    def is_higher_better(self, column: str) -> bool:
        """Return which way a column is good."""

    def why_too_small(self, width: int, height: int) -> str | None:
        """Return why no image of that size can have a SCORE; None where one may."""


def find_inconsistencies(draft: Draft, profiles: Mapping[str, ProfileLike]) -> Iterator[UnplacedProblem]:
    """List what does not fit together.

    Args:
        draft: The file's records.
        profiles: All scoring profiles by name.
    """
    yield from _duplicate_ids(draft)
    yield from _profile(draft, profiles)
    yield from _weights(draft)
    yield from _finalists(draft)
    yield from _study(draft)
    yield from _prizes(draft)


def unknown(what: str, name: str, known: Collection[str | None], path: KeyPath) -> UnplacedProblem:
    """Make the fault for a name that nothing has, with the nearest one.

    Example:
        >>> unknown("phase", "finl", ["final", None], ("study", "phase")).message
        "there is no phase 'finl'; did you mean 'final'?"
    """
    names = sorted(name for name in known if name)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
    return UnplacedProblem(path=path, message=f"there is no {what} {name!r}; {hint}")


def _duplicate_ids(draft: Draft) -> Iterator[UnplacedProblem]:
    for key in ("award", "data_set", "phase"):
        ids = draft.stated[key]
        for index, stated in enumerate(ids):
            if stated is not None and stated in ids[:index]:
                first = ids.index(stated) + 1
                message = f"the id {stated!r} is that of [[{key}]] {first} already; expected another"
                yield UnplacedProblem(path=(key, index, "id"), message=message)


def _profile(draft: Draft, profiles: Mapping[str, ProfileLike]) -> Iterator[UnplacedProblem]:
    name = draft.challenge.profile
    if name not in profiles:
        if name:
            yield unknown("profile", name, profiles, ("challenge", "profile"))
        return
    measures = [column for column in profiles[name].columns if column != "score"]
    for index, measure in enumerate(draft.challenge.leaderboard.ties):
        if measure not in measures:
            yield unknown("measure", measure, measures, ("leaderboard", "ties", index))


def _weights(draft: Draft) -> Iterator[UnplacedProblem]:
    weights = draft.challenge.weights
    total = weights.score + weights.study
    if not math.isclose(total, 1, abs_tol=1e-9):
        message = f"the weights {weights.score:g} and {weights.study:g} sum to {total:g}; expected 1"
        yield UnplacedProblem(path=("weights",), message=message)
    if weights.study > 0 and "study" not in draft.tables:
        message = (
            f"study is {weights.study:g} but there is no table [study]; add one, or give score the weight 1"
        )
        yield UnplacedProblem(path=("weights", "study"), message=message)


def _finalists(draft: Draft) -> Iterator[UnplacedProblem]:
    rule, path = draft.challenge.finalists, ("finalists", "phase")
    if rule is None:
        return
    if rule.phase not in draft.stated["phase"]:
        yield unknown("phase", rule.phase, draft.stated["phase"], path)
    for phase in draft.challenge.phases:
        if phase.id == rule.phase and phase.scored is None:
            message = f"the phase {phase.id!r} scores nothing, so its leaderboard cannot choose finalists"
            yield UnplacedProblem(path=path, message=f"{message}; expected a phase with `scored`")


def _study(draft: Draft) -> Iterator[UnplacedProblem]:
    rule = draft.challenge.study
    if rule is None:
        return
    if rule.phase not in draft.stated["phase"]:
        yield unknown("phase", rule.phase, draft.stated["phase"], ("study", "phase"))
    for phase in draft.challenge.phases:
        if phase.id == rule.phase and phase.final is None:
            message = (
                f"the phase {phase.id!r} takes no final submissions to judge; expected a phase with `final`"
            )
            yield UnplacedProblem(path=("study", "phase"), message=message)
    for key, message in MODES[rule.mode].find_faults(rule.points, rule.tiles):
        yield UnplacedProblem(path=("study", key), message=message)
    finalists = draft.challenge.finalists
    if finalists is not None and rule.tiles > finalists.count:
        message = f"tiles is {rule.tiles}, but there are only {finalists.count} finalists; expected fewer, or 0 for all"
        yield UnplacedProblem(path=("study", "tiles"), message=message)
    if list(rule.points) != sorted(rule.points, reverse=True) or min(rule.points, default=0) < 0:
        message = f"points is {list(rule.points)}; expected numbers from 0 up that never rise"
        yield UnplacedProblem(path=("study", "points"), message=message)


def _prizes(draft: Draft) -> Iterator[UnplacedProblem]:
    awards = draft.stated["award"]
    sponsors = draft.stated["sponsor"]
    for index, prize in zip(draft.indices["prize"], draft.challenge.prizes, strict=True):
        if prize.award and prize.award not in awards:
            yield unknown("award", prize.award, awards, ("prize", index, "award"))
        if prize.sponsor and prize.sponsor not in sponsors:
            yield unknown("sponsor", prize.sponsor, sponsors, ("prize", index, "sponsor"))
