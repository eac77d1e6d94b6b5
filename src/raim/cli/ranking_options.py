"""Options that speak of rankings: shares of score and study, and what is left out with its reason."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from raim.errors import InputError, unknown_name
from raim.tables import match_names

if TYPE_CHECKING:
    from raim.challenge import Weights


def read_weights(text: str) -> "Weights":
    """Read shares of score and study.

    Raises:
        InputError: They are not two shares that sum to 1.

    Example:
        >>> read_weights("0.4,0.6")
        Weights(score=0.4, study=0.6)
    """
    from raim.challenge import Weights

    try:
        score, study = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"--weights is {text!r}; expected two numbers that sum to 1, such as 0.4,0.6"
        ) from error
    if not (0 <= score <= 1 and 0 <= study <= 1) or abs(score + study - 1) > 1e-9:
        raise InputError(f"the weights {text} sum to {score + study:g}; expected two shares that sum to 1")
    return Weights(score=score, study=study)


def read_reasons(
    option: str, given: Iterable[str], names: Collection[str], *, what: str = "team"
) -> dict[str, str]:
    """Read NAME=REASON of an option that may be given several times.

    Raises:
        InputError: A reason is missing.
        UnknownNameError: A name is not known.

    Example:
        >>> read_reasons("--leave-out", ["A=late"], ["A", "B"])
        {'A': 'late'}
    """
    reasons = {}
    for each in given:
        name, sign, reason = each.partition("=")
        if not sign or not reason.strip():
            raise InputError(
                f"{option} is {each!r}; expected {what.upper()}=REASON, since the reason is published"
            )
        found = match_names([name.strip()], names).names.get(name.strip())
        if found is None:
            raise unknown_name(what, name.strip(), names)
        reasons[found] = reason.strip()
    return reasons
