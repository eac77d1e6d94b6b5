"""OpenCV, loaded at first use: it is an optional part, and nothing else of raim's data layer needs it."""

import importlib
from typing import Any

from raim.errors import need_extra


def load_opencv() -> Any:
    """Load OpenCV.

    Raises:
        MissingExtraError: It is not installed; the message has the command.

    Example:
        >>> hasattr(load_opencv(), "SIFT_create")
        True
    """
    need_extra("aligning captures", "pairs", "cv2")
    return importlib.import_module("cv2")
