"""Pairs of input and reference made from clean photographs by the camera model."""

from raim.data.degradation.folder import MANIFEST, SHEET
from raim.data.degradation.making import MadeFiles, file_paths
from raim.data.degradation.plan import LeftOut, Photograph, PlannedPair
from raim.data.degradation.run import Degraded, degrade_folder
from raim.data.degradation.table import MadePair, read_cameras

__all__ = [
    "MANIFEST",
    "SHEET",
    "Degraded",
    "LeftOut",
    "MadeFiles",
    "MadePair",
    "Photograph",
    "PlannedPair",
    "degrade_folder",
    "file_paths",
    "read_cameras",
]
