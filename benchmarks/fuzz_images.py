"""Spoiled restored files through `score_folders`: no file that cannot be decoded gets a number, none a wrong one.

A case is one restored file: bits flipped, bytes cut, filled, inserted, swapped with another file, headers spoiled,
another size, format or kind of pixels, or nothing done to it. Fifty are scored as one folder. A number must be the PSNR
of the pixels that Pillow decodes, so Pillow must be able to decode them; an untouched file must have its number.
"""

import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from fuzz import Outcome
from raim.images import write_image
from raim.scoring import ImageScore, MeasureChoice, Profile, score_folders

HEIGHT, WIDTH = 24, 40
BATCH = 50
SUFFIXES = (".png", ".jpg", ".webp", ".tif")
CLOSENESS_DB = 1e-9
PROFILE = Profile(
    name="fuzz",
    note="PSNR and SSIM",
    border_px=2,
    measures=(
        MeasureChoice(name="psnr", options={"epsilon": 1e-8}, weight=1, zero_at=0, one_at=50),
        MeasureChoice(name="ssim", weight=1, zero_at=0, one_at=1),
    ),
)
Spoil = Callable[[np.random.Generator, bytes, bytes], bytes]


def run_cases(n: int, seed: int, folder: Path) -> Iterator[Outcome]:
    """Run n cases, in folders of fifty; a folder without a fault is emptied again."""
    for start in range(0, n, BATCH):
        rng = np.random.default_rng([seed, start])
        here = folder / f"from-{start}"
        cases = [_make_case(here, f"{index:03}", rng) for index in range(min(BATCH, n - start))]
        try:
            table = score_folders([here / "restored"], here / "reference", profile=PROFILE)
            images = {image.name: image for image in table.entries[0].images}
            outcomes = [_judge(here, words, suffix, images[name]) for name, suffix, words in cases]
        except Exception as error:  # noqa: BLE001 - none may come
            outcomes = [Outcome(words="ended the run", fault=f"{type(error).__name__}: {error}")] * len(cases)
        if not any(outcome.fault for outcome in outcomes):
            for path in [*here.glob("*/*"), *here.glob("*"), here]:
                path.rmdir() if path.is_dir() else path.unlink()
        yield from outcomes


def _make_case(here: Path, name: str, rng: np.random.Generator) -> tuple[str, str, str]:
    """Write reference and restored file; give name, suffix and what was done."""
    suffix = SUFFIXES[rng.integers(len(SUFFIXES))]
    for part in ("reference", "restored"):
        (here / part).mkdir(parents=True, exist_ok=True)
    reference = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    write_image(here / "reference" / f"{name}.png", reference)
    restored = np.clip(reference.astype(np.int16) + rng.integers(-20, 21, reference.shape), 0, 255).astype(
        np.uint8
    )
    own = here / "restored" / f"{name}{suffix}"
    write_image(own, restored)
    words = str(rng.choice(list(SPOILERS)))
    content = own.read_bytes()
    other_suffix = SUFFIXES[rng.integers(len(SUFFIXES))]
    write_image(here / f"other{other_suffix}", restored[::-1])
    other = (here / f"other{other_suffix}").read_bytes()
    (here / f"other{other_suffix}").unlink()
    own.write_bytes(SPOILERS[words](rng, content, other))
    return name, suffix, words


def _judge(here: Path, words: str, suffix: str, image: ImageScore) -> Outcome:
    file = here / "restored" / f"{image.name}{suffix}"
    value = image.values["psnr"]
    if value is None:
        fault = f"{file}: unspoiled, but: {image.unscored}" if words == "untouched" else ""
        if not image.unscored or image.score is not None or "nobody foresaw" in image.unscored:
            fault = f"{file}: no value, and no reason: {image.unscored}"
        return Outcome(words=f"{words}: unscored", fault=fault)
    expected = _psnr(file.read_bytes(), here / "reference" / f"{image.name}.png")
    if isinstance(expected, str):
        return Outcome(words=f"{words}: a number", fault=f"{file}: {value} dB, but {expected}")
    fault = "" if abs(value - expected) <= CLOSENESS_DB else f"{file}: {value} dB, expected {expected}"
    return Outcome(words=f"{words}: the right number", fault=fault)


def _psnr(content: bytes, reference: Path) -> float | str:
    """Compute PSNR from what Pillow decodes, or say why it does not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as opened:
                opened.load()
                restored = np.asarray(opened.convert("RGB"), np.float64)
    except Exception as error:  # noqa: BLE001 - Pillow raises all kinds
        return f"Pillow: {type(error).__name__}: {error}"
    with Image.open(reference) as opened:
        truth = np.asarray(opened, np.float64)
    if restored.shape != truth.shape:
        return f"it is {restored.shape}"
    cut = PROFILE.border_px
    difference = (restored - truth)[cut:-cut, cut:-cut] / 255
    return float(-10 * np.log10((difference**2).mean() + 1e-8))


def _flip_bits(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    del other
    spoiled = bytearray(content)
    for place in rng.integers(0, len(content), rng.integers(1, 9)):
        spoiled[place] ^= 1 << int(rng.integers(8))
    return bytes(spoiled)


def _spoil_header(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    del other
    spoiled = bytearray(content)
    for place in rng.integers(0, min(64, len(content)), rng.integers(1, 5)):
        spoiled[place] = int(rng.integers(256))
    return bytes(spoiled)


def _fill(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    del other
    start = int(rng.integers(len(content)))
    length = int(rng.integers(1, 200))
    return content[:start] + bytes([int(rng.choice([0, 255, 65]))]) * length + content[start + length :]


def _insert(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    place = int(rng.integers(len(content)))
    return content[:place] + other[: int(rng.integers(1, 99))] + content[place:]


def _other_size(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    del content, other
    height, width = (int(size) for size in rng.integers(1, 50, 2))
    return _encode(rng, np.zeros((height, width, 3), np.uint8), "RGB")


def _other_mode(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    del content, other
    mode = str(rng.choice(["L", "P", "1", "RGBA", "CMYK", "I;16", "LA"]))
    return _encode(rng, rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), mode)


def _encode(rng: np.random.Generator, pixels: np.ndarray, mode: str) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    image = image.convert("L").convert("I;16") if mode == "I;16" else image.convert(mode)
    form = "TIFF" if mode in {"CMYK", "I;16"} else str(rng.choice(["PNG", "TIFF"]))
    image.save(buffer, form)
    return buffer.getvalue()


SPOILERS: dict[str, Spoil] = {
    "untouched": lambda rng, content, other: content,  # noqa: ARG005
    "bits flipped": _flip_bits,
    "cut off": lambda rng, content, other: content[: int(rng.integers(len(content)))],  # noqa: ARG005
    "header spoiled": _spoil_header,
    "filled": _fill,
    "inserted": _insert,
    "another file": lambda rng, content, other: other,  # noqa: ARG005
    "half another": lambda rng, content, other: content[: len(content) // 2] + other[len(other) // 2 :],  # noqa: ARG005
    "bytes behind": lambda rng, content, other: content + other,  # noqa: ARG005
    "another size": _other_size,
    "another mode": _other_mode,
}
