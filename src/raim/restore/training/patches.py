"""The patches that a net learns from: each is a function of the recipe's seed, the step and its place in the batch.

So no state has to be kept to go on exactly where a run was stopped, and the number of devices or of loading processes
changes nothing. A patch of a clean photograph goes through the camera model as a small photograph of its own, with a
margin that is cut off again at random, so that it begins anywhere in the grids of JPEG and of the colour filters; of a
pair, the same place of both is taken. Then it is turned and mirrored at random.

Source: the eight symmetries as in Lim et al., "Enhanced Deep Residual Networks", CVPRW 2017, section 4.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from raim.data.camera import Camera, Pair, find_preset, take_pair
from raim.data.camera.draws import Size
from raim.errors import InputError
from raim.restore.training.recipe import Drawn, Source
from raim.restore.training.sources import CleanFile, PairFiles, Shelf, find_clean, find_pairs
from raim.restore.training.variations import vary

MARGIN_PX = 16  # beyond a patch that goes through the camera, more or less by half of:
PHASES = 16  # places that a patch can have within JPEG's blocks of 16 px, and so over the colour filters
PLACES = 8  # in a pair with a mask, from which the one with the most usable pixels is taken

Patch = Float32[np.ndarray, "3 side side"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchPair:
    """What a net is given, and what it should give back; both in [0, 1]."""

    degraded: Patch
    reference: Float32[np.ndarray, "3 far_side far_side"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stock:
    """The files of one source.

    Attributes:
        source: As the recipe says.
        files: Clean photographs or pairs, never both.
    """

    source: Source
    files: tuple[CleanFile, ...] | tuple[PairFiles, ...]


def find_stocks(sources: Sequence[Source], patch_px: int, *, scale: int = 1) -> tuple[Stock, ...]:
    """Look at the files of all sources; only headers are read.

    Raises:
        InputError: A folder or a half of a pair is missing, files cannot be used (all are listed), or a model that
            enlarges is to learn from photographs.
    """
    if scale != 1 and any(source.photographs for source in sources):
        raise InputError(
            f"this model enlarges {scale} times, and photographs make pairs of one size; name pairs whose references "
            f"are {scale} times as large as their inputs"
        )
    return tuple(
        Stock(
            source=source,
            files=find_pairs(source, patch_px, scale=scale) if source.pairs else find_clean(source, patch_px),
        )
        for source in sources
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Patches:
    """All patches of a training run.

    Attributes:
        stocks: What they are cut from.
        patch_px: Their side.
        seed: Of the run.
        shelf: Keeps photographs that were read.
    """

    stocks: tuple[Stock, ...]
    patch_px: int
    seed: int
    shelf: Shelf

    def draw(self, step: int, place: int) -> PatchPair:
        """Make one patch.

        Args:
            step: Of the training, from 0.
            place: In the batch over all devices, from 0.

        Raises:
            ImageError: A file cannot be read.
            InputError: A file has gone since the start, or has another size.
        """
        rng = np.random.default_rng([self.seed, step, place])
        weights = np.array([stock.source.weight for stock in self.stocks])
        stock = self.stocks[rng.choice(len(weights), p=weights / weights.sum())]
        areas = np.array([file.height * file.width for file in stock.files], float)
        file = stock.files[rng.choice(len(areas), p=areas / areas.sum())]
        if isinstance(file, CleanFile):
            degraded, reference = self._take(file, stock.source, rng)
        else:
            degraded, reference = self._cut(file, rng)
        turns, is_mirrored = int(rng.integers(4)), bool(rng.integers(2))
        return PatchPair(
            degraded=_turn(degraded, turns, is_mirrored=is_mirrored),
            reference=_turn(reference, turns, is_mirrored=is_mirrored),
        )

    def _take(
        self, file: CleanFile, source: Source, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Send a part of a clean photograph through the camera."""
        clean = self.shelf.read_clean(file, source.shrink)
        height, width = clean.shape[:2]
        camera = draw_camera(source, rng, height=height, width=width)
        reduction = camera.sampling.reduction
        shown = reduction if camera.zoom.deliver == "sensor" else 1  # pixels of the scene for one delivered
        sides = [
            _side_of(length, shown * (self.patch_px + 2 * MARGIN_PX), reduction) for length in (height, width)
        ]
        top, left = (
            int(rng.integers(length - side + 1)) for length, side in zip((height, width), sides, strict=True)
        )
        part = np.ascontiguousarray(clean[top : top + sides[0], left : left + sides[1]])
        pair = take_pair(vary(part, source, rng), camera)
        need_one_size(pair, source)
        if min(pair.degraded.shape[:2]) < self.patch_px:
            raise InputError(
                f"{file.path.name} is {width}x{height}, too small for patches of {self.patch_px} px after the "
                f"{source.presets} camera reduced it {shown} times; leave it out, or take smaller patches"
            )
        window = _near_middle(pair.degraded.shape[:2], self.patch_px, rng)
        return pair.degraded[window], pair.reference[window]

    def _cut(self, file: PairFiles, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Cut the same place out of both halves of a pair."""
        pair = self.shelf.read_pair(file)
        room = [length - self.patch_px + 1 for length in pair.degraded.shape[:2]]
        places = rng.integers(room, size=(PLACES, 2))
        windows = [
            (slice(top, top + self.patch_px), slice(left, left + self.patch_px))
            for top, left in places.tolist()
        ]
        window = windows[0]
        usable = pair.is_usable
        if usable is not None:
            window = max(windows, key=lambda each: float(usable[each].mean()))
        far = tuple(slice(each.start * file.scale, each.stop * file.scale) for each in window)
        return pair.degraded[window], pair.reference[far]


def draw_camera(source: Source, rng: np.random.Generator, *, height: int, width: int) -> Camera:
    """Draw a preset and its camera, with what the recipe says of its parameters."""
    preset = find_preset(source.presets[int(rng.integers(len(source.presets)))])
    size = Size(height=height, width=width)
    overrides = {
        name: each.draw.take(rng, size) if isinstance(each, Drawn) else each
        for name, each in source.camera.items()
    }
    return preset.draw_camera(rng, height=height, width=width, overrides=overrides)


def need_one_size(pair: Pair, source: Source) -> None:
    """Refuse cameras whose references are larger than their inputs.

    Raises:
        InputError: This is one.
    """
    if pair.degraded.shape != pair.reference.shape:
        raise InputError(
            f"a camera of {source.presets} gives inputs that are smaller than their references "
            '(zoom.deliver = "small"); set "zoom.deliver" to "scene" or "sensor", or make pairs with raim degrade'
        )


def _side_of(length: int, wanted: int, multiple: int) -> int:
    """Give the side of a part: as wanted, in whole photosites, at most the photograph's."""
    return min(-(-wanted // multiple) * multiple, length // multiple * multiple)


def _near_middle(sides: Sequence[int], wanted: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """Choose a place near the middle, of any phase: a net must not learn where JPEG's blocks begin."""
    rows, columns = (
        min(max((side - wanted - PHASES) // 2 + int(rng.integers(PHASES)), 0), side - wanted)
        for side in sides
    )
    return slice(rows, rows + wanted), slice(columns, columns + wanted)


def _turn(image: np.ndarray, turns: int, *, is_mirrored: bool) -> np.ndarray:
    """Turn, mirror and bring to planes in [0, 1]."""
    turned = np.rot90(image, turns)
    white = 65535 if image.dtype == np.uint16 else 255
    planes = (turned[:, ::-1] if is_mirrored else turned).transpose(2, 0, 1)
    return np.ascontiguousarray(planes, np.float32) / np.float32(white)
