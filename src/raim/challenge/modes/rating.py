"""Each candidate gets a grade; the result is the mean opinion score.

Source: Recommendation ITU-R BT.500, five-grade quality scale (1 bad, 5 excellent).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from raim.challenge.modes.mode import JudgeAnswer, TrialMode, check_shown
from raim.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class GradedMode(TrialMode):
    """A mode in which judges grade each candidate and pick none."""

    def check(
        self, shown: Sequence[str], choice: Sequence[str], ratings: Mapping[str, int], points: Sequence[int]
    ) -> None:
        """Refuse picks, and grades that there are not."""
        del points
        if choice:
            raise InputError(
                f"this study asks for grades, not for picks; give each candidate a grade from 1 to {len(self.grades)}"
            )
        check_shown(shown, tuple(ratings))
        highest = len(self.grades)
        for name, grade in ratings.items():
            if not 1 <= grade <= highest:
                scale = f"1 ({self.grades[0]}) to {highest} ({self.grades[-1]})"
                raise InputError(f"the grade of {name!r} is {grade}; expected {scale}")

    def fits(self, answer: JudgeAnswer) -> bool:
        """Return whether an answer has grades, and nothing picked."""
        return bool(answer.ratings) and not answer.choice

    def worth(self, answer: JudgeAnswer, points: Sequence[int]) -> dict[str, float]:
        """Return the grades; a candidate without one is missing."""
        del points
        return {name: float(grade) for name, grade in answer.ratings.items()}

    def is_partial(self, answer: JudgeAnswer, points: Sequence[int]) -> bool:
        """Return whether a candidate has no grade."""
        del points
        return len(answer.ratings) < len(answer.shown)

    def is_trapped(self, answer: JudgeAnswer, copy: str) -> bool:
        """Return whether no candidate has a better grade than the blurred copy."""
        return copy in answer.ratings and answer.ratings[copy] == max(answer.ratings.values())


RATING = GradedMode(
    name="rating",
    points=(),
    most_picks=0,
    words="rates each from 1 bad to 5 excellent",
    instruction="Give each a grade: 5 excellent, 4 good, 3 fair, 2 poor, 1 bad.",
    keys=("1 to 5", "the grade of the candidate under the pointer"),
    script="judging-grades.js",
    answer="grade",
    unit="mean opinion score",
    title="Mean grade",
    strengths="",
    grades=("bad", "poor", "fair", "good", "excellent"),
)
