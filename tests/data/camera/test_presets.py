"""Every preset draws within its ranges, and its pictures have the defect that it is named after."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawn_ranges import holds
from raim.data.camera import PRESETS, Camera, find_preset, flatten_camera, take_pair
from raim.data.camera.arrays import split_luma
from raim.data.camera.blur import draw_path
from raim.data.camera.draws import Size
from raim.data.camera.parameters import STAGES, TYPES
from raim.data.camera.presets import ORDINARY
from raim.errors import InputError, UnknownNameError

SEEDS = range(4)
SIDE = 128


def draw(name, seed, overrides=None, side=SIDE):
    return PRESETS[name].draw_camera(
        np.random.default_rng(seed), height=side, width=side, overrides=overrides or {}
    )


def take(name, clean, seed, overrides=None):
    """Give input and reference in [0, 1]."""
    camera = draw(name, seed, overrides, side=min(clean.shape[:2]))
    pair = take_pair(np.rint(np.clip(clean, 0, 1) * 255).astype(np.uint8), camera)
    return pair.degraded.astype(np.float32) / 255, pair.reference.astype(np.float32) / 255


def texture(side=SIDE, contrast=0.06, seed=0):
    """Fine grey texture on grey, with one strong edge."""
    noise = np.random.default_rng(seed).standard_normal((side, side))
    grey = 0.45 + contrast * noise
    grey[:, side // 2 :] += 0.3
    return grey[..., None].repeat(3, 2)


def detail(picture):
    """Energy of what changes from pixel to pixel in brightness."""
    luma = split_luma(np.ascontiguousarray(picture))[..., 0]
    inner = luma[8:-8, 8 : luma.shape[1] // 2 - 8]
    return np.diff(inner, axis=1).var() + np.diff(inner, axis=0).var()


def median(values):
    return float(np.median(list(values)))


def test_the_scenarios_and_issues_are_those_of_the_report():
    kinds = {kind: [p.name for p in PRESETS.values() if p.kind == kind] for kind in ("scenario", "issue")}
    assert kinds == {
        "scenario": ["denoise", "super_resolution", "out_of_focus", "motion_blur", "combined"],
        "issue": ["smoothed_details", "text", "highlight_edges", "color_noise", "moire"],
    }


@pytest.mark.shared
def test_the_labels_of_real_challenges_have_presets(shared):
    lines = (shared / "data" / "MANIFEST.csv").read_text(encoding="utf-8").splitlines()
    labels = {line.split(",")[3] for line in lines[1:]}
    assert labels - set(PRESETS) == {"blur"}  # of unknown cause


@pytest.mark.parametrize("name", PRESETS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**64), height=st.integers(64, 4000), width=st.integers(64, 4000))
def test_every_drawn_parameter_lies_in_its_stated_range_and_the_rest_keep_their_defaults(
    name, seed, height, width
):
    camera = PRESETS[name].draw_camera(np.random.default_rng(seed), height=height, width=width)
    plain, ranges = flatten_camera(Camera()), PRESETS[name].ranges()
    tables = [ORDINARY, PRESETS[name].table, *PRESETS[name].parts.values()]
    for parameter, value in flatten_camera(camera).items():
        if parameter not in ranges:
            assert value == plain[parameter]
            continue
        stated = [table[parameter].draw.words for table in tables if parameter in table]
        is_optional = all(parameter not in table for table in tables[:2])
        size = Size(height=height, width=width)
        assert (is_optional and value == plain[parameter]) or any(
            holds(words, value, size) for words in stated
        )


@pytest.mark.parametrize("name", PRESETS)
def test_every_range_is_of_a_parameter_and_has_its_reason(name):
    for parameter, each in PRESETS[name].ranges().items():
        assert parameter in TYPES
        assert each.reason
        assert each.draw.words


@pytest.mark.parametrize("name", PRESETS)
def test_the_same_generator_gives_the_same_bytes_which_differ_from_the_reference(name):
    clean = texture()
    first, second = (take(name, clean, 5) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert np.abs(first[0] - first[1]).mean() > 0.5 / 255
    assert (take(name, clean, 6)[0].shape != first[0].shape) or (take(name, clean, 6)[0] != first[0]).any()


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_changes_the_colour_or_brightness_of_a_flat_picture(name):
    flat = np.broadcast_to(np.array([0.5, 0.45, 0.35]), (SIDE, SIDE, 3))
    shifts = [
        np.subtract(*(picture.mean(axis=(0, 1)) for picture in take(name, flat, seed))) for seed in SEEDS
    ]
    assert np.abs(np.median(shifts, axis=0)).max() < 3 / 255


def test_overrides_are_set_and_move_no_other_draw():
    plain, moved = draw("denoise", 1), draw("denoise", 1, {"noise.iso": 100.0})
    different = {
        name for name, value in flatten_camera(plain).items() if flatten_camera(moved)[name] != value
    }
    assert different == {"noise.iso"}
    with pytest.raises(UnknownNameError, match="did you mean 'iso'"):
        draw("denoise", 1, {"noise.isso": 100.0})
    with pytest.raises(InputError, match=r"noise\.iso is -1"):
        draw("denoise", 1, {"noise.iso": -1.0})


def test_names_are_found_with_hyphens_and_in_british_and_a_near_miss_is_named():
    assert find_preset("Colour-Noise") is PRESETS["color_noise"]
    with pytest.raises(UnknownNameError, match="no preset named 'denoize'; did you mean 'denoise'"):
        find_preset("denoize")


def test_denoise_is_noise_about_the_reference():
    flat = np.full((SIDE, SIDE, 3), 0.4)
    for seed in SEEDS:
        picture, reference = take("denoise", flat, seed)
        residual = picture - reference
        assert residual.std() > 1.5 / 255
        assert abs(residual.mean()) < 0.25 * residual.std() + 1 / 255


def test_super_resolution_has_less_detail_than_its_reference():
    assert (
        median(detail(a) / detail(b) for a, b in (take("super_resolution", texture(), s) for s in SEEDS))
        < 0.3
    )


def test_out_of_focus_has_less_detail_than_its_reference():
    assert median(detail(a) / detail(b) for a, b in (take("out_of_focus", texture(), s) for s in SEEDS)) < 0.3


@pytest.mark.parametrize("seed", SEEDS)
def test_motion_blur_takes_the_detail_along_its_path_and_leaves_it_across(seed):
    steady = {"motion.anxiety": 0.0, "motion.impulse_rate": 0.0, "noise.iso": 50.0, "motion.length_px": 16.0}
    camera = draw("motion_blur", seed, steady)
    path = draw_path(camera.motion)
    dy, dx = (path[-1] - path[0]) / np.hypot(*(path[-1] - path[0]))
    clean = texture(contrast=0.1)
    picture = take("motion_blur", clean, seed, steady)[0].mean(axis=2)[20:-20, 20 : SIDE // 2 - 6]
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(picture - picture.mean()))) ** 2
    fy = np.fft.fftshift(np.fft.fftfreq(picture.shape[0]))[:, None]
    fx = np.fft.fftshift(np.fft.fftfreq(picture.shape[1]))[None, :]
    along, across = np.abs(fy * dy + fx * dx), np.abs(fx * dy - fy * dx)
    band = (np.hypot(fy, fx) > 0.1) & (np.hypot(fy, fx) < 0.35)
    assert spectrum[band & (along < 0.04)].mean() > 5 * spectrum[band & (across < 0.04)].mean()


def test_combined_has_two_defects_or_more():
    chosen = {PRESETS["combined"]._draw_parts(np.random.default_rng(seed)) for seed in range(300)}
    assert len(chosen) == 11  # 6 pairs, 4 triples, all four
    assert {len(each) for each in chosen} == {2, 3, 4}
    worse = median(np.abs(np.subtract(*take("combined", texture(), seed))).mean() for seed in range(8))
    assert worse > 3 / 255


def test_smoothed_details_loses_texture_and_keeps_edges():
    clean = texture(contrast=0.03)
    pairs = [take("smoothed_details", clean, seed) for seed in SEEDS]
    assert median(detail(a) / detail(b) for a, b in pairs) < 0.3
    for picture, _ in pairs:
        luma = picture.mean(axis=(0, 2))
        assert luma[SIDE // 2 + 4] - luma[SIDE // 2 - 5] > 0.2  # of a step of 0.3


def test_strokes_of_text_stick_together():
    clean = np.full((SIDE, SIDE, 3), 0.9)
    clean[16:112, 20::4] = clean[16:112, 21::4] = 0.1  # strokes of two pixels, two apart

    def gaps(picture):
        line = picture[40:88, 40:88].mean(axis=(0, 2)).reshape(-1, 4)
        return np.ptp(line, axis=1).mean()

    assert median(gaps(a) / gaps(b) for a, b in (take("text", clean, seed) for seed in SEEDS)) < 0.5


def test_highlight_edges_are_purple_or_green_and_have_halos():
    clean = np.full((SIDE, SIDE, 3), 0.25)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    radius = np.hypot(y, x)
    clean[radius < 30] = 1.0
    beside, far = (radius > 31) & (radius < 36), radius > 55

    def fringe(picture):
        return np.ptp(picture[beside].mean(axis=0)) - np.ptp(picture[far].mean(axis=0))

    fringes = [(fringe(a), fringe(b)) for a, b in (take("highlight_edges", clean, seed) for seed in SEEDS)]
    assert median(a for a, _ in fringes) > 8 / 255
    assert max(abs(b) for _, b in fringes) < 1 / 255


def test_color_noise_is_wider_in_colour_than_in_brightness():
    flat = np.full((SIDE, SIDE, 3), 0.25)

    def coarse(plane):
        blocks = plane.reshape(SIDE // 8, 8, SIDE // 8, 8).mean(axis=(1, 3))
        return blocks.std()

    ratios = []
    for seed in SEEDS:
        residual = np.subtract(*take("color_noise", flat, seed, {"banding.bits": 0}))
        luma, blue, red = np.moveaxis(split_luma(residual), 2, 0)
        ratios.append((coarse(blue) + coarse(red)) / 2 / coarse(luma))
    assert median(ratios) > 2


def test_moire_of_fine_stripes_lies_at_their_folded_frequency():
    side, frequency = 480, 0.42
    wave = 0.5 + 0.3 * np.sin(2 * np.pi * frequency * np.arange(side))
    clean = np.broadcast_to(wave[None, :, None], (240, side, 3))
    overrides = {"sampling.reduction": 2, "sampling.fill": 0.0, "screen.contrast": 0.0, "noise.iso": 50.0}
    picture, reference = take("moire", clean, 0, overrides)

    def spectrum(pixels):
        line = pixels[..., 1].mean(axis=0).astype(float)
        return np.abs(np.fft.rfft(line - line.mean())) / len(line)

    folded = round((1 - 2 * frequency) * (side // 2))
    assert np.argmax(spectrum(picture)) == folded
    assert spectrum(picture)[folded] > 5 * spectrum(reference)[folded]


def test_moire_of_a_screen_is_coloured():
    flat = np.full((256, 256, 3), 0.5)
    overrides = {
        "screen.contrast": 0.2, "screen.pitch_px": 2.1, "screen.angle_deg": 3.0, "screen.bend": 0.0,
        "sampling.reduction": 1, "noise.iso": 50.0,
    }  # fmt: skip
    picture, reference = take("moire", flat, 0, overrides)
    assert split_luma(picture)[..., 1:].std(axis=(0, 1)).min() > 0.01
    assert np.ptp(reference, axis=2).max() <= 1 / 255


DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "camera-model.md"


@pytest.fixture(scope="module")
def lines():
    return DOCUMENT.read_text(encoding="utf-8").splitlines()


def expected_ranges():
    tables = {"every": ORDINARY}
    for preset in PRESETS.values():
        tables[f"`{preset.name}`"] = preset.table
        if preset.name != "combined":  # its parts are other presets
            tables |= {f"`{preset.name}`, {part}": table for part, table in preset.parts.items()}
    return [
        f"| {label} | `{name}` | {each.draw.words} | {each.reason} |"
        for label, table in tables.items()
        for name, each in table.items()
    ]


def test_the_document_has_exactly_the_presets(lines):
    rows = [
        line for line in lines if line.startswith("| `") and ("| scenario |" in line or "| issue |" in line)
    ]
    assert rows == [f"| `{preset.name}` | {preset.kind} | {preset.summary} |" for preset in PRESETS.values()]


def test_the_document_has_exactly_the_ranges(lines):
    start = lines.index("| preset | parameter | range | source or reason |")
    end = next(number for number in range(start, len(lines)) if not lines[number])
    assert lines[start + 2 : end] == expected_ranges()


def test_the_document_describes_every_stage(lines):
    described = {
        line.split("(`")[1].split("`)")[0] for line in lines if line.startswith("**") and "(`" in line
    }
    assert described == set(STAGES)
