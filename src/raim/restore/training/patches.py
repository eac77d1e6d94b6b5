"""The patches that a net learns from: each is a function of the recipe's seed, the step and its place in the batch.

So no state has to be kept to go on exactly where a run was stopped, and the number of devices or of loading processes
changes nothing. A patch of a clean photograph goes through the camera model as a small photograph of its own, with a
margin that is cut off again at random, so that it begins anywhere in the grids of JPEG and of the colour filters; of a
pair, the same place of both is taken. Then it is turned and mirrored at random. Batches are made ahead of the loop, in
the training process or in processes of their own.

Source: the eight symmetries as in Lim et al., "Enhanced Deep Residual Networks", CVPRW 2017, section 4.2.
"""

import concurrent.futures
import concurrent.futures.process
import contextlib
import dataclasses
import itertools
import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped
from scipy.ndimage import gaussian_filter

from raim.data.camera import Camera, Pair, find_preset, take_pair
from raim.data.camera.draws import Size
from raim.errors import InputError, TrainingError
from raim.processes import start_worker
from raim.restore.training.recipe import Drawn, Source
from raim.restore.training.sources import CleanFile, ImageCache, PairFiles, find_clean, find_pairs

MARGIN_PX = 16  # beyond a patch that goes through the camera, more or less by half of:
PHASES = 16  # places that a patch can have within JPEG's blocks of 16 px, and so over the colour filters
PLACES = 8  # in a pair with a mask, from which the one with the most usable pixels is taken
AHEAD = 4  # batches that each loading process may be ahead
_patches: "Patches | None" = None  # of a loading process

Clean = Shaped[np.ndarray, "h w *colours"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchPair:
    """What a net is given, and what it should give back, both in [0, 1]; one patch, or those of a batch."""

    degraded: Float32[np.ndarray, "*batch 3 h w"]
    reference: Float32[np.ndarray, "*batch 3 H W"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFiles:
    """The files of one source: clean photographs or pairs, never both."""

    source: Source
    files: tuple[CleanFile, ...] | tuple[PairFiles, ...]


def find_files(sources: Sequence[Source], patch_px: int, *, scale: int = 1) -> tuple[SourceFiles, ...]:
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
        SourceFiles(
            source=source,
            files=find_pairs(source, patch_px, scale=scale) if source.pairs else find_clean(source, patch_px),
        )
        for source in sources
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Patches:
    """All patches of a training run: their files, side and seed, and the photographs that were read."""

    sources: tuple[SourceFiles, ...]
    patch_px: int
    seed: int
    cache: ImageCache

    def draw_batch(self, step: int, places: range) -> PatchPair:
        """Make the batch of a step, or the part of it that one device takes."""
        pairs = [self.draw(step, place) for place in places]
        return PatchPair(
            degraded=np.stack([pair.degraded for pair in pairs]),
            reference=np.stack([pair.reference for pair in pairs]),
        )

    def draw(self, step: int, place: int) -> PatchPair:
        """Make the patch of a step and a place in the batch over all devices, both from 0.

        Raises:
            ImageError: A file cannot be read.
            InputError: A file has gone since the start, or has another size.
        """
        rng = np.random.default_rng([self.seed, step, place])
        weights = np.array([each.source.weight for each in self.sources])
        chosen = self.sources[rng.choice(len(weights), p=weights / weights.sum())]
        areas = np.array([file.height * file.width for file in chosen.files], float)
        file = chosen.files[rng.choice(len(areas), p=areas / areas.sum())]
        if isinstance(file, CleanFile):
            degraded, reference = self._take(file, chosen.source, rng)
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
        clean = self.cache.read_clean(file, source.shrink)
        height, width = clean.shape[:2]
        camera = draw_camera(source, rng, height=height, width=width)
        reduction = camera.sampling.reduction
        shown = reduction if camera.zoom.deliver == "sensor" else 1  # pixels of the scene for one delivered
        wanted = shown * (self.patch_px + 2 * MARGIN_PX)
        # As wanted, in whole photosites, at most the photograph's.
        sides = [
            min(-(-wanted // reduction) * reduction, length // reduction * reduction)
            for length in (height, width)
        ]
        top, left = (
            int(rng.integers(length - side + 1)) for length, side in zip((height, width), sides, strict=True)
        )
        part = np.ascontiguousarray(clean[top : top + sides[0], left : left + sides[1]])
        pair = take_equal_pair(vary(part, source, rng), camera, source)
        if min(pair.degraded.shape[:2]) < self.patch_px:
            raise InputError(
                f"{file.path.name} is {width}x{height}, too small for patches of {self.patch_px} px after the "
                f"{source.presets} camera reduced it {shown} times; leave it out, or take smaller patches"
            )
        # Near the middle, of any phase: a net must not learn where JPEG's blocks begin.
        rows, columns = (
            min(
                max((side - self.patch_px - PHASES) // 2 + int(rng.integers(PHASES)), 0), side - self.patch_px
            )
            for side in pair.degraded.shape[:2]
        )
        window = np.s_[rows : rows + self.patch_px, columns : columns + self.patch_px]
        return pair.degraded[window], pair.reference[window]

    def _cut(self, file: PairFiles, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Cut the same place out of both halves of a pair."""
        pair = self.cache.read_pair(file)
        room = [length - self.patch_px + 1 for length in pair.degraded.shape[:2]]
        places = rng.integers(room, size=(PLACES, 2))
        windows = [
            np.s_[top : top + self.patch_px, left : left + self.patch_px] for top, left in places.tolist()
        ]
        usable = pair.is_usable
        window = windows[0] if usable is None else max(windows, key=lambda each: float(usable[each].mean()))
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


def take_equal_pair(clean: Clean, camera: Camera, source: Source) -> Pair:
    """Send a clean photograph through a camera.

    Raises:
        InputError: Its references are larger than its inputs.
    """
    pair = take_pair(clean, camera)
    if pair.degraded.shape != pair.reference.shape:
        raise InputError(
            f"a camera of {source.presets} gives inputs that are smaller than their references "
            '(zoom.deliver = "small"); set "zoom.deliver" to "scene" or "sensor", or make pairs with raim degrade'
        )
    return pair


def vary(clean: Clean, source: Source, rng: np.random.Generator) -> Clean:
    """Mix the colours of a part of a photograph, darken and blur it, as its source says.

    Without it a net learns the colours of a handful of photographs by heart, and shifts those of others.

    Example:
        >>> clean = np.full((4, 4, 3), 200, np.uint8)
        >>> vary(clean, Source(brightness=0.5), np.random.default_rng(0))[0, 0].tolist()
        [100, 100, 100]
    """

    def draw(chosen: Drawn | float) -> float:
        size = Size(height=clean.shape[0], width=clean.shape[1])
        return float(chosen.draw.take(rng, size)) if isinstance(chosen, Drawn) else chosen

    if source.mix_colours and clean.ndim == 3:
        clean = np.ascontiguousarray(clean[..., rng.permutation(clean.shape[2])])
    factor = draw(source.brightness)
    if factor != 1:
        clean = np.rint(clean * factor).astype(clean.dtype)
    deviation = draw(source.soften_px)
    if deviation > 0:
        sigmas = (deviation, deviation, *(0.0,) * (clean.ndim - 2))
        clean = np.rint(gaussian_filter(clean.astype(np.float32), sigmas, mode="mirror")).astype(clean.dtype)
    return clean


def _turn(image: np.ndarray, turns: int, *, is_mirrored: bool) -> np.ndarray:
    """Turn, mirror and bring to planes in [0, 1]."""
    turned = np.rot90(image, turns)
    white = 65535 if image.dtype == np.uint16 else 255
    planes = (turned[:, ::-1] if is_mirrored else turned).transpose(2, 0, 1)
    return np.ascontiguousarray(planes, np.float32) / np.float32(white)


@contextlib.contextmanager
def feed(patches: Patches, steps: range, places: range, loaders: int) -> Iterator[Iterator[PatchPair]]:
    """Yield the batches of all steps in order, each of a device's places in it, made by so many processes (0: by this).

    Raises:
        InputError, ImageError: A file cannot be used.
        TrainingError: A loading process could not be started, or was killed.
    """
    if loaders == 0:
        yield (patches.draw_batch(step, places) for step in steps)
        return
    context = multiprocessing.get_context("spawn")  # no threads or locks are inherited
    patches = dataclasses.replace(patches, cache=ImageCache(most_bytes=patches.cache.most_bytes))
    with concurrent.futures.ProcessPoolExecutor(loaders, context, _start, (patches,)) as pool:
        try:
            yield _take_in_order(pool, steps, places, loaders * AHEAD)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _start(patches: Patches) -> None:
    global _patches  # noqa: PLW0603 - a process has no other place for what it is started with
    start_worker()
    _patches = patches


def _draw(step: int, places: range) -> PatchPair:
    if _patches is None:
        raise TrainingError("this loading process was not started with patches")
    return _patches.draw_batch(step, places)


def _take_in_order(
    pool: concurrent.futures.ProcessPoolExecutor, steps: range, places: range, ahead: int
) -> Iterator[PatchPair]:
    waiting: deque[concurrent.futures.Future[PatchPair]] = deque()
    has_begun = False
    try:
        for step in itertools.chain(steps, [None] * ahead):
            if step is not None:
                waiting.append(pool.submit(_draw, step, places))
            if waiting and (step is None or len(waiting) > ahead):
                batch = waiting.popleft().result()
                has_begun = True
                yield batch
    except concurrent.futures.process.BrokenProcessPool as error:
        if not has_begun:
            raise TrainingError(
                "no process that makes patches could be started: a script that trains with schedule.loaders must do so "
                'below `if __name__ == "__main__":`; else memory is short, and fewer schedule.loaders may do'
            ) from error
        raise TrainingError(
            "a process that makes patches was killed, most likely for want of memory; the same command with fewer "
            "schedule.loaders goes on from the last checkpoint"
        ) from error
