"""Pairs of input and reference made from clean photographs by the camera model."""

from raim.data.degradation.plan import LeftOut, Photograph, PlannedPair
from raim.data.degradation.run import Degraded, degrade_folder
from raim.data.degradation.table import DegradedPair, MadeFiles, read_cameras
from raim.data.pair_folder import MANIFEST, SHEET, file_paths

__all__ = [
    "MANIFEST",
    "SHEET",
    "Degraded",
    "DegradedPair",
    "LeftOut",
    "MadeFiles",
    "Photograph",
    "PlannedPair",
    "degrade_folder",
    "file_paths",
    "read_cameras",
]
