"""The record that a mode is: candidates are picked, best first, unless a mode says otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from raim.errors import InputError


@runtime_checkable
class JudgeAnswer(Protocol):
    """What a judge said in a trial; `raim.study.Vote` is one."""

    @property
    def shown(self) -> tuple[str, ...]:
        """The candidates."""

    @property
    def choice(self) -> tuple[str, ...]:
        """Those that were picked, best first."""

    @property
    def ratings(self) -> Mapping[str, int]:
        """The grade of each candidate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialMode:
    """A mode in which judges pick.

    Attributes:
        name: As in challenge.toml.
        points: Of the picks where the study states none, best first.
        most_picks: How many are picked; None for as many as there are points.
        tiles: How many candidates every trial shows; None if the study says.
        words: What a judge does, after "a judge".
        instruction: What the judge reads, a sentence.
        keys: Keys that vote, and what they do.
        script: Of the page of trials: its class `TrialBallot` takes the vote.
        answer: What a table of votes calls an answer.
        unit: What an entry's result is called in JSON.
        title: What tables call it.
        strengths: Whose model the strengths are of; "" for none.
        grades: Words for the grades 1, 2, ...; empty where nothing is graded. A result is then a mean, else a sum.
        has_power_table: Whether `raim.study.power` knows what such trials find.
    """

    name: str
    points: tuple[int, ...] = (1,)
    most_picks: int | None = 1
    tiles: int | None = None
    words: str
    instruction: str
    keys: tuple[str, str] = ("1", "pick the candidate under the pointer")
    script: str = "judging-picks.js"
    answer: str = "pick"
    unit: str = "points"
    title: str = "Points"
    strengths: str = "Plackett and Luce"
    grades: tuple[str, ...] = ()
    has_power_table: bool = False

    def n_picks(self, points: Sequence[int]) -> int:
        """How many picks a trial asks for at most."""
        return len(points) if self.most_picks is None else self.most_picks

    def count_tiles(self, stated: int, n_entries: int) -> int:
        """Count the candidates of a trial; a study that states 0 shows all entries."""
        return self.tiles or stated or n_entries

    def find_faults(self, points: Sequence[int], tiles: int) -> Iterator[tuple[str, str]]:
        """List what a study of this mode cannot have, each as the key of [study] and the reason."""
        if self.points and len(points) != len(self.points):
            yield (
                "points",
                f"points has {len(points)} numbers; the mode {self.name!r} needs {len(self.points)}",
            )
        if self.tiles is not None and tiles not in {0, self.tiles}:
            yield "tiles", f"tiles is {tiles}; a {self.name} trial shows {self.tiles}"
        elif tiles == 1 or 0 < tiles < self.n_picks(points):
            yield (
                "tiles",
                f"tiles is {tiles}; a trial shows at least 2 candidates, and as many as it has points for",
            )

    def check(
        self, shown: Sequence[str], choice: Sequence[str], ratings: Mapping[str, int], points: Sequence[int]
    ) -> None:
        """Refuse what is no vote of this mode. Partial votes, and empty ones, are votes.

        Args:
            shown: The candidates of the trial.
            choice: The picks, best first.
            ratings: The grades.
            points: Of the picks.

        Raises:
            InputError: A pick or grade is of a candidate that was not shown, twice, too many, or out of range.

        Example:
            >>> from raim.challenge.modes import MODES
            >>> MODES["top-three"].check(("a", "b"), ("b", "b"), {}, (3, 2, 1))
            Traceback (most recent call last):
            raim.errors.InputError: 'b' is picked twice; each pick is another candidate
        """
        if ratings:
            raise InputError(f"this study asks for picks ({self.name}), not for grades")
        check_shown(shown, choice)
        for name in choice:
            if list(choice).count(name) > 1:
                raise InputError(f"{name!r} is picked twice; each pick is another candidate")
        n_picks = min(self.n_picks(points), len(shown))
        if len(choice) > n_picks:
            raise InputError(f"{len(choice)} candidates are picked; at most {n_picks} are asked for")

    def fits(self, answer: JudgeAnswer) -> bool:
        """Return whether an answer may be of this mode, whatever the points."""
        is_few = self.most_picks is None or len(answer.choice) <= self.most_picks
        return is_few and not answer.ratings and self.tiles in {None, len(answer.shown)}

    def worth(self, answer: JudgeAnswer, points: Sequence[int]) -> dict[str, float]:
        """Return the points of each candidate: 0 for one that was shown and not picked.

        Candidates beyond those that were voted on are missing.
        """
        return {**dict.fromkeys(answer.shown, 0.0), **dict(zip(answer.choice, points, strict=False))}

    def is_partial(self, answer: JudgeAnswer, points: Sequence[int]) -> bool:
        """Return whether less was said than was asked for and possible."""
        return len(answer.choice) < min(self.n_picks(points), len(answer.shown))

    def is_trapped(self, answer: JudgeAnswer, copy: str) -> bool:
        """Return whether a trap's blurred copy is preferred: picked, and not last where all are picked."""
        return copy in answer.choice[: len(answer.shown) - 1]


def check_shown(shown: Sequence[str], named: Sequence[str]) -> None:
    """Refuse a candidate that a trial does not show.

    Raises:
        InputError: One is not shown.
    """
    for name in named:
        if name not in shown:
            raise InputError(f"{name!r} was not shown in this trial; it had {', '.join(shown)}")
