"""Simulated judges with known strengths: for proofs of the statistics, for planning, and for demonstrations.

An honest judge values an entry on an image by

    strength(entry) + image effect(image, entry) + judge effect(judge, entry) + chance

with normal effects of stated spreads and Gumbel chance, so that without effects the picks follow the Plackett-Luce
model with these strengths (Luce, "Individual Choice Behavior", 1959; Yellott, J. Math. Psych. 1977).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from raim.challenge.modes import MODES
from raim.errors import InputError
from raim.study.design import StudyDesign
from raim.study.planning import plan_judge
from raim.study.trial import Trial
from raim.study.votes import BLURRED, Ballots, Vote

# honest; random: picks by chance; biased: puts one entry first; lazy: picks what is first on the screen.
Habit = Literal["honest", "random", "biased", "lazy"]
BLUR_PENALTY = 4.0  # strength of a blurred copy below the weakest entry
MEDIAN_LOOK_S, LOOK_SPREAD = 25.0, 0.5


def simulate_ballots(
    design: StudyDesign,
    strengths: Mapping[str, float],
    rng: np.random.Generator,
    *,
    habits: Sequence[Habit] = (),
    image_spread: float = 0.5,
    judge_spread: float = 0.3,
    favourite: str | None = None,
) -> Ballots:
    """Let judges vote.

    Args:
        design: Who sees what.
        strengths: Of each entry, on the scale of Plackett-Luce: a difference of 1 is a preference of 73 to 27 %.
        rng: Where chance comes from.
        habits: Of the first judges; the others are honest.
        image_spread: Standard deviation of what an image does to an entry.
        judge_spread: Standard deviation of what a judge thinks of an entry.
        favourite: Of a biased judge; the weakest entry if None.

    Returns:
        Ballots of judges J01, J02, ...

    Raises:
        InputError: An entry has no strength.

    Example:
        >>> images = {"1": "", "2": ""}
        >>> design = StudyDesign(seed=1, entries=("a", "b"), images=images, n_judges=2, n_traps=0, repeats_share=0)
        >>> ballots = simulate_ballots(design, {"a": 9.0, "b": 0.0}, np.random.default_rng(1))
        >>> [vote.choice for vote in ballots.votes]
        [('a', 'b'), ('a', 'b'), ('a', 'b'), ('a', 'b')]
    """
    missing = [entry for entry in design.entries if entry not in strengths]
    if missing:
        raise InputError(f"{missing[0]!r} has no strength; each of {', '.join(design.entries)} needs one")
    width = max(2, len(str(design.n_judges)))
    names = tuple(f"J{number:0{width}d}" for number in range(1, design.n_judges + 1))
    image_effects = {name: rng.normal(0, image_spread, len(design.entries)) for name in design.images}
    base = np.array([strengths[entry] for entry in design.entries], float)
    weakest = design.entries[int(base.argmin())]
    votes: list[Vote] = []
    for index, name in enumerate(names):
        judge = _Judge(
            name=name,
            habit=habits[index] if index < len(habits) else "honest",
            favourite=favourite or weakest,
            rng=rng,
        )
        own = base + rng.normal(0, judge_spread, len(base))
        for trial in plan_judge(design, index):
            liking = dict(zip(design.entries, (own + image_effects[trial.image]).tolist(), strict=True))
            liking[BLURRED] = float(base.min()) - BLUR_PENALTY
            votes.append(_cast(design, trial, judge, liking))
    return Ballots(
        mode=design.mode,
        points=design.points,
        criteria=design.criteria,
        entries=design.entries,
        images=tuple(design.images),
        issues=dict(design.images),
        judges=names,
        votes=tuple(votes),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judge:
    name: str
    habit: Habit
    favourite: str
    rng: np.random.Generator


def _cast(design: StudyDesign, trial: Trial, judge: _Judge, liking: Mapping[str, float]) -> Vote:
    order = _order(trial.tiles, judge, liking)
    grades = len(MODES[design.mode].grades)
    return Vote(
        judge=judge.name,
        image=trial.image,
        kind=trial.kind,
        position=trial.position,
        shown=trial.tiles,
        choice=order[: design.n_picks],
        ratings=_grades(order, judge, liking, grades) if grades else {},
        seconds=round(float(MEDIAN_LOOK_S * np.exp(judge.rng.normal(0, LOOK_SPREAD))), 1),
    )


def _order(tiles: tuple[str, ...], judge: _Judge, liking: Mapping[str, float]) -> tuple[str, ...]:
    chance = judge.rng.gumbel(size=len(tiles))
    if judge.habit == "lazy":
        return tiles
    if judge.habit == "random":
        value = dict(zip(tiles, chance, strict=True))
    else:
        value = {name: liking[name] + luck for name, luck in zip(tiles, chance, strict=True)}
    if judge.habit == "biased" and judge.favourite in value:
        value[judge.favourite] = max(value.values()) + 1
    return tuple(sorted(tiles, key=lambda name: -value[name]))


def _grades(
    order: tuple[str, ...], judge: _Judge, liking: Mapping[str, float], highest: int
) -> dict[str, int]:
    if judge.habit == "random":
        drawn = judge.rng.integers(1, highest + 1, len(order))
        return {name: int(grade) for name, grade in zip(order, drawn, strict=True)}
    middle = float(np.mean(list(liking.values())))
    grades = [(highest + 1) / 2 + liking[name] - middle + judge.rng.normal(0, 0.7) for name in order]
    return {name: int(np.clip(np.rint(grade), 1, highest)) for name, grade in zip(order, grades, strict=True)}
