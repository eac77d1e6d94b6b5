"""Synthetic captures of one scene with a known alignment, made from clean photographs.

The reference is the photograph P itself, with noise; shots of a burst are P under homographies of their own. The
input's pixel x shows the point m(x) = H(x + d(x)) of P: H a random homography of a few degrees, some percent of scale
and perspective about the middle, d a smooth displacement of up to 8 px. Then blur (in linear light, as light adds
up), stripes, a monotone tone curve for each channel, noise, 8 bits. A disc of texture lies at one place in the input
and at another in each reference: what moved.

**Where a blurred input lies.** Blur and shift cannot be distinguished: k(x) * P and k(x - a) * P(x + a) are the same
picture. So the truth needs a convention, and it is raim's: the kernel's centroid is its origin. Kernels are made with
centroid 0 (shifted with bilinear weights), and m is where the centroid of the light of a pixel lies.

Source: the shake is a random walk of velocity, in the spirit of Boracchi and Foi, "Modeling the Performance of Image
Restoration from Motion Blur", IEEE TIP 21(8), 2012, section III; defocus is a disc (geometrical optics).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

FLOW_PX = 8.0
MARGIN_PX = 40  # of the photograph around what the input shows, for rotation, flow and blur
N_SHOTS = 5
KINDS = ("burst", "zoom", "defocus", "shake", "moire")
MODES = {"burst": "burst", "zoom": "zoom", "defocus": "blur", "shake": "blur", "moire": "moire"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Capture:
    """A reference and its truth.

    Attributes:
        pixels: (h, w, 3), 8 bits.
        points: Where each pixel of the input lies in it: (x, y) in its pixels, (input height, input width, 2).
    """

    pixels: np.ndarray
    points: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Captures:
    """Captures of one scene.

    Attributes:
        pixels: The input, (h, w, 3), 8 bits.
        references: One, or of a burst the other shots.
        scale: Pixels of a reference for each of the input.
        clean: What the input shows without blur, noise and its tone, encoded values in [0, 1].
        toned: The same with its tone, which the reference's should become.
        moved: Where the disc lies in the input, or where the reference's hides what the input shows.
        blur_px: Half of the kernel's side; the soft edge of what moved.
    """

    pixels: np.ndarray
    references: tuple[Capture, ...]
    scale: float
    clean: np.ndarray
    toned: np.ndarray
    moved: np.ndarray
    blur_px: int


def read_photograph(path: Path) -> np.ndarray:
    """Read values in [0, 1], (h, w, 3); the rocket's Adobe RGB counts as sRGB, which changes no geometry."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), np.float32) / 255


def cut_photograph(photograph: np.ndarray, side: int) -> np.ndarray:
    """Cut the middle out; sides that are shorter stay."""
    top, left = (max(0, (each - side) // 2) for each in photograph.shape[:2])
    return photograph[top : top + side, left : left + side]


def make_captures(
    photograph: np.ndarray,
    kind: str,
    rng: np.random.Generator,
    *,
    flow_px: float = FLOW_PX,
    moves: bool = True,
) -> Captures:
    """Make captures of a kind of `KINDS` from a photograph of values in [0, 1]."""
    scale = 2.0 if kind == "zoom" else 1.0
    height, width = (int((side - 2 * MARGIN_PX) / scale) for side in photograph.shape[:2])
    kernel, tone = make_kernel(kind, rng), make_tone(rng)
    room = kernel.shape[0] // 2
    inner = slice(room, room + height), slice(room, room + width)
    base = _make_points((height, width), room, scale, photograph.shape, flow_px=flow_px, rng=rng)
    n_shots = N_SHOTS if kind == "burst" else 1
    disc = _Disc(radius=min(height, width) / 12, texture=rng.random((64, 64, 3), np.float32))
    places = _place_discs(height, width, n_shots + 1, rng)
    # Larger than the input by half of the kernel, so that blur has its surroundings.
    seen = sample(photograph, base, scale)
    shown = disc.draw(seen, places[0] + room, 1.0) if moves else seen
    toned = tone(np.clip(blur(shown, kernel), 0, 1))[inner]
    noise = 0.02 if kind == "burst" else 0.006
    pixels = add_noise(add_stripes(toned, rng) if kind == "moire" else toned, noise, rng)
    points = base[inner]
    moved = disc.cover(make_grid(height, width), places[0], 1.0) & moves
    references = []
    for place in places[1:]:
        own = _make_homography(photograph.shape, 0.4, rng) if kind == "burst" else np.eye(3)
        lying = project(np.linalg.inv(own), points)
        picture = sample(photograph, project(own, make_grid(*photograph.shape[:2])), 1.0)
        middle = lying[int(place[1]), int(place[0])]
        if moves:
            picture = disc.draw(picture, middle, scale)
            # What a shot of a burst hides, other shots show.
            moved = moved if kind == "burst" else moved | disc.cover(lying, middle, scale)
        if kind == "burst":
            picture = tone(picture) * np.float32(rng.uniform(0.97, 1.03))
        references.append(Capture(pixels=add_noise(picture, noise, rng), points=lying))
    return Captures(
        pixels=pixels,
        references=tuple(references),
        scale=scale,
        clean=tone(seen[inner]) if kind == "burst" else seen[inner],
        toned=tone(seen[inner]),
        moved=moved,
        blur_px=room,
    )


def make_grid(height: int, width: int) -> np.ndarray:
    """Give the point (x, y) of each pixel."""
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)


def project(homography: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply a homography to points (..., 2)."""
    placed = points @ homography[:, :2].T + homography[:, 2]
    return placed[..., :2] / placed[..., 2:]


def sample(photograph: np.ndarray, points: np.ndarray, scale: float) -> np.ndarray:
    """Sample by Lanczos of 8x8 taps; where pixels are larger by `scale`, blurred before."""
    if scale > 1:
        photograph = cv2.GaussianBlur(photograph, (0, 0), 0.5 * math.sqrt(scale**2 - 1))
    sampled = cv2.remap(
        photograph, points.astype(np.float32), None, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.clip(sampled, 0, 1)


def make_kernel(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Make the blur of a kind, centroid 0, sum 1."""
    if kind == "defocus":
        return _centre(_draw_circle(rng.uniform(2.5, 5.0)))
    if kind == "shake":
        return _centre(_draw_shake(rng.uniform(10, 22), rng))
    return np.ones((1, 1))


def blur(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Blur encoded values in linear light."""
    if kernel.size == 1:
        return picture
    linear = np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
    flipped = kernel[::-1, ::-1].astype(np.float32)
    blurred = cv2.filter2D(linear.astype(np.float32), -1, flipped, borderType=cv2.BORDER_REFLECT_101)
    blurred = np.clip(blurred, 0, 1)
    encoded = np.where(blurred <= 0.0031308, blurred * 12.92, 1.055 * blurred ** (1 / 2.4) - 0.055)
    return encoded.astype(np.float32)


def make_tone(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """Make a monotone curve for each channel: another exposure, white balance, contrast and black."""
    gamma = rng.uniform(0.8, 1.25) * rng.uniform(0.95, 1.05, 3)
    gain = rng.uniform(0.82, 0.95) * rng.uniform(0.93, 1.05, 3)
    black = rng.uniform(0.0, 0.04, 3)

    def apply(picture: np.ndarray) -> np.ndarray:
        return (black + (gain - black) * picture**gamma).astype(np.float32)

    return apply


def add_stripes(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Multiply by coloured stripes of 8 to 20 px and up to 10 % whose direction changes slowly: moire."""
    height, width = picture.shape[:2]
    grid = make_grid(height, width)
    striped = picture.copy()
    for channel in range(3):
        angle, period = rng.uniform(0, np.pi), rng.uniform(8, 20)
        bend = cv2.resize(rng.normal(0, 1.5, (4, 4)), (width, height), interpolation=cv2.INTER_CUBIC)
        phase = 2 * np.pi * (grid @ [np.cos(angle), np.sin(angle)]) / period + bend
        striped[..., channel] *= 1 + rng.uniform(0.05, 0.1) * np.cos(phase)
    return striped


def add_noise(picture: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Add noise whose variance rises with brightness, and round to 8 bits."""
    spread = deviation * np.sqrt(0.3 + 1.4 * picture)
    return np.rint(255 * np.clip(picture + rng.normal(0, 1, picture.shape) * spread, 0, 1)).astype(np.uint8)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Disc:
    """What moves: a disc of blobs."""

    radius: float
    texture: np.ndarray

    def cover(self, points: np.ndarray, centre: np.ndarray, scale: float) -> np.ndarray:
        return np.linalg.norm(points - centre, axis=-1) <= self.radius * scale

    def draw(self, picture: np.ndarray, centre: np.ndarray, scale: float) -> np.ndarray:
        side = math.ceil(2 * self.radius * scale) + 3
        grid = make_grid(*picture.shape[:2])
        enlarged = cv2.resize(self.texture[:16, :16], (side, side), interpolation=cv2.INTER_CUBIC)
        placed = (grid - centre + (side - 1) / 2).astype(np.float32)
        shown = cv2.remap(enlarged, placed, None, cv2.INTER_LINEAR)
        share = np.clip(self.radius * scale - np.linalg.norm(grid - centre, axis=-1) + 0.5, 0, 1)[..., None]
        return (picture * (1 - share) + np.clip(shown, 0, 1) * share).astype(np.float32)


def _place_discs(height: int, width: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Place discs (x, y) on a ring about the middle, so that none touches another."""
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(count) / count
    ring = np.stack([0.3 * width * np.cos(angles), 0.3 * height * np.sin(angles)], axis=1)
    return np.rint(ring + np.array([width / 2, height / 2]))


def _make_points(
    shape: tuple[int, int],
    room: int,
    scale: float,
    photograph: tuple[int, ...],
    *,
    flow_px: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Give for each pixel of the input, and of a frame of `room` px around it, its point of the photograph."""
    height, width = (side + 2 * room for side in shape)
    grid = make_grid(height, width) + _make_flow(height, width, flow_px, rng)
    middle = (np.array([width, height]) - 1) / 2
    # Pixels scale times as large, with both middles on one another.
    placed = (grid - middle) * scale + (np.array(photograph[1::-1]) - 1) / 2
    return project(_make_homography(photograph, 1.0, rng), placed)


def _make_homography(shape: tuple[int, ...], strength: float, rng: np.random.Generator) -> np.ndarray:
    """Draw up to 4 degrees, 4 % of scale, 6 px and 2 % of perspective across the picture, about its middle."""
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    angle, size = np.radians(4) * rng.uniform(-1, 1) * strength, 1 + 0.04 * rng.uniform(-1, 1) * strength
    cosine, sine = size * np.cos(angle), size * np.sin(angle)
    shift, tilt = 6 * rng.uniform(-1, 1, 2) * strength, 0.02 * rng.uniform(-1, 1, 2) * strength / max(x, y)
    turned = np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]], [tilt[0], tilt[1], 1.0]])
    back = np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
    return back @ turned @ np.linalg.inv(back)


def _make_flow(height: int, width: int, most_px: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise by an eighth of the longer side and stretch it so that it reaches `most_px`."""
    sigma = max(height, width) / 8
    rough = rng.normal(0, 1, (height, width, 2))
    smooth = cv2.GaussianBlur(rough, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    smooth -= smooth.mean(axis=(0, 1))
    return smooth * (most_px / np.linalg.norm(smooth, axis=-1).max())


def _draw_circle(radius: float) -> np.ndarray:
    half = math.ceil(radius) + 2
    fine = (np.arange((2 * half + 1) * 8) - (2 * half + 1) * 4 + 0.5) / 8
    inside = np.hypot(*np.meshgrid(fine, fine)) <= radius
    return inside.reshape(2 * half + 1, 8, 2 * half + 1, 8).mean(axis=(1, 3))


def _draw_shake(length: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a path whose velocity turns at random, `length` px long in each way at most, as thick as a pixel."""
    velocity = np.cumsum(rng.normal(0, 1, (400, 2)), axis=0) + rng.normal(0, 15, 2)
    path = np.cumsum(velocity, axis=0)
    path *= length / np.ptp(path, axis=0).max()
    path -= path.mean(axis=0)
    half = math.ceil(np.abs(path).max()) + 3
    kernel = np.zeros((2 * half + 1, 2 * half + 1))
    for x, y in path:
        left, top = math.floor(x), math.floor(y)
        for across, down in ((0, 0), (0, 1), (1, 0), (1, 1)):
            share = abs(1 - across - (x - left)) * abs(1 - down - (y - top))
            kernel[half + top + down, half + left + across] += share
    return cv2.GaussianBlur(kernel, (0, 0), 0.6)


def _centre(kernel: np.ndarray) -> np.ndarray:
    """Shift the centroid to the middle by bilinear weights, for which that is exact."""
    kernel = np.pad(kernel / kernel.sum(), len(kernel) // 2)  # room for the shift
    steps = np.arange(len(kernel)) - len(kernel) // 2
    for axis in (0, 1):
        shift = -float(kernel.sum(axis=1 - axis) @ steps)
        whole = math.floor(shift)
        rest = shift - whole
        kernel = (1 - rest) * np.roll(kernel, whole, axis) + rest * np.roll(kernel, whole + 1, axis)
    return kernel
