"""The crops of an aligned scene, judged one by one and written.

The input's pixels are written as they were read. The reference is written with the input's tone, on its grid (times
the scale), in its bit depth.
"""

from pathlib import Path

import cv2
import numpy as np

from raim.data.alignment.captures import Scene
from raim.data.alignment.crops import Rectangle, find_rectangle, place_crops
from raim.data.alignment.mapping import warp
from raim.data.alignment.masks import MOVED, SATURATED, UNDETERMINED
from raim.data.alignment.options import AlignmentOptions
from raim.data.alignment.pairs import MadePair, Refused
from raim.data.alignment.planes import to_pixels
from raim.data.alignment.refusal import judge_crop
from raim.data.alignment.scene import Fitted
from raim.data.pair_folder import write_pair

SMALLEST_PX = 32  # of what both pictures show, where no size of crops is stated


def write_crops(
    scene: Scene, out: Path, options: AlignmentOptions, fitted: Fitted
) -> tuple[list[MadePair], list[Refused]]:
    """Write the crops of an aligned scene that are good enough.

    Args:
        scene: Its pictures.
        out: The folder that holds input/, reference/ and mask/.
        options: What is asked.
        fitted: The aligned scene.

    Returns:
        The pairs, and the crops that were refused.

    Raises:
        OutputError: A file cannot be written.
    """
    room = find_rectangle(fitted.alignment.inside)
    crops = () if room is None else place_crops(room, options.crop_px)
    least = options.crop_px or SMALLEST_PX
    if room is None or not crops or min(room.width, room.height) < least:
        shown = "nothing" if room is None else f"{room.width}x{room.height} px"
        reason = f"both pictures show {shown} in common; at least {least}x{least} px are needed"
        return [], [Refused(scene=scene.name, name=scene.name, reason=reason)]
    pairs: list[MadePair] = []
    refused: list[Refused] = []
    for index, crop in enumerate(crops, start=1):
        name = scene.name if options.crop_px is None else f"{scene.name}_{index:03d}"
        reason_of_crop = judge_crop(fitted.alignment, crop, options.limits)
        if reason_of_crop is None:
            pairs.append(_write_pair(name, crop, scene=scene, out=out, options=options, fitted=fitted))
        else:
            refused.append(Refused(scene=scene.name, name=name, reason=reason_of_crop))
    return pairs, refused


def _write_pair(
    name: str, crop: Rectangle, *, scene: Scene, out: Path, options: AlignmentOptions, fitted: Fitted
) -> MadePair:
    """Write input, reference and mask; gives all that is known of them."""
    alignment, residual = fitted.alignment, fitted.alignment.residual.within(crop)
    warped = warp(fitted.reference, alignment.mapping, fitted.scale, crop)
    toned = alignment.tone.apply(warped) if options.match_tone else warped
    mask = crop.cut(fitted.mask)
    large = cv2.resize(mask, toned.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    files = write_pair(out, name, crop.cut(fitted.pixels), to_pixels(toned, fitted.pixels.dtype), large)
    displacement = crop.cut(alignment.mapping.displacement)
    return MadePair(
        **files,
        scene=scene.name,
        mode=scene.mode.name,
        scenario=scene.mode.scenario,
        input_file=scene.input.name,
        reference_files=";".join(path.name for path in scene.references),
        x=crop.x,
        y=crop.y,
        scale_found=round(alignment.scale, 4),
        scale=fitted.scale,
        found_by=alignment.match.origin,
        matches=alignment.match.n_matches,
        inliers=alignment.match.n_inliers,
        correlation=round(alignment.correlation, 4),
        displacement_px=round(float(np.hypot(displacement[..., 0], displacement[..., 1]).max()), 3),
        residual_px=round(residual.mean_px(), 4),
        residual_high_px=round(residual.high_px(), 4),
        tiles_measured=len(residual.tiles),
        tiles=len(residual.places),
        tone_gain=round(alignment.tone.gain, 4) if options.match_tone else 1.0,
        tone_error=round(alignment.tone.error, 3),
        blur_px=round(alignment.blur_px, 3),
        freedom_px=round(float(crop.cut(alignment.deviation).mean()), 3),
        undetermined_share=round(float((mask == UNDETERMINED).mean()), 4),
        moved_share=round(float((mask == MOVED).mean()), 4),
        saturated_share=round(float((mask == SATURATED).mean()), 4),
        shots=len(scene.references),
        reference_noise=None if fitted.noise is None else round(fitted.noise, 3),
        seed=options.seed,
    )
