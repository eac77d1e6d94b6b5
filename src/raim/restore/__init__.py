"""Restorers of photographs: a table of built-in ones, models and programs of users, and one function to run them.

Example:
    >>> import numpy as np
    >>> from raim.restore import restore
    >>> restore(np.full((16, 16, 3), 90, np.uint8), "identity").pixels.shape
    (16, 16, 3)
"""

from raim.restore.composition import blend, chain
from raim.restore.descriptor import Context, Restorer
from raim.restore.external import restorer_from_callable, restorer_from_command
from raim.restore.finish import finish, fix_colours
from raim.restore.inspection import Inspection, inspect_photograph
from raim.restore.invention import Invention, find_invention
from raim.restore.model_file import restorer_from_file
from raim.restore.noise import estimate_noise
from raim.restore.reduction import reduced
from raim.restore.registry import RESTORERS, find_restorer
from raim.restore.restoration import Restored, restore

__all__ = [
    "RESTORERS",
    "Context",
    "Inspection",
    "Invention",
    "Restored",
    "Restorer",
    "blend",
    "chain",
    "estimate_noise",
    "find_invention",
    "find_restorer",
    "finish",
    "fix_colours",
    "inspect_photograph",
    "reduced",
    "restore",
    "restorer_from_callable",
    "restorer_from_command",
    "restorer_from_file",
]
