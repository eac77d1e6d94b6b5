"""What the check of a challenge finds: problems, which must be fixed, and notes, worth knowing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from raim.challenge.locating import KeyPath
from raim.errors import ChallengeError

Severity = Literal["problem", "note"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One finding.

    Attributes:
        file: The file or folder concerned, as a path.
        line: In the file, from 1; None where no line is to blame.
        message: What is wrong with the real values, what was expected, the way out.
        severity: "problem" must be fixed; "note" is accepted.
    """

    file: str
    line: int | None = None
    message: str
    severity: Severity = "problem"

    def __str__(self) -> str:
        """Return the form that editors make clickable.

        Example:
            >>> print(Problem(file="challenge.toml", line=3, message="opens is missing"))
            challenge.toml:3: opens is missing
        """
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {'note: ' if self.severity == 'note' else ''}{self.message}"


@dataclass(frozen=True, kw_only=True, slots=True)
class UnplacedProblem:
    """A problem in challenge.toml whose line is still to be found.

    Attributes:
        path: The key.
        message: As in `Problem`.
        severity: As in `Problem`.
    """

    path: KeyPath
    message: str
    severity: Severity = "problem"


def has_problems(found: Iterable[Problem]) -> bool:
    """Return whether there is a problem among the findings.

    Example:
        >>> has_problems([Problem(file="data", message="it is empty", severity="note")])
        False
    """
    return any(each.severity == "problem" for each in found)


def challenge_error(label: str, found: Iterable[Problem]) -> ChallengeError:
    """Make the error that lists problems; they are in its `problems` too.

    Example:
        >>> print(challenge_error("c.toml", [Problem(file="c.toml", line=2, message="id is missing")]))
        c.toml:2: id is missing
    """
    problems = tuple(each for each in found if each.severity == "problem")
    if len(problems) == 1:
        return ChallengeError(str(problems[0]), problems=problems)
    listed = "\n".join(f"  {each}" for each in problems)
    return ChallengeError(f"{label} has {len(problems)} problems:\n{listed}", problems=problems)
