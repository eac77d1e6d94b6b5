"""`auto`: measure the photograph, try what may help on a few parts of it, take what is expected to gain, or nothing.

    the photograph  ->  four parts with detail
                    ->  what is measured in each              ->  its defects, each with a confidence
                    ->  every candidate tried on each         ->  the gain in SCORE that is expected, and how sure it is
                    ->  the candidate that gains most for sure, on the whole photograph; none, if none does

Candidates are FFDNet at four strengths, relative to the noise that was measured, Real-ESRGAN behind a reduction by 4,
and, where the photograph is not sharp, MAXIM. A quarter of the grain stays behind FFDNet, because measures, as people
do, take a surface without any for smeared.

What is expected rests on known pairs (`raim.restore.prediction`): a photograph that is like none of them is left alone.
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from raim.errors import MissingExtraError, OutOfMemoryError, UnscorableError, WeightsMissingError
from raim.metrics.niqe import niqe
from raim.restore.classical import IDENTITY
from raim.restore.composition import blend
from raim.restore.descriptor import Context, Photograph, Restorer
from raim.restore.ffdnet import ffdnet
from raim.restore.inspection import Inspection, inspect_photograph, measure_gradient, take_median
from raim.restore.maxim import MAXIM_DEBLUR, is_sharp
from raim.restore.prediction import (
    NIQE_POINTS,
    RULES,
    Gain,
    Numbers,
    Predictor,
    RestorerTrial,
    Rules,
    describe_numbers,
    find_predictor,
)
from raim.restore.reduction import reduced
from raim.restore.spectrum import LUMA

NAME = "auto"
ENLARGE = "enlarge"
DEBLUR = "deblur"
REDUCTION = 4
# Sigma that FFDNet is given, over the noise in flat places, which cameras have smoothed.
DENOISE = {f"denoise_{strength}": strength for strength in (0.6, 1.2, 2.0, 3.2)}
STRONGEST_TRIED = 60.0  # of 255: the known pairs say nothing beyond it
SHARE = 0.75  # of what FFDNet gives; the rest is the input
LEAST_NAMED = 0.5  # confidence from which a defect is found
LEAST_MENTIONED = 0.25  # and from which motion blur is mentioned that MAXIM could not be tried on
FAR_BELOW = 5.0  # points of SCORE: further parts do not make up for so much
TRYING = 0.1  # of the progress
TILE_PX = 256
N_TILES = 4
GRID_PX = 8  # of JPEG: parts keep it
LEAST_DETAIL = 1 / 3  # of the parts, the flattest, are left out: there all restorers look alike
Tile = tuple[slice, slice]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbedParts:
    """Parts of a photograph that restorers are tried on, with NIQE of each, or of none where one is too flat for it."""

    tiles: Sequence[Photograph]
    measured: Sequence[Inspection]
    numbers: Sequence[Numbers]  # the same as the predictor takes it
    niqe: Sequence[float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What was found out about a photograph: the median of its parts, and how sure each defect is, 0 to 1.

    `gains` are expected of the candidates that were tried; `missing` says why MAXIM could not be though it might help.
    `is_known` is false where it resembles no photographs that something is known of.
    """

    measured: Inspection
    defects: Mapping[str, float]
    gains: Mapping[str, Gain]
    missing: str = ""
    is_known: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What is to be done, "" to leave the photograph alone, and why, in one sentence."""

    candidate: str
    reason: str


def choose_candidate(findings: Findings, rules: Rules = RULES) -> Choice:
    """Choose the candidate that surely gains most.

    Example:
        >>> gains = {"enlarge": Gain(mean=12, deviation=3), "deblur": Gain(mean=13, deviation=9)}
        >>> measured = inspect_photograph(np.zeros((8, 8, 3), np.float32))
        >>> choose_candidate(Findings(measured=measured, defects={"defocus": 0.8}, gains=gains)).reason
        'it has defocus (80 %); 12 points of SCORE are expected'
    """
    sure = {name: gain.surely(rules) for name, gain in findings.gains.items()}
    best = max(sure, key=lambda name: sure[name], default="")
    named = sorted(
        (name for name, share in findings.defects.items() if share >= LEAST_NAMED),
        key=lambda name: -findings.defects[name],
    )
    listed = ", ".join(f"{name} ({100 * findings.defects[name]:.0f} %)" for name in named)
    found = f"it has {listed}" if named else "no defect is known for sure"
    if not findings.is_known:
        return Choice(candidate="", reason="it resembles no photograph that anything is known of")
    if not best or sure[best] <= 0:
        return Choice(candidate="", reason=f"{found}; nothing surely makes it better")
    return Choice(
        candidate=best, reason=f"{found}; {findings.gains[best].mean:.0f} points of SCORE are expected"
    )


def find_out(
    image: Photograph,
    candidates: Callable[[float], Mapping[str, Restorer]],
    predictor: Predictor,
    context: Context,
) -> Findings:
    """Measure a photograph, and try on parts of it what may help; candidates depend on the strength of its noise."""
    parts = look_at_parts(image)
    measured = take_median(parts.measured, width=image.shape[1], height=image.shape[0])
    defects = predictor.recognise(parts.numbers)
    gains: dict[str, Gain] = {}
    missing = ""
    is_known = predictor.is_known(parts.numbers)
    tried = candidates(measured.flat_noise) if parts.niqe and is_known else {}
    quiet = replace(context, on_progress=lambda _: None, on_note=lambda _: None)
    for index, (name, restorer) in enumerate(tried.items()):
        if name == DEBLUR and is_sharp(measured.falloff):
            continue
        best = max((gain.surely(predictor.rules) for gain in gains.values()), default=0.0)
        try:
            gain = predict_gain(name, restorer, parts, predictor, quiet, best=max(0.0, best))
        except (MissingExtraError, OutOfMemoryError, WeightsMissingError) as error:
            if name != DEBLUR:
                raise
            missing = str(error) if defects["motion blur"] >= LEAST_MENTIONED else ""
            continue
        if gain is not None:
            gains[name] = gain
        context.on_progress((index + 1) / len(tried))
    return Findings(
        measured=measured,
        defects=defects if is_known else {},
        gains=gains,
        missing=missing,
        is_known=is_known,
    )


def look_at_parts(image: Photograph) -> ProbedParts:
    """Cut out the parts and measure them."""
    tiles = [np.ascontiguousarray(image[tile]) for tile in choose_tiles(image)]
    measured = [inspect_photograph(tile) for tile in tiles]
    niqe = [value for value in map(measure_niqe, tiles) if value is not None]
    return ProbedParts(
        tiles=tiles,
        measured=measured,
        numbers=[describe_numbers(each) for each in measured],
        niqe=niqe if len(niqe) == len(tiles) else [],
    )


def choose_tiles(image: Photograph, *, count: int = N_TILES) -> list[Tile]:
    """Choose parts of a photograph: the one with the most detail, and others of ever less, `count` at most.

    They are of 256x256 pixels, less only where the photograph is smaller.

    Example:
        >>> image = np.zeros((300, 800, 3), np.float32)
        >>> [image[tile].shape for tile in choose_tiles(image)]
        [(256, 256, 3), (256, 256, 3), (256, 256, 3)]
    """
    height, width = image.shape[:2]
    tiles = [
        np.s_[top : top + TILE_PX, left : left + TILE_PX] for top in _place(height) for left in _place(width)
    ]
    tiles.sort(key=lambda tile: -measure_gradient(image[tile] @ LUMA))
    n_detailed = len(tiles) if len(tiles) <= count else max(count, round(len(tiles) * (1 - LEAST_DETAIL)))
    chosen = np.unique(np.linspace(0, n_detailed - 1, min(count, len(tiles))).round().astype(int))
    return [tiles[index] for index in chosen]


def _place(length: int) -> list[int]:
    """Return where parts begin along a side, evenly."""
    count = max(1, length // TILE_PX)
    room = max(0, length - TILE_PX)
    if count == 1:
        return [room // 2 // GRID_PX * GRID_PX]
    return [round(index * room / (count - 1)) // GRID_PX * GRID_PX for index in range(count)]


def measure_niqe(image: Photograph) -> float | None:
    """Return NIQE of a part, None where it is too flat to have one.

    A small one is reflected until two blocks of NIQE fit along each side.
    """
    pads = [(0, max(0, TILE_PX - side)) for side in image.shape[:2]]
    whole = np.pad(image, (*pads, (0, 0)), mode="symmetric")
    try:
        return niqe(np.rint(255 * whole).astype(np.uint8))
    except UnscorableError:
        return None


def try_restorer(
    restorer: Restorer, tile: Photograph, before: float, context: Context
) -> RestorerTrial | None:
    """Restore a part by a restorer of scale 1, and measure what came of it; None where that is too flat for NIQE."""
    restored = restorer.run(tile, context)
    after = measure_niqe(restored)
    if after is None:
        return None
    change = 255 * float(np.sqrt(np.mean((restored - tile) ** 2)))
    return RestorerTrial(niqe_gain=NIQE_POINTS * (before - after), change=change)


def predict_gain(
    name: str, restorer: Restorer, parts: ProbedParts, predictor: Predictor, context: Context, *, best: float
) -> Gain | None:
    """Try a candidate on one part after another, and predict what it gains; None where its results are too flat.

    Where the parts that were tried are far below what another one gains (`best`), the others are not.
    """
    trials: list[RestorerTrial] = []
    gain = None
    for tile, before in zip(parts.tiles, parts.niqe, strict=True):
        trial = try_restorer(restorer, tile, before, context)
        if trial is None:
            return None
        trials.append(trial)
        n_tried = len(trials)
        gain = predictor.predict(name, parts.numbers[:n_tried], parts.niqe[:n_tried], trials)
        if gain.mean + gain.deviation < best - FAR_BELOW:
            break
    return gain


def auto(enlarger: Restorer) -> Restorer:
    """Describe `auto`, which takes a given restorer for photographs without fine detail."""
    small = reduced(enlarger, REDUCTION)

    def list_candidates(noise: float) -> dict[str, Restorer]:
        denoisers = {name: blend(ffdnet(find_sigma(name, noise)), SHARE) for name in DENOISE}
        return {**denoisers, ENLARGE: small, DEBLUR: MAXIM_DEBLUR}

    def compute(image: Photograph, context: Context) -> Photograph:
        predictor = find_predictor()
        trying = replace(context, on_progress=lambda done: context.on_progress(TRYING * done))
        findings = find_out(image, list_candidates, predictor, trying)
        choice = choose_candidate(findings)
        noise = findings.measured.flat_noise
        restorer = list_candidates(noise)[choice.candidate] if choice.candidate else IDENTITY
        context.on_note(_say(choice, restorer, findings))
        rest = replace(context, on_progress=lambda done: context.on_progress(TRYING + (1 - TRYING) * done))
        return restorer.run(image, rest)

    denoiser = ffdnet()
    has_torch = importlib.util.find_spec("torch") is not None  # not imported for it; MAXIM needs it
    parts = (denoiser, small, MAXIM_DEBLUR) if has_torch else (denoiser, small)
    return Restorer(
        name=NAME,
        purpose="measure the photograph, choose what fits it, say why",
        compute=compute,
        source="raim, with ffdnet, real-esrgan-x4plus and maxim-deblur",
        weights=("niqe", *(name for part in parts for name in part.weights)),
        seconds_per_megapixel=max(part.seconds_per_megapixel for part in parts),
        seconds_by_choice={part.name: part.seconds_per_megapixel for part in parts},
        devices=enlarger.devices,
        parts=tuple((1, part) for part in parts),
    )


def _say(choice: Choice, restorer: Restorer, findings: Findings) -> str:
    """Return in one note what is done, why, what could not be tried and what was measured."""
    done = "left as it is" if restorer is IDENTITY else restorer.name
    if choice.candidate in DENOISE:
        done += f" at sigma {find_sigma(choice.candidate, findings.measured.flat_noise):.1f}"
    untried = ""
    if findings.missing:
        share = findings.defects["motion blur"]
        untried = f"; motion blur ({100 * share:.0f} %) stays: {findings.missing}"
    return f"{done}: {choice.reason}{untried} (measured: {findings.measured.describe()})"


def find_sigma(candidate: str, noise: float) -> float:
    """Return the sigma that FFDNet is given, of 255."""
    return min(DENOISE[candidate] * noise, STRONGEST_TRIED)
