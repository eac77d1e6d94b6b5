"""OpenCV, loaded at first use: it is an optional part, and nothing else of raim's data layer needs it."""

import importlib
from typing import Any


def load_opencv() -> Any:
    """Load OpenCV; that it is installed was looked for when the package was imported.

    Example:
        >>> hasattr(load_opencv(), "SIFT_create")
        True
    """
    return importlib.import_module("cv2")
