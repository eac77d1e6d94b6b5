"""What was made of a scene: its pairs with all their figures, and what was refused; and the pairs' manifest.

The manifest has a row for each file. Besides the columns of every manifest (`raim.data.manifest`) an input's row has a
column for each field of `MadePair` and `raim_version`; numbers that could not be measured are empty.
"""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass

from raim.data.pair_folder import WrittenPair, format_pairs

ORDINARY = ("name", "role", "scenario", "width", "height", "sha256")
MASK_COLUMN = "mask_sha256"  # no other program's manifest has it


@dataclass(frozen=True, kw_only=True, slots=True)
class MadePair(WrittenPair):
    """One pair as it was written; docs/align.md says more of its figures."""

    scene: str  # its sub-folder of the captures
    mode: str
    scenario: str
    input_file: str
    reference_files: str  # joined by semicolons
    x: int  # left edge of the crop in the input, px
    y: int
    mask_sha256: str
    scale_found: float  # pixels of the reference's picture for each of the input's
    scale: float  # the same of the written reference
    found_by: str  # where the first alignment comes from: "sift" or "phase"
    matches: int  # of features
    inliers: int  # of them, those that agree with the homography
    correlation: float  # of local contrast after alignment
    displacement_px: float  # the largest beyond the homography; all px are the input's
    residual_px: float  # mean over the tiles
    residual_high_px: float  # 95th percentile
    tiles_measured: int
    tiles: int
    tone_gain: float  # mean slope of the tone curves that the reference went through
    tone_error: float  # what they leave, in levels of 255
    blur_px: float  # deviation of the blur between the two
    freedom_px: float  # mean over the pixels of the standard deviation of their position
    undetermined_share: float  # of the pixels, those that are masked because that is too large
    moved_share: float
    saturated_share: float
    shots: int  # in the reference
    reference_noise: float | None  # of a burst's mean, deviation in levels of 255
    seed: int  # of MAGSAC's random samples


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A scene or a crop that could not be aligned, and why: where, and by how much."""

    scene: str
    name: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeScene:
    """What became of a scene.

    Attributes:
        name: Of the scene.
        fingerprint: Hash of all that its pairs depend on: version, pictures, options.
        pairs: Those that were written.
        refused: The scene, or crops of it.
    """

    name: str
    fingerprint: str = ""
    pairs: tuple[MadePair, ...] = ()
    refused: tuple[Refused, ...] = ()


def refuse_scene(name: str, reason: str, fingerprint: str = "") -> MadeScene:
    """Return the record of a scene of which nothing could be made."""
    refused = Refused(scene=name, name=name, reason=reason)
    return MadeScene(name=name, fingerprint=fingerprint, refused=(refused,))


_FILES = {field.name for field in dataclasses.fields(WrittenPair)}
OWN = tuple(field.name for field in dataclasses.fields(MadePair) if field.name not in {*_FILES, "scenario"})


def format_aligned_pairs(pairs: Iterable[MadePair]) -> str:
    """Return the manifest of pairs as CSV, in their order."""
    rows = (
        (pair, {"scenario": pair.scenario}, {name: _write(getattr(pair, name)) for name in OWN})
        for pair in pairs
    )
    return format_pairs((*ORDINARY, *OWN, "raim_version"), rows)


def _write(value: object) -> object:
    is_unknown = value is None or (isinstance(value, float) and math.isnan(value))
    return None if is_unknown else value
