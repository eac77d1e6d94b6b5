"""Run, enter and judge image restoration challenges.

Importing raim loads no measure, no codec and no torch; each name and package is loaded when it is used:

    raim.measure("lpips")("restored.png", "reference.png")
    raim.score_pair("restored.png", "reference.png", "raim-2024").score
    raim.score("restored", "reference", profile="raim-2024")

Example:
    >>> import raim
    >>> raim.__version__
    '0.1.0'
    >>> raim.measure("niqe")
    raim.measure('niqe')
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raim.metrics import measure as measure
    from raim.metrics import measures as measures
    from raim.scoring import score_folders as score
    from raim.scoring import score_pair as score_pair

__version__ = "0.1.0"
__all__ = ["__version__", "measure", "measures", "score", "score_pair"]

_PLACES = {
    "measure": ("raim.metrics", "measure"),
    "measures": ("raim.metrics", "measures"),
    "score": ("raim.scoring", "score_folders"),
    "score_pair": ("raim.scoring", "score_pair"),
}
_PACKAGES = frozenset({"data", "images", "metrics", "report", "restore", "scoring", "weights"})


def __getattr__(name: str) -> Any:
    """Load a name when it is first used."""
    if name in _PLACES:
        package, own = _PLACES[name]
        return getattr(importlib.import_module(package), own)
    if name in _PACKAGES:
        return importlib.import_module(f"raim.{name}")
    raise AttributeError(f"module 'raim' has no attribute {name!r}")
