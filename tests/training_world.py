"""A training run that takes a second: two pairs, a net of one block, validation by PSNR."""

import csv
from pathlib import Path

import numpy as np

from raim.images import write_image

STEPS = 7
RECIPE = """
schema = 1
name = "tiny"
checkpoint_steps = 3
log_steps = 1

[model]
channels = 8
blocks = 1

[[data]]
pairs = "pairs"

[loss]
profile = "psnr-alone"

[schedule]
steps = 7
batch = 2
patch_px = 32
warm_up_steps = 2
threads = 1

[validation]
pairs = "pairs"
count = 1
crop_px = 200
every_steps = 4
"""
PHOTOGRAPHS = """
photographs = "photographs"
presets = ["denoise", "out_of_focus"]

[data.camera]
"noise.iso" = { log_uniform = [50, 900] }
"""
# Patches come through the camera.
CAMERA_RECIPE = RECIPE.replace('[[data]]\npairs = "pairs"', f"[[data]]{PHOTOGRAPHS}")


def make_photograph(seed, height=220, width=230, *, dtype=np.uint8, channels=3):
    """Make coarse structure with fine grain, never at the ends of the range."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.uniform(50, 200, (height // 9 + 1, width // 9 + 1, channels)), np.ones((9, 9, 1)))
    pixels = (coarse[:height, :width] + rng.normal(0, 3, (height, width, channels))).clip(1, 254)
    pixels = pixels[..., 0] if channels == 1 else pixels
    return (pixels * 257).astype(dtype) if dtype == np.uint16 else pixels.astype(dtype)


def make_photographs(folder, n=2, **kinds):
    folder.mkdir(parents=True)
    for index in range(n):
        write_image(folder / f"{index}.png", make_photograph(index, **kinds))
    return folder


def make_pairs(folder, n=2, *, scale=1, height=210, width=220, dtype=np.uint8, noise=0):
    """Make pairs whose input is the mean of the reference's squares, so that any shift between them shows."""
    for name in ("input", "reference"):
        (folder / name).mkdir(parents=True)
    for index in range(n):
        reference = make_photograph(index, height * scale, width * scale, dtype=dtype)
        degraded = shrink(reference, scale) + np.random.default_rng(index).normal(
            0, noise, (height, width, 3)
        )
        write_image(folder / "reference" / f"{index}.png", reference)
        write_image(folder / "input" / f"{index}.png", degraded.clip(0, np.iinfo(dtype).max).astype(dtype))
    return folder


def shrink(image, scale):
    height, width = image.shape[0] // scale, image.shape[1] // scale
    return image.reshape(height, scale, width, scale, 3).mean(axis=(1, 3))


def add_profile(monkeypatch):
    """Add the profile `psnr-alone`."""
    from raim.restore.training import recipe
    from raim.scoring import PROFILES, profiles

    made = profiles.Profile(
        name="psnr-alone", note="for tests", border_px=0, measures=PROFILES["raim-2026-hdr"].measures[:1]
    )
    for module in (profiles, recipe):
        monkeypatch.setattr(module, "PROFILES", {**PROFILES, "psnr-alone": made})


def read_tiny(folder, *changes, text=RECIPE):
    """Read the recipe; its data are in `folder`."""
    from raim.restore.training import parse_recipe

    return parse_recipe(text, folder=folder, changes=changes)


def read_weights(run):
    from safetensors.numpy import load_file

    return {name: array.tobytes() for name, array in load_file(Path(run) / "model.safetensors").items()}


def read_log(run, name="log.csv"):
    """Read a log without its clock."""
    with (Path(run) / name).open(newline="") as file:
        return [
            {key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)
        ]


class StoppedError(Exception):
    """Stands for a kill between two steps."""


def stop_after(step):
    from raim.restore.training import Listener

    def look(done, _total):
        if done == step:
            raise StoppedError

    return Listener(on_step=look)
