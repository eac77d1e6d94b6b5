"""What is wrong with votes: found in one pass and reported together."""

from collections import Counter
from collections.abc import Iterator, Sequence

from raim.challenge.modes import MODES
from raim.errors import InputError, VotesError
from raim.study.votes import BLURRED, Ballots, Vote

MOST_LISTED = 50  # problems in a message; the error's `problems` has all


def find_vote_problems(ballots: Ballots) -> list[str]:
    """List what is wrong with ballots: unknown names, picks that cannot be, trials that are given twice.

    Example:
        >>> vote = Vote(judge="J1", image="a", position=1, shown=("x", "y"), choice=("z",))
        >>> find_vote_problems(Ballots(entries=("x", "y"), images=("a",), judges=("J1",), votes=(vote,)))
        ["judge 'J1', image 'a' (counted): 'z' was not shown in this trial; it had x, y"]
    """
    return [
        *_list_problems(ballots),
        *(text for vote in ballots.votes for text in _vote_problems(ballots, vote)),
    ]


def votes_error(where: str, problems: Sequence[str]) -> VotesError:
    r"""Make the error that lists problems.

    Example:
        >>> print(votes_error("votes.csv", ["line 2: it names no judge", "line 3: the pick is 'x'"]))
        votes.csv has 2 problems:
          line 2: it names no judge
          line 3: the pick is 'x'
    """
    if len(problems) == 1:
        return VotesError(f"{where}: {problems[0]}", problems=problems)
    lines = [f"  {each}" for each in problems[:MOST_LISTED]]
    if len(problems) > MOST_LISTED:
        lines.append(f"  ... and {len(problems) - MOST_LISTED} more")
    return VotesError(f"{where} has {len(problems)} problems:\n" + "\n".join(lines), problems=problems)


def _list_problems(ballots: Ballots) -> Iterator[str]:
    for what, names in (("judge", ballots.judges), ("image", ballots.images), ("entry", ballots.entries)):
        if not names:
            yield f"there is no {what}; a study needs at least one"
        for name, number in Counter(names).items():
            if number > 1:
                yield f"the {what} {name!r} is listed {number} times"
    if BLURRED in ballots.entries:
        yield f"an entry is called {BLURRED!r}, which is the name of the tile of a trap; rename the entry"
    trials = Counter((vote.judge, vote.image, vote.kind) for vote in ballots.votes if vote.kind == "counted")
    for (judge, image, _), number in trials.items():
        if number > 1:
            yield f"judge {judge!r} has {number} counted votes on image {image!r}; only the last one may be there"


def _vote_problems(ballots: Ballots, vote: Vote) -> Iterator[str]:
    where = f"judge {vote.judge!r}, image {vote.image!r} ({vote.kind})"
    for what, name, names in (("judge", vote.judge, ballots.judges), ("image", vote.image, ballots.images)):
        if name not in names:
            yield f"{where}: the {what} is not one of the study's"
    known = {*ballots.entries, BLURRED} if vote.kind == "trap" else set(ballots.entries)
    strange = [name for name in vote.shown if name not in known]
    if strange:
        yield f"{where}: {strange[0]!r} is no entry of the study; it has {', '.join(ballots.entries)}"
    if len(set(vote.shown)) != len(vote.shown):
        yield f"{where}: an entry is shown twice"
    try:
        MODES[ballots.mode].check(vote.shown, vote.choice, vote.ratings, ballots.points)
    except InputError as error:
        yield f"{where}: {error}"
    if vote.position < 1 or vote.seconds < 0:
        yield f"{where}: position {vote.position} or seconds {vote.seconds:g} is out of range"
    for name, reasons in vote.reasons.items():
        strange = [each for each in reasons if each not in ballots.criteria]
        if strange:
            yield f"{where}: the reason {strange[0]!r} for {name!r} is no criterion of the study"
