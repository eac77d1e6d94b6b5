"""Making the pairs of one scene: read, align, judge, crop, write; or find them made already.

The input's pixels are written as they were read. The reference is written with the input's tone, on its grid (times the
scale), in its bit depth.
"""

import dataclasses
import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raim import __version__
from raim.data.alignment.aligning import Alignment, align, finish_alignment
from raim.data.alignment.averaging import Average, average_shots
from raim.data.alignment.captures import Scene
from raim.data.alignment.cropping import Rectangle, find_rectangle, place_crops
from raim.data.alignment.judging import Limits, describe_residual, judge_alignment
from raim.data.alignment.mapping import start_mapping, warp
from raim.data.alignment.masks import MOVED, SATURATED, draw_mask, find_saturated
from raim.data.alignment.matching import Match
from raim.data.alignment.opencv import load_opencv
from raim.data.alignment.planes import Colour, to_colour, to_luma, to_pixels
from raim.data.alignment.residual import Residual
from raim.data.alignment.tone import Tone
from raim.errors import ImageError, InputError
from raim.files import hash_file
from raim.images import read_image, write_image
from raim.images.picture import PixelArray

INPUT, REFERENCE, MASK = "input", "reference", "mask"
FOLDERS = (INPUT, REFERENCE, MASK)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What is asked of all scenes.

    Attributes:
        crop_px: Side of the crops in px of the input; None: one pair for a scene, as large as both show.
        scale: Pixels of a reference for each of its input, in mode zoom; None: the nearest whole number to that found.
        match_tone: Whether the reference gets the input's tone.
        limits: What a pair may have at most.
        seed: Of the random samples of MAGSAC.
    """

    crop_px: int | None = None
    scale: float | None = None
    match_tone: bool = True
    limits: Limits = dataclasses.field(default_factory=Limits)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.crop_px is not None and self.crop_px < 32:
            raise InputError(f"crops of {self.crop_px} px were asked for; they must have at least 32")
        if self.scale is None:
            return
        if not 1 <= self.scale <= 8:
            raise InputError(f"a scale of {self.scale:g} was asked for; expected 1 to 8")
        if self.scale != round(self.scale) and (self.crop_px is None or not (self.crop_px * self.scale).is_integer()):
            raise InputError(
                f"at scale {self.scale:g}, crops of {self.crop_px or 'no stated size'} px would end within a pixel; state "
                "crops whose size times the scale is whole, or a whole scale"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class MadePair:
    """One pair as it was written; the manifest has a column for each field.

    Attributes:
        name: Stem of its files.
        scene: Its sub-folder of the captures.
        mode: What kind of captures they were.
        scenario: What the manifest calls it.
        input_file: The input's picture.
        reference_files: The reference's pictures, joined by semicolons.
        x: Left edge of the crop in the input, px.
        y: Top edge.
        input_width: px.
        input_height: px.
        width: Of the reference, px.
        height: Of the reference, px.
        input_sha256: Of the input's file.
        reference_sha256: Of the reference's file.
        mask_sha256: Of the mask's file.
        scale_found: Pixels of the reference's picture for each of the input's.
        scale: Pixels of the written reference for each of the input's.
        found_by: What the first alignment came from: "sift" or "phase".
        matches: Matched features.
        inliers: Those that agree with the homography.
        correlation: Of local contrast after alignment.
        displacement_px: Largest displacement beyond the homography, px of the input.
        residual_px: Mean residual over the pair's tiles, px of the input.
        residual_high_px: 95th percentile of the same.
        tiles_measured: Tiles that the residual was measured on.
        tiles: Tiles within the pair.
        tone_gain: Mean slope of the tone curves that the reference went through.
        tone_error: What they leave, in levels of 255.
        blur_px: Deviation of the blur between the two, px of the input.
        moved_share: Share of the pixels that are masked because something moved.
        saturated_share: Share of the pixels that are masked because they are saturated.
        shots: Shots in the reference.
        reference_noise: Noise of a burst's mean, deviation in levels of 255; None for a single picture.
        seed: Of the random samples of MAGSAC.
    """

    name: str
    scene: str
    mode: str
    scenario: str
    input_file: str
    reference_files: str
    x: int
    y: int
    input_width: int
    input_height: int
    width: int
    height: int
    input_sha256: str
    reference_sha256: str
    mask_sha256: str
    scale_found: float
    scale: float
    found_by: str
    matches: int
    inliers: int
    correlation: float
    displacement_px: float
    residual_px: float
    residual_high_px: float
    tiles_measured: int
    tiles: int
    tone_gain: float
    tone_error: float
    blur_px: float
    moved_share: float
    saturated_share: float
    shots: int
    reference_noise: float | None
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A scene or a crop that could not be aligned, and why: where, and by how much."""

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
    fingerprint: str
    pairs: tuple[MadePair, ...]
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """An aligned scene, ready to be cropped."""

    pixels: PixelArray
    colour: Colour
    reference: Colour
    alignment: Alignment
    tone: Tone
    scale: float
    mask: np.ndarray
    shots: int
    noise: float | None


def make_scene(scene: Scene, out: Path, options: Options, known: MadeScene | None) -> MadeScene:
    """Make the pairs of a scene; those that an interrupted run has made are kept if they are still the same.

    Args:
        scene: Its pictures.
        out: The folder that holds input/, reference/ and mask/.
        options: What is asked.
        known: What an interrupted run says of this scene.

    Returns:
        The pairs, and what was refused.

    Raises:
        ImageError: A file cannot be written.
    """
    fingerprint = _fingerprint(scene, options)
    if known is not None and known.fingerprint == fingerprint and _are_there(known, out):
        return known
    try:
        found = _align_scene(scene, options)
    except (ImageError, InputError) as error:
        found = str(error)
    made = functools.partial(MadeScene, name=scene.name, fingerprint=fingerprint)
    if isinstance(found, str):
        return made(pairs=(), refused=(Refused(name=scene.name, reason=found),))
    return _crop_scene(scene, out, options, found, fingerprint)


def file_paths(out: Path, name: str) -> tuple[Path, Path, Path]:
    """Give the paths of a pair's input, reference and mask.

    Example:
        >>> [path.as_posix() for path in file_paths(Path("out"), "wall_001")]
        ['out/input/wall_001.png', 'out/reference/wall_001.png', 'out/mask/wall_001.png']
    """
    first, second, third = (out / folder / f"{name}.png" for folder in FOLDERS)
    return first, second, third


def _align_scene(scene: Scene, options: Options) -> _Found | str:
    """Align a scene; gives why it is refused where it is."""
    pixels = read_image(scene.input, purpose="restore").pixels
    colour = to_colour(pixels)
    if scene.mode.n_references > 1:
        return _align_burst(scene, options, pixels, colour)
    reference = _read_like(scene.references[0], colour)
    alignment = align(colour, reference, scene.mode, seed=options.seed)
    reason = judge_alignment(alignment, options.limits)
    if alignment is None or reason is not None:
        return reason or ""
    return _prepare(scene, options, pixels, colour, reference, alignment)


def _align_burst(scene: Scene, options: Options, pixels: PixelArray, colour: Colour) -> _Found | str:
    shots = (_read_like(path, colour) for path in scene.references)
    average = average_shots(colour, shots, scene.mode, seed=options.seed)
    misfits = _find_misfits(scene, options, average)
    if misfits or average is None:
        return misfits or judge_alignment(None, options.limits) or ""
    identity = start_mapping(np.eye(3), *colour.shape[:2])
    alignment = finish_alignment(colour, average.colour, scene.mode, _join_matches(average), identity)
    alignment = dataclasses.replace(alignment, moved=alignment.moved | ~average.is_known)
    reason = judge_alignment(alignment, options.limits)
    if reason is not None:
        return reason
    found = _prepare(scene, options, pixels, colour, average.colour, alignment)
    return dataclasses.replace(found, shots=len(scene.references), noise=average.noise)


def _find_misfits(scene: Scene, options: Options, average: Average | None) -> str:
    if average is None:
        return ""
    reasons = []
    for path, alignment in zip(scene.references, average.alignments, strict=True):
        reason = judge_alignment(alignment, options.limits)
        if reason is not None:
            reasons.append(f"{path.name}: {reason}")
    return "; ".join(reasons)


def _join_matches(average: Average) -> Match:
    """Describe the shots' first alignments by the poorest of them."""
    found = [each.match for each in average.alignments if each is not None]
    return min(found, key=lambda match: match.n_inliers)


def _prepare(
    scene: Scene, options: Options, pixels: PixelArray, colour: Colour, reference: Colour, alignment: Alignment
) -> _Found:
    scale = 1.0
    if scene.mode.name == "zoom":
        scale = options.scale or float(max(1, min(8, round(alignment.scale))))
    tone = alignment.tone
    toned = tone.apply(warp(reference, alignment.mapping)) if options.match_tone else warp(reference, alignment.mapping)
    return _Found(
        pixels=pixels,
        colour=colour,
        reference=reference,
        alignment=alignment,
        tone=tone,
        scale=scale,
        mask=draw_mask(alignment.inside, alignment.moved, find_saturated(colour, toned)),
        shots=1,
        noise=None,
    )


def _crop_scene(scene: Scene, out: Path, options: Options, found: _Found, fingerprint: str) -> MadeScene:
    room = find_rectangle(found.alignment.inside)
    crops = () if room is None else place_crops(room, options.crop_px)
    if not crops or (options.crop_px is None and room is not None and min(room.width, room.height) < 32):
        shown = "nothing" if room is None else f"{room.width}x{room.height} px"
        reason = f"both pictures show {shown} in common, crops of {options.crop_px or 32} px were asked for"
        return MadeScene(
            name=scene.name, fingerprint=fingerprint, pairs=(), refused=(Refused(name=scene.name, reason=reason),)
        )
    pairs, refused = [], []
    for index, crop in enumerate(crops, start=1):
        name = scene.name if options.crop_px is None else f"{scene.name}_{index:03d}"
        reason = _judge_crop(crop, found, options)
        if reason is not None:
            refused.append(Refused(name=name, reason=reason))
            continue
        pairs.append(_write_pair(name, crop, scene, out, options, found))
    return MadeScene(name=scene.name, fingerprint=fingerprint, pairs=tuple(pairs), refused=tuple(refused))


def _judge_crop(crop: Rectangle, found: _Found, options: Options) -> str | None:
    residual = _residual_within(found.alignment.residual, crop)
    at = f"the crop at ({crop.x}, {crop.y})"
    if residual.tiles and residual.mean_px() > options.limits.residual_px:
        return f"{at}: {describe_residual(residual, options.limits)}"
    moved = float(crop.cut(found.alignment.moved).mean())
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
    name: str, crop: Rectangle, scene: Scene, out: Path, options: Options, found: _Found
) -> MadePair:
    alignment, residual = found.alignment, _residual_within(found.alignment.residual, crop)
    warped = warp(found.reference, alignment.mapping, found.scale, crop)
    toned = found.tone.apply(warped) if options.match_tone else warped
    input_path, reference_path, mask_path = file_paths(out, name)
    height, width = toned.shape[:2]
    mask = crop.cut(found.mask)
    write_image(input_path, crop.cut(found.pixels))
    write_image(reference_path, to_pixels(toned, found.pixels.dtype))
    cv2 = load_opencv()
    write_image(mask_path, cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST))
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
        input_sha256=hash_file(input_path),
        reference_sha256=hash_file(reference_path),
        mask_sha256=hash_file(mask_path),
        scale_found=round(alignment.scale, 4),
        scale=found.scale,
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
        moved_share=round(float((mask == MOVED).mean()), 4),
        saturated_share=round(float((mask == SATURATED).mean()), 4),
        shots=found.shots,
        reference_noise=None if found.noise is None else round(found.noise, 3),
        seed=options.seed,
    )


def _read_like(path: Path, colour: Colour) -> Colour:
    """Read a reference with as many channels as the input; a grey input has a grey reference."""
    reference = to_colour(read_image(path, purpose="restore").pixels)
    if reference.shape[2] == colour.shape[2]:
        return reference
    if colour.shape[2] == 1:
        return to_luma(reference)[..., None]
    raise InputError(f"{path.name} is grey and its input has colours; use a colour reference or a grey input")


def _fingerprint(scene: Scene, options: Options) -> str:
    try:
        hashes = [hash_file(path) for path in (scene.input, *scene.references)]
    except OSError as error:
        raise InputError(f"a picture of {scene.name} cannot be read: {error}") from error
    text = json.dumps([__version__, scene.name, scene.mode.name, hashes, dataclasses.asdict(options)])
    return hashlib.sha256(text.encode()).hexdigest()


def _are_there(made: MadeScene, out: Path) -> bool:
    for pair in made.pairs:
        paths = file_paths(out, pair.name)
        if not all(path.is_file() for path in paths):
            return False
        if [hash_file(path) for path in paths] != [pair.input_sha256, pair.reference_sha256, pair.mask_sha256]:
            return False
    return True
