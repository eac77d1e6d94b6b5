"""The crops of an aligned scene, judged one by one and written.

The input's pixels are written as they were read. The reference is written with the input's tone, on its grid (times
the scale), in its bit depth.
"""

from pathlib import Path

import numpy as np

from raim.data.alignment.captures import Scene
from raim.data.alignment.crops import Rectangle, find_rectangle, place_crops
from raim.data.alignment.limits import describe_residual, describe_undetermined
from raim.data.alignment.mapping import warp
from raim.data.alignment.masks import MOVED, SATURATED, UNDETERMINED
from raim.data.alignment.options import Options
from raim.data.alignment.pairs import MadePair, Refused
from raim.data.alignment.planes import load_opencv, to_pixels
from raim.data.alignment.residual import Residual
from raim.data.alignment.scene import Fitted
from raim.data.pair_folder import file_paths
from raim.files import hash_file
from raim.images import write_image

SMALLEST_PX = 32  # of what both pictures show, where no size of crops is stated


def write_crops(
    scene: Scene, out: Path, options: Options, fitted: Fitted
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
        reason_of_crop = _judge_crop(crop, fitted, options)
        if reason_of_crop is None:
            pairs.append(_write_pair(name, crop, scene=scene, out=out, options=options, fitted=fitted))
        else:
            refused.append(Refused(scene=scene.name, name=name, reason=reason_of_crop))
    return pairs, refused


def _judge_crop(crop: Rectangle, fitted: Fitted, options: Options) -> str | None:
    residual = _residual_within(fitted.alignment.residual, crop)
    at = f"the crop at ({crop.x}, {crop.y})"
    if residual.tiles and residual.mean_px() > options.limits.residual_px:
        return f"{at}: {describe_residual(residual, options.limits)}"
    undetermined = float(crop.cut(fitted.alignment.undetermined()).mean())
    if undetermined > options.limits.undetermined_share:
        freedom = crop.cut(fitted.alignment.freedom)
        return f"{at}: {describe_undetermined(freedom, undetermined, options.limits, (crop.x, crop.y))}"
    moved = float(crop.cut(fitted.alignment.moved).mean())
    if moved > options.limits.moved_share:
        return f"{at}: something has moved in {moved:.0%} of it, at most {options.limits.moved_share:.0%} may"
    return None


def _residual_within(residual: Residual, crop: Rectangle) -> Residual:
    """Give the tiles whose middle lies within a crop."""
    half = residual.tile_px / 2

    def is_within(x: int, y: int) -> bool:
        return crop.x <= x + half <= crop.x + crop.width and crop.y <= y + half <= crop.y + crop.height

    return Residual(
        tiles=tuple(tile for tile in residual.tiles if is_within(tile.x, tile.y)),
        places=tuple(place for place in residual.places if is_within(*place)),
        tile_px=residual.tile_px,
    )


def _write_pair(
    name: str, crop: Rectangle, *, scene: Scene, out: Path, options: Options, fitted: Fitted
) -> MadePair:
    """Write input, reference and mask; gives all that is known of them."""
    alignment, residual = fitted.alignment, _residual_within(fitted.alignment.residual, crop)
    warped = warp(fitted.reference, alignment.mapping, fitted.scale, crop)
    toned = alignment.tone.apply(warped) if options.match_tone else warped
    height, width = toned.shape[:2]
    mask = crop.cut(fitted.mask)
    paths = file_paths(out, name)
    write_image(paths[0], crop.cut(fitted.pixels))
    write_image(paths[1], to_pixels(toned, fitted.pixels.dtype))
    cv2 = load_opencv()
    write_image(paths[2], cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST))
    displacement = crop.cut(alignment.mapping.displacement)
    return MadePair(
        name=name,
        scene=scene.name,
        mode=scene.mode.name,
        scenario=scene.mode.scenario,
        input_file=scene.input.name,
        reference_files=";".join(path.name for path in scene.references),
        x=crop.x,
        y=crop.y,
        input_width=crop.width,
        input_height=crop.height,
        width=width,
        height=height,
        input_sha256=hash_file(paths[0]),
        reference_sha256=hash_file(paths[1]),
        mask_sha256=hash_file(paths[2]),
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
        blur_px=round(alignment.blur_px(), 3),
        freedom_px=round(float(crop.cut(alignment.freedom).mean()), 3),
        undetermined_share=round(float((mask == UNDETERMINED).mean()), 4),
        moved_share=round(float((mask == MOVED).mean()), 4),
        saturated_share=round(float((mask == SATURATED).mean()), 4),
        shots=fitted.shots,
        reference_noise=None if fitted.noise is None else round(fitted.noise, 3),
        seed=options.seed,
    )
