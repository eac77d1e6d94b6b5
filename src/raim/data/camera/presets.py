"""The presets: for each scenario and issue of a challenge, which parameters of the camera are drawn.

The five scenarios are those of the report's pairs, the five issues those of its unpaired images; the names are the
labels of a manifest. Every preset also draws the ordinary camera: colour, a mosaic, a little noise and a fine JPEG,
since no real input is free of them. `combined` draws at least two of the other four scenarios.

Source: report, section 2 (scenarios and issues); the ranges' own sources stand in `ranges`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from raim.data.camera import ranges
from raim.data.camera.preset import Preset, Table
from raim.errors import unknown_name


def _preset(kind: Literal["scenario", "issue"], name: str, summary: str, table: Table) -> Preset:
    return Preset(name=name, kind=kind, summary=summary, ordinary=ranges.ORDINARY, table=table)


_ALL = (
    _preset(
        "scenario",
        "denoise",
        "photon and read noise of a high ISO, as the camera's own processing leaves it",
        ranges.DENOISE,
    ),
    _preset(
        "scenario",
        "super_resolution",
        "too few photosites for the details, enlarged by digital zoom",
        ranges.SUPER_RESOLUTION,
    ),
    _preset(
        "scenario",
        "out_of_focus",
        "a blur disc, or two of them where a near layer covers a far one",
        ranges.OUT_OF_FOCUS,
    ),
    _preset("scenario", "motion_blur", "the shake of a hand during the exposure", ranges.MOTION_BLUR),
    Preset(
        name="combined",
        kind="scenario",
        summary="two to four of noise, low resolution, defocus and motion at once",
        ordinary=ranges.ORDINARY,
        table={},
        parts={
            "super_resolution": ranges.SUPER_RESOLUTION,
            "out_of_focus": ranges.OUT_OF_FOCUS,
            "motion_blur": ranges.MOTION_BLUR,
            "denoise": ranges.DENOISE,
        },
        fewest_parts=2,
    ),
    _preset(
        "issue",
        "smoothed_details",
        "texture taken for noise and smoothed away, edges sharpened again",
        ranges.SMOOTHED_DETAILS,
    ),
    _preset(
        "issue", "text", "strokes that stick together: too few photosites, smoothing, sharpening", ranges.TEXT
    ),
    _preset(
        "issue",
        "highlight_edges",
        "purple and green fringes and halos beside blown highlights",
        ranges.HIGHLIGHT_EDGES,
    ),
    _preset("issue", "color_noise", "wide blotches and blocks of colour, banding", ranges.COLOR_NOISE),
    Preset(
        name="moire",
        kind="issue",
        summary="false patterns of fine details, of a photographed screen, or of both",
        ordinary=ranges.ORDINARY,
        table=ranges.MOIRE,
        parts={"fine details": ranges.FINE_DETAILS, "screen": ranges.SCREEN},
        fewest_parts=1,
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _ALL})


def find_preset(name: str) -> Preset:
    """Find a preset by its name; hyphens count as underscores, colour as color.

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
