"""An oracle of what the camera's presets draw: whether a value lies in a range as its words state it."""

import re

from raim.data.camera.draws import LARGEST_STRETCH, SMALLEST_DELIVERED_PX
from raim.data.camera.stage import write_plainly


def holds(words, value, size):
    if sometimes := re.fullmatch(r"(.*), in \d+ %; else (.*)", words):
        return write_plainly(value) == sometimes[2] or holds(sometimes[1], value, size)
    if words == "a seed":
        return value in range(2**32)
    stated = re.fullmatch(r"(\S+) to (\S+?)(,.*| px.*)?", words)
    if stated is None:
        return write_plainly(value) in words.removeprefix("always ").split(" or ")
    low, high, kind = float(stated[1]), float(stated[2]), stated[3] or ""
    if "corners" in kind:
        low, high = (min(shift / size.half_diagonal, LARGEST_STRETCH) for shift in (low, high))
        return low - 1e-5 <= abs(value - 1) <= high + 1e-5  # the magnification is rounded
    if "less for a small photograph" in kind:
        high = max(low, min(high, min(size.height, size.width) // SMALLEST_DELIVERED_PX))
    return low <= value <= high and (value == int(value) or "whole" not in kind)
