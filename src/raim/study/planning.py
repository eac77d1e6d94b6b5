"""Who sees what: a judge's trials, drawn from the study's seed and the judge's number alone.

Each judge has an order of images of their own, and each trial an order of tiles of its own. Hidden repeats and traps
stand among the others, some way from the first showing of their image; the labels of a repeat are drawn again.
"""

from dataclasses import replace

import numpy as np

from raim.errors import InputError
from raim.study.balance import choose_shown_entries
from raim.study.design import StudyDesign
from raim.study.trial import Trial
from raim.study.votes import BLURRED, Kind

FARTHEST_GAP = 10  # trials between two showings of an image, where the study is long enough
VOTING, TRAINING = 0, 1  # streams of chance of a judge


def plan_judge(design: StudyDesign, index: int, *, hidden: frozenset[str] = frozenset()) -> tuple[Trial, ...]:
    """Draw the trials of a judge.

    Args:
        design: Of the study.
        index: The judge's number, from 0; it may exceed the planned number of judges.
        hidden: Entries that this judge must not see, for a tie to the team.

    Raises:
        InputError: Fewer than two entries are left to compare.

    Example:
        >>> images = {"1": "", "2": ""}
        >>> design = StudyDesign(seed=7, entries=("a", "b", "c"), images=images, n_traps=0, repeats_share=0)
        >>> [(trial.image, trial.tiles) for trial in plan_judge(design, 0)]
        [('1', ('a', 'c', 'b')), ('2', ('b', 'c', 'a'))]
    """
    rng = np.random.default_rng([design.seed, index, VOTING])
    images = list(design.images)
    order = [images[place] for place in rng.permutation(len(images))]
    trials = [_draw(rng, image, "counted", _seen(design, index, image, hidden)) for image in order]
    for trial in _draw_extras(design, rng, index, order, hidden):
        trials.insert(_find_place(trials, trial, rng), trial)
    return _number(trials)


def plan_training(
    design: StudyDesign, index: int, *, hidden: frozenset[str] = frozenset()
) -> tuple[Trial, ...]:
    """Draw the trials with which a judge learns the page; they give no points.

    Raises:
        InputError: Fewer than two entries are left to compare.
    """
    rng = np.random.default_rng([design.seed, index, TRAINING])
    images = list(design.images)
    chosen = rng.permutation(len(images))[: design.n_training]
    return _number(
        [
            _draw(rng, images[place], "training", _seen(design, index, images[place], hidden))
            for place in chosen
        ]
    )


def count_repeats(design: StudyDesign) -> int:
    """Return how many images a judge sees twice: the stated share, at least one where it is not 0.

    Example:
        >>> images = {str(number): "" for number in range(50)}
        >>> count_repeats(StudyDesign(seed=1, entries=("a", "b"), images=images, repeats_share=0.05))
        2
    """
    if design.repeats_share == 0:
        return 0
    return max(1, round(design.repeats_share * len(design.images)))


def _draw_extras(
    design: StudyDesign, rng: np.random.Generator, index: int, order: list[str], hidden: frozenset[str]
) -> list[Trial]:
    """Draw repeats and traps, of different images as far as there are enough."""
    early = order[: max(1, len(order) - _gap(len(order)))]  # a repeat comes after its first showing
    repeated = [early[place] for place in rng.permutation(len(early))[: count_repeats(design)]]
    extras = [_draw(rng, image, "repeat", _seen(design, index, image, hidden)) for image in repeated]
    others = [image for image in order if image not in repeated] or order
    for place in rng.permutation(len(others))[: design.n_traps]:
        entries = _seen(design, index, others[place], hidden)
        entries[int(rng.integers(len(entries)))] = BLURRED
        extras.append(_draw(rng, others[place], "trap", entries))
    return extras


def _seen(design: StudyDesign, index: int, image: str, hidden: frozenset[str]) -> list[str]:
    """Return the entries that a judge sees of an image."""
    if design.is_complete:
        seen = [entry for entry in design.entries if entry not in hidden]
    else:
        chosen = choose_shown_entries(
            seed=design.seed,
            n_judges=max(design.n_judges, index + 1),
            n_images=len(design.images),
            n_entries=len(design.entries),
            n_tiles=design.tiles,
        )
        places = chosen[index, list(design.images).index(image)]
        seen = _without(design, [design.entries[place] for place in places], hidden, index)
    if len(seen) < 2:
        raise InputError(
            "a judge with ties to all teams but one has nothing to compare; invite somebody else"
        )
    return seen


def _without(design: StudyDesign, entries: list[str], hidden: frozenset[str], index: int) -> list[str]:
    """Put other entries in the place of hidden ones, as far as there are any."""
    free = [each for each in design.entries if each not in hidden and each not in entries]
    free = free[index % len(free) :] + free[: index % len(free)] if free else []
    kept = [each for each in entries if each not in hidden]
    return kept + free[: len(entries) - len(kept)]


def _draw(rng: np.random.Generator, image: str, kind: Kind, entries: list[str]) -> Trial:
    tiles = tuple(entries[place] for place in rng.permutation(len(entries)))
    return Trial(position=0, image=image, kind=kind, tiles=tiles)


def _gap(n_trials: int) -> int:
    return min(FARTHEST_GAP, n_trials // 3)


def _find_place(trials: list[Trial], extra: Trial, rng: np.random.Generator) -> int:
    """Find a place some way from the first showing of the image, for a repeat after it."""
    first = next(
        place for place, each in enumerate(trials) if (each.image, each.kind) == (extra.image, "counted")
    )
    gap = _gap(len(trials))
    after = range(first + 1, len(trials) + 1)
    wanted = [place for place in after if place > first + gap]
    if extra.kind == "trap":
        wanted += range(1, max(1, first - gap + 1))
    choice = wanted or list(after)
    return int(choice[rng.integers(len(choice))])


def _number(trials: list[Trial]) -> tuple[Trial, ...]:
    numbered = [replace(trial, position=place) for place, trial in enumerate(trials, start=1)]
    firsts = {trial.image: trial.position for trial in numbered if trial.kind == "counted"}
    return tuple(
        replace(trial, repeats=firsts[trial.image]) if trial.kind == "repeat" else trial for trial in numbered
    )
