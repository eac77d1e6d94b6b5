"""OpenCV, loaded at first use: it is an optional part, and nothing else of raim's data layer needs it."""

import importlib
import importlib.util
from typing import Any

from raim.errors import MissingExtraError


def load_opencv() -> Any:
    """Load OpenCV.

    Raises:
        MissingExtraError: It is not installed; the message has the command.

    Example:
        >>> hasattr(load_opencv(), "SIFT_create")
        True
    """
    if importlib.util.find_spec("cv2") is None:
        raise MissingExtraError(
            "aligning captures needs OpenCV (features, optical flow); install it with: pip install 'raim[restore]'"
        )
    return importlib.import_module("cv2")
