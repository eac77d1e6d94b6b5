"""Camera shake: the light of each point is spread along the path that the hand gives it during the exposure.

The path is that of a particle of constant speed in the plane, pushed at random and drawn back to where it began:

    v' = v + anxiety (g - INERTIA x) |v|,    then |v'| := length / n,    x' = x + v'

with g standard normal and x in units of the path's length; in a step of the impulse rate's probability the hand
jerks and v is turned round first. The kernel is the time spent over each pixel, each sample spread over the four pixels
around it, and centred on its mean, so that its energy is 1 and a picture does not move as a whole.

Source: Boracchi and Foi, "Modeling the Performance of Image Restoration From Motion Blur", IEEE Transactions on Image
Processing 21(8), 2012, section IV (random motion with inertia, Gaussian perturbation, and impulses).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from raim.data.camera.arrays import Scene, require_range
from raim.data.camera.convolution import blur_with_kernel

STEPS = 2000  # more than ten for each pixel of the longest path
INERTIA = 0.7  # pull towards the start for a distance of one path length; ours
JERK = 0.5  # a jerk's random part, in units of the speed; ours


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """How the camera moves during the exposure.

    Attributes:
        length_px: Length of the path, 0 to 200.
        anxiety: How shaky the hand is: 0 moves along a line, 0.1 wanders, 0.5 trembles.
        impulse_rate: Jerks to expect during the exposure.
        seed: Of the path.
    """

    length_px: float = 0.0
    anxiety: float = 0.05
    impulse_rate: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("motion.length_px", self.length_px, 0, 200)
        require_range("motion.anxiety", self.anxiety, 0, 1)
        require_range("motion.impulse_rate", self.impulse_rate, 0, 100)
        require_range("motion.seed", self.seed, 0)


def draw_path(stage: Motion) -> Float64[np.ndarray, "n 2"]:
    """Draw the path: its points (y, x) in pixels at equal times, their mean at (0, 0).

    Example:
        >>> path = draw_path(Motion(length_px=10.0, anxiety=0.0, seed=3))
        >>> round(float(np.hypot(*(path[-1] - path[0]))), 2)  # without anxiety a line
        10.0
    """
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
    """Give the kernel of a path: energy 1, and centred as the path is.

    Example:
        >>> path_kernel(np.array([[0.0, -1.0], [0.0, 0.5], [0.0, 0.5]])).round(3)
        array([[0.   , 0.   , 0.   ],
               [0.333, 0.333, 0.333],
               [0.   , 0.   , 0.   ]])
    """
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


def blur_motion(scene: Scene, stage: Motion) -> Scene:
    """Blur a scene along the path of a shaking hand.

    Example:
        >>> scene = np.ones((8, 8, 3), np.float32)
        >>> bool(np.allclose(blur_motion(scene, Motion(length_px=9.0)), 1, atol=1e-5))
        True
    """
    if stage.length_px == 0:
        return scene
    return blur_with_kernel(scene, path_kernel(draw_path(stage)))
