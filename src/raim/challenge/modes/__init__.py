"""What a judge does in a trial: one module a mode, and the table of them. Everybody else asks the mode itself.

It stands below `raim.study`, since challenge.toml names a mode. A new one is a module here and a line in the table, and
a script where judges answer in a new way.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from raim.challenge.modes.best import BEST
from raim.challenge.modes.mode import JudgeAnswer, TrialMode
from raim.challenge.modes.pairwise import PAIRWISE
from raim.challenge.modes.rating import RATING
from raim.challenge.modes.top_three import TOP_THREE
from raim.errors import InputError

__all__ = ["MODES", "TOP_THREE", "JudgeAnswer", "TrialMode", "check_mode", "infer_mode"]

MODES: Mapping[str, TrialMode] = {mode.name: mode for mode in (TOP_THREE, BEST, PAIRWISE, RATING)}


def check_mode(name: Any) -> str:
    """Return the name of a mode as it was given.

    Raises:
        InputError: There is no such mode.
    """
    if name not in MODES:
        raise InputError(f"there is no mode {str(name)[:20]!r}; there are {', '.join(MODES)}")
    return str(name)


def infer_mode(answers: Sequence[JudgeAnswer]) -> str:
    """Return the mode that fits most of what judges said; of several the one that asks for least.

    Example:
        >>> from raim.study import Vote
        >>> infer_mode([Vote(judge="J1", image="a", position=1, shown=("x", "y"), choice=("y",))])
        'pairwise'
    """
    if not answers:
        return TOP_THREE.name
    return max(reversed(tuple(MODES.values())), key=lambda mode: sum(map(mode.fits, answers))).name
