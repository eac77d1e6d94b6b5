"""Votes as a table: one row for each candidate that a judge saw in a trial, picked or not.

| column | meaning |
|---|---|
| `judge` | who |
| `image` | name of the image; may be left out where a plan tells it |
| `issue` | of the image |
| `part` | `voting` or `training`; each has positions of its own |
| `position` | of the trial in the judge's order, from 1 |
| `kind` | `counted`, `repeat`, `trap` or `training`; without it all are counted, or the plan tells it |
| `label` | under which the judge saw the candidate: A, B, ... |
| `entry` | the candidate, or `blurred copy`; may be left out where a plan tells it by the label |
| `pick` | 1 for the first pick, 2 for the second, ...; empty if it was not picked |
| `grade` | with ratings: 1 bad to 5 excellent |
| `reason:NAME` | 1 if the criterion NAME was a reason of the pick; one column for each criterion |
| `seconds` | how long the judge has looked at the trial |
| `cast_at` | when, with its zone |
| `is_simulated` | true if a program has made the vote |

Only `judge`, `image`, `entry` and one of `pick` and `grade` are needed.
"""

from collections.abc import Iterator

from raim.study.trial import label_of
from raim.study.votes import Ballots, Vote
from raim.tables import format_table

REASON = "reason:"
FIRST_COLUMNS = ("judge", "image", "issue", "part", "position", "kind", "label", "entry", "pick", "grade")
LAST_COLUMNS = ("seconds", "cast_at", "is_simulated")
COLUMNS = (*FIRST_COLUMNS, *LAST_COLUMNS)


def vote_columns(ballots: Ballots) -> tuple[str, ...]:
    """Name the columns of a study's votes."""
    return (*FIRST_COLUMNS, *(f"{REASON}{name}" for name in ballots.criteria), *LAST_COLUMNS)


def vote_rows(ballots: Ballots, *, is_simulated: bool = False) -> Iterator[tuple[object, ...]]:
    """Yield the votes row by row, each as long as `vote_columns`; None is an empty cell."""
    for vote in ballots.votes:
        part = "training" if vote.kind == "training" else "voting"
        for place, entry in enumerate(vote.shown):
            yield (
                *(vote.judge, vote.image, ballots.issues.get(vote.image, ""), part, vote.position, vote.kind),
                *(label_of(place), entry, _pick(vote, entry), vote.ratings.get(entry)),
                *(1 if name in vote.reasons.get(entry, ()) else None for name in ballots.criteria),
                *(vote.seconds, vote.cast_at, is_simulated),
            )


def format_votes(ballots: Ballots, *, is_simulated: bool = False) -> str:
    r"""Write votes as CSV that `parse_votes` reads back.

    Example:
        >>> vote = Vote(judge="J1", image="a", position=1, shown=("x", "y"), choice=("y",))
        >>> print(format_votes(Ballots(entries=("x", "y"), images=("a",), judges=("J1",), votes=(vote,))))
        judge,image,issue,part,position,kind,label,entry,pick,grade,seconds,cast_at,is_simulated
        J1,a,,voting,1,counted,A,x,,,0.0,,false
        J1,a,,voting,1,counted,B,y,1,,0.0,,false
        <BLANKLINE>
    """
    return format_table(vote_columns(ballots), vote_rows(ballots, is_simulated=is_simulated))


def _pick(vote: Vote, entry: str) -> int | None:
    return vote.choice.index(entry) + 1 if entry in vote.choice else None
