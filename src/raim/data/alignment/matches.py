"""A first alignment: features that both pictures have, and the homography that most of them agree on.

SIFT finds and describes features of both pictures; a match counts if it is clearly better than the next (Lowe's
ratio); MAGSAC finds the homography, marginalising over the scale of noise. Features of a sharp picture do not look
the same when blurred, so the reference is tried at several blurs; a shift by phase correlation is one more
candidate, since heavy blur leaves hardly any feature. The candidate under which the pictures correlate best is
taken.

Source: Lowe, IJCV 60, 2004, sections 3 to 7.1; Barath, Noskova, Ivashechkin and Matas, "MAGSAC++", CVPR 2020;
Kuglin and Hines, "The Phase Correlation Image Alignment Method", IEEE Conference on Cybernetics and Society, 1975.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from raim.data.alignment.mapping import (
    Homography,
    find_inside,
    measure_scale,
    project,
    start_mapping,
    warp,
)
from raim.data.alignment.modes import Mode
from raim.data.alignment.planes import Plane, smooth, stretch

RATIO = 0.8  # Lowe 2004, section 7.1
CONTRAST = 0.01  # of a feature, a quarter of Lowe's 0.04: dark and blurred pictures have few
MAX_FEATURES = 8000  # the strongest; more take minutes to match and add nothing
INLIER_PX = 3.0  # the largest noise scale that MAGSAC considers
CONFIDENCE = 0.9999
ITERATIONS = 10_000
LEAST_INLIERS = 8  # four fix a homography; what agrees on it beyond them is evidence
COMPARE_SIDE_PX = 512  # pictures are compared at this size
COMPARE_BLUR_PX = 2.0
LEAST_SHARED = 0.2  # of the input, shown by the reference too


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A candidate for the first alignment.

    Attributes:
        homography: From points of the input to points of the reference.
        origin: How it was found: "sift" or "phase".
        n_matches: Features matched between the two.
        n_inliers: Matches that agree with the homography.
        correlation: Of local contrast between input and warped reference where both show something, -1 to 1.
    """

    homography: Homography
    origin: str
    n_matches: int
    n_inliers: int
    correlation: float = -1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchSearch:
    """What the search for a first alignment has found.

    Attributes:
        n_features: Of the input and of the reference, at the blur where most of the matches agree.
        n_matches: Features matched between the two there.
        n_inliers: Of those, how many agree on one homography.
        best: The candidate of a scale and shape that the mode allows under which the two correlate best.
    """

    n_features: tuple[int, int]
    n_matches: int
    n_inliers: int
    best: Match | None


def search_homography(luma: Plane, reference: Plane, mode: Mode, *, seed: int) -> MatchSearch:
    """MatchSearch the homography from input to reference, whose brightness is given.

    The mode says which blurs and scales are considered, the seed what MAGSAC draws.
    """
    tried = list(_match_features(luma, reference, mode, seed))
    most = max(tried, key=lambda each: (each.n_inliers, each.n_matches))
    found = [*(each.best for each in tried if each.best is not None), *_match_phase(luma, reference)]
    judged = [
        replace(match, correlation=_correlate_under(match.homography, luma, reference))
        for match in found
        if _is_plausible(match.homography, luma.shape, reference.shape, mode)
    ]
    return replace(most, best=max(judged, key=lambda match: match.correlation, default=None))


def _match_features(luma: Plane, reference: Plane, mode: Mode, seed: int) -> Iterator[MatchSearch]:
    """MatchSearch by features, the reference blurred by each of the mode's blurs."""
    own_points, own = _describe(stretch(luma))
    for sigma_px in mode.sharpness_px:
        other_points, other = _describe(stretch(smooth(reference, sigma_px)))
        pairs = _pair_features(own, other)
        homography, n_inliers, best = None, 0, None
        if len(pairs) >= LEAST_INLIERS:
            homography, n_inliers = _fit_homography(own_points[pairs[:, 0]], other_points[pairs[:, 1]], seed)
        if homography is not None and n_inliers >= LEAST_INLIERS:
            best = Match(homography=homography, origin="sift", n_matches=len(pairs), n_inliers=n_inliers)
        yield MatchSearch(
            n_features=(len(own), len(other)), n_matches=len(pairs), n_inliers=n_inliers, best=best
        )


def _describe(
    picture: UInt8[np.ndarray, "_ _"],
) -> tuple[Float32[np.ndarray, "features 2"], Float32[np.ndarray, "features 128"]]:
    sift = cv2.SIFT.create(nfeatures=MAX_FEATURES, contrastThreshold=CONTRAST)
    keypoints, descriptors = sift.detectAndCompute(picture, None)
    points = np.array([keypoint.pt for keypoint in keypoints], np.float32).reshape(-1, 2)
    return points, np.zeros((0, 128), np.float32) if descriptors is None else descriptors


def _pair_features(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pair descriptors by the ratio test, each of the other picture once: (n, 2) indices."""
    if len(own) < 2 or len(other) < 2:
        return np.zeros((0, 2), np.intp)
    best: dict[int, tuple[float, int]] = {}
    for first, second in cv2.BFMatcher().knnMatch(own, other, k=2):
        if first.distance < RATIO * second.distance:
            held = best.get(first.trainIdx)
            if held is None or first.distance < held[0]:
                best[first.trainIdx] = (first.distance, first.queryIdx)
    pairs = [(query, train) for train, (_, query) in best.items()]
    return np.array(pairs, np.intp).reshape(-1, 2)


def _fit_homography(own: np.ndarray, other: np.ndarray, seed: int) -> tuple[Homography | None, int]:
    options = cv2.UsacParams()
    options.randomGeneratorState = seed
    options.threshold = INLIER_PX
    options.confidence = CONFIDENCE
    options.maxIterations = ITERATIONS
    options.score = cv2.SCORE_METHOD_MAGSAC
    options.loMethod = cv2.LOCAL_OPTIM_SIGMA
    options.sampler = cv2.SAMPLING_UNIFORM
    options.isParallel = False
    homography, inliers = cv2.findHomography(own, other, options)
    if homography is None or inliers is None:
        return None, 0
    return homography.astype(np.float64), int(np.count_nonzero(inliers))


def _match_phase(luma: Plane, reference: Plane) -> Iterator[Match]:
    """Propose a shift, where both have one size."""
    if luma.shape != reference.shape:
        return
    window = cv2.createHanningWindow(luma.shape[::-1], cv2.CV_32F)
    planes = [smooth(plane, COMPARE_BLUR_PX) for plane in (luma, reference)]
    (x, y), _ = cv2.phaseCorrelate(planes[0], planes[1], window)
    yield Match(
        homography=np.array([[1, 0, x], [0, 1, y], [0, 0, 1]]), origin="phase", n_matches=0, n_inliers=0
    )


def _is_plausible(homography: Homography, shape: tuple[int, ...], other: tuple[int, ...], mode: Mode) -> bool:
    """Return whether a homography keeps the picture's sense and shape, at a scale that the mode allows."""
    height, width = shape
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
    placed = project(homography, corners)[0].astype(np.float64)
    sides = np.roll(placed, -1, axis=0) - placed
    following = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    if not (turns > 0).all() or np.abs(placed).max() > 100 * max(*shape, *other):
        return False
    scale = measure_scale(homography, height, width)
    return 1 / mode.largest_scale <= scale <= mode.largest_scale


def _correlate_under(homography: Homography, luma: Plane, reference: Plane) -> float:
    """Return the correlation of input and warped reference at a small size."""
    factor = min(1.0, COMPARE_SIDE_PX / max(luma.shape))
    height, width = (max(8, round(side * factor)) for side in luma.shape)
    small = cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)
    x, y = luma.shape[1] / width, luma.shape[0] / height
    enlarge = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1.0]])
    mapping = start_mapping(homography @ enlarge, height, width)
    inside = find_inside(mapping.at_scale(1), reference.shape)
    if inside.mean() < LEAST_SHARED:
        return -1.0
    return correlate(small, warp(reference, mapping), inside)


def correlate(plane: Plane, other: Plane, inside: np.ndarray) -> float:
    """Return the correlation of the local contrast (values less a wide mean) of two planes inside; -1 to 1."""
    shown = inside.astype(np.float32)
    weight = smooth(shown, 8 * COMPARE_BLUR_PX)
    values = []
    for each in (plane, other):
        fine = smooth(each, COMPARE_BLUR_PX)
        wide = smooth(fine * shown, 8 * COMPARE_BLUR_PX) / np.maximum(weight, 1e-3)
        values.append((fine - wide)[inside].astype(np.float64))
    norms = [float(np.sqrt(np.sum(each**2))) for each in values]
    return float(np.sum(values[0] * values[1]) / max(norms[0] * norms[1], 1e-12))
