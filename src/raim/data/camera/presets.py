"""The presets: for each scenario and issue of a challenge, which parameters of the camera are drawn, and from where.

The five scenarios are those of the report's pairs, the five issues those of its unpaired images; the names are the
labels of a manifest. Every preset also draws the ordinary camera: colour, a mosaic, a little noise and a fine JPEG,
since no real input is free of them. `combined` draws at least two of the other four scenarios.

Each range has its source or reason. "By eye" means: chosen so that the weakest draw is just visible at native pixels
and the strongest still leaves a photograph that one would want to save.

Source: report, section 2 (scenarios and issues); the ranges' own sources stand beside them.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from raim.data.camera.draws import (
    Draw,
    Size,
    always,
    corner_shift,
    log_uniform,
    one_of,
    reduction,
    seed,
    sometimes,
    uniform,
    whole,
)
from raim.data.camera.model import Camera
from raim.data.camera.parameters import build_camera
from raim.data.camera.stage import Value
from raim.errors import unknown_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """From where one parameter is drawn, and why from there."""

    draw: Draw
    reason: str


Ranges = Mapping[str, Range]
Kind = Literal["scenario", "issue"]


def _rows(**stages: Mapping[str, tuple[Draw, str]]) -> Ranges:
    """Return ranges by `stage.parameter`."""
    return MappingProxyType(
        {
            f"{stage}.{name}": Range(draw=draw, reason=reason)
            for stage, parameters in stages.items()
            for name, (draw, reason) in parameters.items()
        }
    )


ORDINARY = _rows(
    colour={
        "red_gain": (uniform(1.9, 2.4), "Brooks et al. 2019, section 3.2"),
        "blue_gain": (uniform(1.5, 1.9), "Brooks et al. 2019, section 3.2"),
        "crosstalk": (uniform(0.05, 0.2), "1.1 to 2 on the diagonal of the colour matrix, as in raw files"),
        "tone": (uniform(0.0, 1.0), "from no curve to Brooks' smoothstep"),
    },
    sampling={"has_mosaic": (always(True), "nearly every camera has a Bayer filter")},
    noise={
        "iso": (log_uniform(50, 200), "daylight"),
        "full_well": (log_uniform(4000, 16000), "photosites of 1 to 2 micrometres, some binned"),
        "read_noise": (log_uniform(1, 4), "electrons, of telephone sensors"),
        "bits": (one_of(10, 12, 14), "converters of telephones and of cameras"),
        "seed": (seed(), "each photograph has its own noise"),
    },
    compression={
        "quality": (whole(90, 98), "what cameras store"),
        "subsampling": (one_of("4:2:0", "4:2:2", "4:4:4"), "all three are common"),
    },
)

DENOISE = _rows(
    noise={"iso": (log_uniform(200, 3200), "indoors to night; the weakest is just visible")},
    denoise={
        "radius_px": (sometimes(0.5, whole(1, 3), 0), "half the cameras smooth a little"),
        "luma_strength": (uniform(0.01, 0.03), "below the noise, so that it is left and correlated"),
        "chroma_strength": (uniform(0.02, 0.06), "cameras smooth colour more"),
    },
)

SUPER_RESOLUTION = _rows(
    defocus={"radius_px": (uniform(2, 3.5), "a lens as soft as a photosite, in pixels of the scene")},
    sampling={"reduction": (reduction(2, 4), "the factors of RealSR and DRealSR")},
    zoom={"filter": (one_of("bilinear", "bicubic", "lanczos"), "what digital zoom uses")},
    sharpening={
        "amount": (sometimes(0.5, uniform(0.2, 0.8), 0.0), "digital zoom often sharpens"),
        "radius_px": (uniform(1, 2), "a pixel before enlarging"),
    },
)

OUT_OF_FOCUS = _rows(
    defocus={
        "radius_px": (log_uniform(1.5, 8), "by eye"),
        "has_edge": (one_of(False, True), "half the photographs have two distances"),
        "near_radius_px": (uniform(0, 8), "in focus to as far out as the rest"),
        "edge_angle_deg": (uniform(-180, 180), "any direction"),
        "edge_offset": (uniform(-0.4, 0.4), "so that both layers are in the picture"),
        "edge_waviness": (uniform(0, 0.15), "from a straight edge to a wavy one"),
        "edge_phase": (uniform(0, 1), "any"),
    },
)

MOTION_BLUR = _rows(
    motion={
        "length_px": (log_uniform(5, 40), "by eye"),
        "anxiety": (log_uniform(0.003, 0.1), "nearly straight to wandering"),
        "impulse_rate": (sometimes(0.3, uniform(0.5, 2), 0.0), "a jerk now and then"),
        "seed": (seed(), "each photograph has its own path"),
    },
    noise={"iso": (log_uniform(100, 800), "long exposures are taken in little light")},
)

SMOOTHED_DETAILS = _rows(
    noise={"iso": (log_uniform(400, 3200), "what is smoothed away afterwards")},
    denoise={
        "radius_px": (whole(3, 8), "by eye"),
        "luma_strength": (log_uniform(0.06, 0.2), "above the noise, so that texture goes with it"),
        "chroma_strength": (uniform(0.1, 0.2), "cameras smooth colour more"),
    },
    sharpening={
        "amount": (uniform(0.3, 1.2), "cameras sharpen what they have smoothed"),
        "radius_px": (uniform(1, 2), "as wide as the edges that are left"),
    },
)

TEXT = _rows(
    defocus={"radius_px": (uniform(1, 2.5), "strokes run into each other")},
    sampling={"reduction": (reduction(2, 3), "small print: strokes of a photosite or two")},
    noise={"iso": (log_uniform(100, 800), "indoors")},
    denoise={
        "radius_px": (whole(2, 4), "by eye"),
        "luma_strength": (uniform(0.05, 0.12), "gaps between strokes are filled"),
        "chroma_strength": (uniform(0.1, 0.2), "cameras smooth colour more"),
    },
    zoom={"filter": (one_of("bicubic", "lanczos"), "what digital zoom uses")},
    sharpening={
        "amount": (uniform(1, 2.5), "what is left of the strokes is hardened"),
        "radius_px": (uniform(1.5, 3), "as wide as a stroke"),
    },
    compression={"quality": (whole(60, 90), "documents are sent on, compressed")},
)

HIGHLIGHT_EDGES = _rows(
    highlights={"headroom": (log_uniform(4, 20), "sky behind branches to lamps, relative to white")},
    aberration={
        "red_magnification": (corner_shift(0.5, 2), "lenses without correction"),
        "blue_magnification": (corner_shift(0.5, 2), "lenses without correction"),
        "fringe_radius_px": (uniform(2, 6), "by eye"),
        "purple_leak": (uniform(0.03, 0.15), "by eye"),
        "green_leak": (sometimes(0.3, uniform(0.02, 0.1), 0.0), "green where focus lies behind"),
    },
    flare={
        "strength": (uniform(0.005, 0.03), "Talvala et al. 2007: a few per cent in consumer lenses"),
        "near_part": (uniform(0.3, 0.8), "by eye"),
        "width": (uniform(0.01, 0.05), "by eye"),
    },
    sharpening={
        "amount": (uniform(0.4, 1.2), "halos"),
        "radius_px": (uniform(1.5, 4), "halos wide enough to be seen"),
    },
)

COLOR_NOISE = _rows(
    noise={"iso": (log_uniform(400, 3200), "night")},
    denoise={
        "radius_px": (whole(3, 6), "fine noise is smoothed, coarse noise stays"),
        "luma_strength": (uniform(0.06, 0.12), "a little above the noise"),
        "chroma_strength": (uniform(0.02, 0.05), "below the noise of colour"),
    },
    chroma={
        "sigma": (log_uniform(0.005, 0.016), "by eye"),
        "scale_px": (log_uniform(4, 24), "wider than denoising reaches"),
        "block_sigma": (sometimes(0.5, uniform(0.003, 0.01), 0.0), "blocks in half of them"),
        "block_px": (one_of(8, 16, 32), "blocks of codecs and of denoisers"),
        "seed": (seed(), "each photograph has its own blotches"),
    },
    banding={"bits": (sometimes(0.5, whole(5, 6), 0), "bands in half of them")},
    compression={"quality": (whole(70, 92), "coarse colour")},
)

MOIRE = _rows(
    zoom={"deliver": (always("sensor"), "at the sensor's pixels; enlarging would blur the pattern")},
)

FINE_DETAILS = _rows(
    sampling={
        "reduction": (reduction(2, 3), "more detail than photosites"),
        "fill": (uniform(0.2, 0.7), "little blur by the photosites"),
    },
)

SCREEN = _rows(
    screen={
        "contrast": (log_uniform(0.06, 0.3), "what lens and photosites leave of the stripes; by eye"),
        "pitch_px": (uniform(1.8, 2.2), "near 2, where waves are wide"),
        "angle_deg": (uniform(-8, 8), "held nearly upright"),
        "bend": (uniform(-0.05, 0.05), "perspective and lens"),
    },
)

_SCENARIOS: Mapping[str, tuple[str, Ranges]] = {
    "denoise": ("photon and read noise of a high ISO, as the camera's own processing leaves it", DENOISE),
    "super_resolution": ("too few photosites for the details, enlarged by digital zoom", SUPER_RESOLUTION),
    "out_of_focus": ("a blur disc, or two of them where a near layer covers a far one", OUT_OF_FOCUS),
    "motion_blur": ("the shake of a hand during the exposure", MOTION_BLUR),
    "combined": ("two to four of noise, low resolution, defocus and motion at once", {}),
}
_ISSUES: Mapping[str, tuple[str, Ranges]] = {
    "smoothed_details": (
        "texture taken for noise and smoothed away, edges sharpened again",
        SMOOTHED_DETAILS,
    ),
    "text": ("strokes that stick together: too few photosites, smoothing, sharpening", TEXT),
    "highlight_edges": ("purple and green fringes and halos beside blown highlights", HIGHLIGHT_EDGES),
    "color_noise": ("wide blotches and blocks of colour, banding", COLOR_NOISE),
    "moire": ("false patterns of fine details, of a photographed screen, or of both", MOIRE),
}
_PARTS: Mapping[str, Mapping[str, Any]] = {
    "combined": {
        "parts": {
            "super_resolution": SUPER_RESOLUTION,
            "out_of_focus": OUT_OF_FOCUS,
            "motion_blur": MOTION_BLUR,
            "denoise": DENOISE,
        },
        "fewest_parts": 2,
    },
    "moire": {"parts": {"fine details": FINE_DETAILS, "screen": SCREEN}, "fewest_parts": 1},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """What is drawn for one scenario or issue.

    Attributes:
        name: The label in a manifest.
        kind: Whether the label is the scenario of a pair or the issue of an unpaired image.
        summary: What the input looks like, in one line.
        table: What it draws instead of the ordinary camera's ranges or besides; all else keeps its default.
        parts: Further ranges by name, of which some are drawn as well.
        fewest_parts: How many at least; every set of so many or more is equally likely.
    """

    name: str
    kind: Kind
    summary: str
    table: Ranges
    parts: Mapping[str, Ranges] = field(default_factory=dict)
    fewest_parts: int = 0

    def ranges(self) -> dict[str, Range]:
        """Return all that may be drawn; of a parameter that is there twice, the last one drawn counts."""
        found = dict(ORDINARY)
        for each in (*self.parts.values(), self.table):
            found |= each
        return found

    def draw_camera(
        self,
        rng: np.random.Generator,
        *,
        height: int,
        width: int,
        overrides: Mapping[str, Value] = MappingProxyType({}),
    ) -> Camera:
        """Return a camera drawn for a photograph.

        Args:
            rng: Where chance comes from.
            height: Of the photograph in pixels.
            width: Of the photograph in pixels.
            overrides: Parameters (`stage.parameter`) that are set instead; they change no other draw.

        Raises:
            UnknownNameError: An override names no parameter.
            InputError: Its value is outside the parameter's range.

        Example:
            >>> camera = find_preset("denoise").draw_camera(np.random.default_rng(0), height=480, width=640)
            >>> 200 <= camera.noise.iso <= 3200
            True
        """
        size = Size(height=height, width=width)
        values = {name: each.draw.take(rng, size) for name, each in ORDINARY.items()}
        for ranges in (*(self.parts[part] for part in self._draw_parts(rng)), self.table):
            values |= {name: each.draw.take(rng, size) for name, each in ranges.items()}
        return build_camera(values | dict(overrides))

    def _draw_parts(self, rng: np.random.Generator) -> tuple[str, ...]:
        numbers = range(self.fewest_parts, len(self.parts) + 1)
        sets = [chosen for n in numbers for chosen in itertools.combinations(self.parts, n)]
        return sets[int(rng.integers(len(sets)))]


_KINDS: Mapping[Kind, Mapping[str, tuple[str, Ranges]]] = {"scenario": _SCENARIOS, "issue": _ISSUES}
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        name: Preset(name=name, kind=kind, summary=summary, table=table, **_PARTS.get(name, {}))
        for kind, group in _KINDS.items()
        for name, (summary, table) in group.items()
    }
)


def find_preset(name: str) -> Preset:
    """Return a preset by its name; hyphens count as underscores, colour as color.

    Raises:
        UnknownNameError: There is none; the nearest is named.

    Example:
        >>> find_preset("super-resolution").name
        'super_resolution'
    """
    label = name.strip().lower().replace("-", "_").replace("colour", "color")
    if label not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[label]
