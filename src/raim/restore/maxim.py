"""MAXIM-3S for motion blur, of a camera or of what it saw; 22.2 million parameters.

It runs in torch, on the processor too, in tiles of the size that it was trained on: on a whole photograph its grid has
larger cells than it knows, and the result is worse (30.49 dB on pairs of GoPro, in tiles 30.64). Tiles that are sharp
or flat stay as they are: nothing is gained there, a tile takes seconds, and the net changes it all the same.

Source: Tu et al., "MAXIM: Multi-Axis MLP for Image Processing", CVPR 2022 (arXiv 2201.02973); google-research/maxim;
weights trained on GoPro (Nah et al., CVPR 2017).
"""

import numpy as np

from raim.errors import need_extra
from raim.networks.tiles import Tiling, reflect
from raim.restore.descriptor import Context, Photograph, Restorer
from raim.restore.spectrum import LUMA, measure_falloff

NAME = "maxim-deblur"
# Neighbours fade over the whole of what they share; at 64 pixels the seams are below what the net itself changes.
TILING = Tiling(tile_px=256, overlap_px=0, ramp_px=64, is_full=True)

SHARP = -0.2  # falloff from which a tile or photograph is sharp: on 100 known pairs nothing above gained


def is_sharp(falloff: float) -> bool:
    """Return whether the mean of `measure_falloff` shows no blur to take away."""
    return falloff > SHARP


def restore_motion_blur(image: Photograph, context: Context) -> Photograph:
    """Restore a photograph; values may overshoot [0, 1].

    Raises:
        MissingExtraError: torch is not installed.
        WeightsMissingError: The weights are not here and cannot be fetched.
    """
    need_extra(NAME, "torch", "torch")
    import torch

    from raim.devices import find_device
    from raim.networks.maxim import MULTIPLE, run_maxim
    from raim.networks.torch import load_tensors, run_torch_tiled

    tensors = load_tensors(NAME, context.device)
    device = find_device(context.device)
    sharp: list[bool] = []  # of each tile

    def network(tile: Photograph) -> Photograph:
        height, width = tile.shape[:2]
        stays = is_sharp(float(measure_falloff(tile @ LUMA).mean()))
        sharp.append(stays)
        if stays:
            return tile
        picture = torch.from_numpy(np.ascontiguousarray(reflect(tile, 0, MULTIPLE)))[None].to(device)
        return run_maxim(tensors, picture)[0, :height, :width].cpu().numpy()

    restored = run_torch_tiled(
        image,
        network,
        TILING.with_tile(context.tile_px),
        threads=context.threads,
        on_progress=context.on_progress,
    )
    if any(sharp):
        context.on_note(f"{sum(sharp)} of {len(sharp)} tiles are sharp or flat and stay as they are")
    return restored


MAXIM_DEBLUR = Restorer(
    name=NAME,
    purpose="take away motion blur",
    compute=restore_motion_blur,
    is_range_known=True,
    source="Tu et al., CVPR 2022 (arXiv 2201.02973); google-research/maxim",
    weights=(NAME,),
    seconds_per_megapixel=160.0,
    devices=("cpu", "torch"),
)
