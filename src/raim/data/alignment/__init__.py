"""Pairs of input and reference made from real captures of one scene."""

from raim.errors import need_extra

need_extra("aligning captures", "pairs", "cv2", "scipy")

from raim.data.alignment.masks import MOVED, OUTSIDE, SATURATED, UNDETERMINED, USABLE
from raim.data.alignment.modes import ALIGNMENT_MODES, Mode
from raim.data.alignment.options import AlignmentOptions, PairLimits
from raim.data.alignment.pairs import MadePair, Refused
from raim.data.alignment.run import Aligned, align_captures
from raim.data.pair_folder import MANIFEST, SHEET, file_paths

__all__ = [
    "ALIGNMENT_MODES",
    "MANIFEST",
    "MOVED",
    "OUTSIDE",
    "SATURATED",
    "SHEET",
    "UNDETERMINED",
    "USABLE",
    "Aligned",
    "AlignmentOptions",
    "MadePair",
    "Mode",
    "PairLimits",
    "Refused",
    "align_captures",
    "file_paths",
]
