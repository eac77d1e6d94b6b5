"""Plackett-Luce strengths: how strong each entry is, from who was picked before whom.

A pick is a choice out of a set: the first pick beats all that were shown, the second all that were left, and so on, so
that entries which are never picked lose to those that are. (Bare rankings of the three picks would forget them.)

    P(pick a of a set) = exp(strength a) / sum of exp(strength) over the set

Source: Luce, "Individual Choice Behavior", 1959; Plackett, Appl. Stat. 1975; fitted by choix (Maystre and Grossglauser,
"Fast and Accurate Inference of Plackett-Luce Models", NIPS 2015) with a small regularisation.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from raim.study.votes import Ballots, Vote

ALPHA = 0.01  # of choix: keeps entries that always win or lose finite
ITERATIONS, CLOSE = 500, 1e-10


@dataclass(frozen=True, kw_only=True, slots=True)
class ChoiceSets:
    """Choices as arrays.

    Attributes:
        winners: Place of the picked entry.
        available: Which entries could be picked, the winner among them.
        judges: Place of the judge.
    """

    winners: Int[np.ndarray, " choices"]
    available: Bool[np.ndarray, "choices entries"]
    judges: Int[np.ndarray, " choices"]


def list_choices(ballots: Ballots, votes: Iterable[Vote] | None = None) -> ChoiceSets:
    """Return the choices of all counted votes; none with ratings."""
    entries = {name: place for place, name in enumerate(ballots.entries)}
    judges = {name: place for place, name in enumerate(ballots.judges)}
    winners, available, owners = [], [], []
    for vote in ballots.votes if votes is None else votes:
        if vote.kind != "counted":
            continue
        left = [entries[name] for name in vote.shown]
        for name in vote.choice:
            if len(left) < 2:
                break
            row = np.zeros(len(entries), bool)
            row[left] = True
            winners.append(entries[name])
            available.append(row)
            owners.append(judges[vote.judge])
            left.remove(entries[name])
    return ChoiceSets(
        winners=np.array(winners, int),
        available=np.array(available, bool).reshape(-1, len(entries)),
        judges=np.array(owners, int),
    )


def fit_strengths(choices: ChoiceSets) -> Float[np.ndarray, " entries"] | None:
    """Fit strengths with mean zero; None where nothing was chosen.

    Example:
        >>> vote = Vote(judge="J1", image="1", position=1, shown=("x", "y", "z"), choice=("z", "x"))
        >>> ballots = Ballots(entries=("x", "y", "z"), images=("1",), judges=("J1",), votes=(vote,))
        >>> strengths = fit_strengths(list_choices(ballots))
        >>> [ballots.entries[place] for place in strengths.argsort()[::-1]]
        ['z', 'x', 'y']
    """
    import choix

    if not len(choices.winners):
        return None
    n_entries = choices.available.shape[1]
    data = [
        (int(winner), [int(each) for each in np.flatnonzero(row) if each != winner])
        for winner, row in zip(choices.winners, choices.available, strict=True)
    ]
    return np.asarray(choix.ilsr_top1(n_entries, data, alpha=ALPHA), float)


def fit_quickly(choices: ChoiceSets, keep: Bool[np.ndarray, " choices"]) -> Float[np.ndarray, " entries"]:
    """Fit strengths to some of the choices by the MM algorithm: for screening, which needs a fit without each judge.

    Source: Hunter, "MM Algorithms for Generalized Bradley-Terry Models", Ann. Statist. 2004.
    """
    available = choices.available[keep].astype(float)
    n_entries = available.shape[1]
    # Half a win and half a loss against an entry of strength 1 keep every strength finite.
    wins = np.bincount(choices.winners[keep], minlength=n_entries) + 0.5
    worth = np.ones(n_entries)
    for _ in range(ITERATIONS):
        share = available.T @ (1 / (available @ worth)) + 1 / (worth + 1)
        new = wins / share
        new /= np.exp(np.log(new).mean())
        if np.abs(new / worth - 1).max() < CLOSE:
            worth = new
            break
        worth = new
    return np.log(worth)
