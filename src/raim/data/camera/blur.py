"""Blur by the lens and by the hand: each point of the scene is spread over a disc, and along a path."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from raim.data.camera.arrays import Channel, Rgb
from raim.data.camera.convolution import blur_gaussian, blur_with_kernel
from raim.data.camera.stage import CameraStage, number, yes_or_no

SUBPIXELS = 16  # along each axis; the area of a disc of 3 px comes out within 0.2 %
STEPS = 2000  # more than ten for each pixel of the longest path
INERTIA = 0.7  # pull towards the start for a distance of one path length; ours
JERK = 0.5  # a jerk's random part, in units of the speed; ours


@dataclass(frozen=True, kw_only=True, slots=True)
class Defocus(CameraStage):
    """Defocus: each point of the scene becomes a disc, and a near layer covers a far one.

    The image of a point at a distance other than the focus is the aperture's shape, a disc whose radius grows with the
    distance in dioptres. Behind the edge of a near object the light of the far one is covered, not mixed in:

        out = D_n(a x) + (1 - D_n(a)) D_f(far)

    with a the near layer's coverage, D_n and D_f the discs of the two layers, and far the far layer, continued behind
    the near one from what is visible beside it.

    Source: Potmesil and Chakravarty, "A Lens and Aperture Camera Model for Synthetic Image Generation", SIGGRAPH 1981
    (circle of confusion); Kraus and Strengert, "Depth-of-Field Rendering by Pyramidal Image Processing", Eurographics
    2007 (layers blurred one by one, then blended; the hidden part interpolated from visible pixels).
    """

    radius_px: float = number(0.0, 0, 200, "of the blur disc; of the far layer's where there is an edge")
    has_edge: bool = yes_or_no("whether there is a nearer layer")
    near_radius_px: float = number(0.0, 0, 200, "of the near layer's disc")
    edge_angle_deg: float = number(0.0, -360, 360, "into the near layer, from right towards down")
    edge_offset: float = number(0.0, -1, 1, "of the edge from the centre, in half diagonals")
    edge_waviness: float = number(0.1, 0, 0.5, "height of the edge's waves, in half diagonals")
    edge_phase: float = number(0.0, -1, 1, "where on the wave the middle of the edge lies, in turns")


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion(CameraStage):
    """Camera shake: light is spread along the path that the hand gives it during the exposure.

    The path is that of a particle of constant speed in the plane, pushed at random and drawn back to where it began:

        v' = v + anxiety (g - INERTIA x) |v|,    then |v'| := length / n,    x' = x + v'

    with g standard normal and x in units of the path's length; in a step of the impulse rate's probability the hand
    jerks and v is turned round first. The kernel is the time spent over each pixel, each sample spread over the four
    pixels around it, and centred on its mean, so that its energy is 1 and a picture does not move as a whole.

    Source: Boracchi and Foi, "Modeling the Performance of Image Restoration From Motion Blur", IEEE Transactions on
    Image Processing 21(8), 2012, section IV (random motion with inertia, Gaussian perturbation, and impulses).
    """

    length_px: float = number(0.0, 0, 200, "of the path")
    anxiety: float = number(0.05, 0, 1, "of the hand: 0 moves along a line, 0.1 wanders, 0.5 trembles")
    impulse_rate: float = number(0.0, 0, 100, "jerks to expect during the exposure")
    seed: int = number(0, 0, np.inf, "of the path")


def disc_kernel(radius_px: float) -> Float64[np.ndarray, "k k"]:
    """Return the disc of a radius, each pixel weighted by how much of it the disc covers; its sum is 1."""
    half = int(np.ceil(radius_px - 0.5)) if radius_px > 0.5 else 0
    size = 2 * half + 1
    offsets = (np.arange(size * SUBPIXELS) + 0.5) / SUBPIXELS - size / 2
    inside = offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius_px**2
    if not inside.any():
        return np.ones((1, 1))
    covered = inside.reshape(size, SUBPIXELS, size, SUBPIXELS).sum(axis=(1, 3), dtype=np.float64)
    return covered / covered.sum()


def near_coverage(height: int, width: int, stage: Defocus) -> Channel:
    """Return the near layer: 1 where it covers a pixel, 0 where it does not, between them along its wavy edge."""
    half_diagonal = np.hypot(height, width) / 2
    angle = np.deg2rad(stage.edge_angle_deg)
    y = np.arange(height)[:, None] - (height - 1) / 2
    x = np.arange(width)[None, :] - (width - 1) / 2
    across = x * np.cos(angle) + y * np.sin(angle)
    along = (y * np.cos(angle) - x * np.sin(angle)) / half_diagonal
    wave = stage.edge_waviness * np.sin(2 * np.pi * (along + stage.edge_phase))
    return np.clip(across - (stage.edge_offset + wave) * half_diagonal + 0.5, 0, 1).astype(np.float32)


def blur_defocus(scene: Rgb, stage: Defocus) -> Rgb:
    """Return a scene blurred by its disc, or by two discs with a covering edge between them."""
    if not stage.has_edge:
        return _blur_disc(scene, stage.radius_px)
    near = near_coverage(scene.shape[0], scene.shape[1], stage)[..., None]
    far = _continue_behind(scene, near, 1 + max(stage.radius_px, stage.near_radius_px))
    covered = _blur_disc(near, stage.near_radius_px)
    return _blur_disc(near * scene, stage.near_radius_px) + (1 - covered) * _blur_disc(far, stage.radius_px)


def _blur_disc(
    picture: Float32[np.ndarray, "h w channels"], radius_px: float
) -> Float32[np.ndarray, "h w channels"]:
    return blur_with_kernel(picture, disc_kernel(radius_px)) if radius_px > 0 else picture


def _continue_behind(scene: Rgb, near: Float32[np.ndarray, "h w 1"], reach_px: float) -> Rgb:
    """Return the far layer continued behind the near one: the weighted mean of what is visible around."""
    visible = 1 - near
    weight = blur_gaussian(visible, reach_px)
    around = blur_gaussian(visible * scene, reach_px)
    # Far inside the near layer nothing is visible around; there the scene stands in, and is covered anyway.
    guess = np.where(weight > 1e-3, around / np.maximum(weight, 1e-3), scene)
    return visible * scene + near * guess


def draw_path(stage: Motion) -> Float64[np.ndarray, "n 2"]:
    """Return a path: its points (y, x) in pixels at equal times, their mean at (0, 0)."""
    rng = np.random.default_rng(stage.seed)
    angle = rng.uniform(0, 2 * np.pi)
    pushes = rng.standard_normal((STEPS, 2))
    jerks = rng.random(STEPS) < stage.impulse_rate / STEPS
    speed = 1 / STEPS
    velocity = speed * np.array([np.sin(angle), np.cos(angle)])
    points = np.zeros((STEPS, 2))
    for step in range(1, STEPS):
        if jerks[step]:
            velocity = -velocity + JERK * speed * pushes[step - 1]
        velocity = velocity + stage.anxiety * speed * (pushes[step] - INERTIA * points[step - 1])
        velocity *= speed / max(np.hypot(*velocity), 1e-12)
        points[step] = points[step - 1] + velocity
    return stage.length_px * (points - points.mean(axis=0))


def path_kernel(path: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "k k"]:
    """Return the kernel of a path: energy 1, and centred as the path is."""
    half = max(1, int(np.ceil(np.abs(path).max())))
    kernel = np.zeros((2 * half + 1, 2 * half + 1))
    whole = np.floor(path).astype(np.intp)
    part = path - whole
    for dy in (0, 1):
        for dx in (0, 1):
            weight = np.abs(1 - dy - part[:, 0]) * np.abs(1 - dx - part[:, 1])
            index = np.minimum(whole + half + [dy, dx], 2 * half)  # beyond the last there is only weight 0
            np.add.at(kernel, (index[:, 0], index[:, 1]), weight)
    return kernel / len(path)


def blur_motion(scene: Rgb, stage: Motion) -> Rgb:
    """Return a scene blurred along the path of a shaking hand."""
    if stage.length_px == 0:
        return scene
    return blur_with_kernel(scene, path_kernel(draw_path(stage)))
