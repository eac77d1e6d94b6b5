"""The benchmarks of colour fixes and of the guard: what they make of small pictures."""

import numpy as np
import pytest

from benchmark_scripts import load_scripts
from raim.images import read_image, write_image
from raim.restore import find_invention

pytest.importorskip("cv2", reason="the extra opencv is not installed")

SCRIPTS = load_scripts(
    [
        *(
            "turns",
            "processes",
            "variants",
            "restorations",
            "rows",
            "scored",
            "figure",
            "documents",
            "results",
        ),
        *("baselines", "colour_fix", "guard"),
    ]
)
colour_fix, guard = SCRIPTS["colour_fix"], SCRIPTS["guard"]


@pytest.fixture
def pair(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    for folder in ("input", "reference"):
        (tmp_path / "data" / "denoise" / folder).mkdir(parents=True)
        write_image(tmp_path / "data" / "denoise" / folder / "a.png", pixels)
    return SCRIPTS["variants"].find_pairs(tmp_path / "data")[0]


def test_a_pair_is_restored_once_and_fixed_from_that(pair, tmp_path):
    casts = list(colour_fix.restore_pair(pair, "nlm", tmp_path, 1))
    assert len(casts) == 3
    assert max(casts) < 1
    bare = colour_fix.folder_of("nlm", "none", tmp_path) / "a.png"
    write_image(bare, np.full((160, 192, 3), 7, np.uint8))  # taken as it is by the next run
    (colour_fix.folder_of("nlm", "wavelet", tmp_path) / "a.png").unlink()
    none, _, wavelet = colour_fix.restore_pair(pair, "nlm", tmp_path, 1)
    assert none > 100
    assert wavelet < 1


def test_a_row_has_score_decibels_and_cast_of_each():
    scores = {fix: {"score": 1.25, "psnr": 30.0} for fix in colour_fix.FIXES}
    row = colour_fix.format_row("bicubic-x4/2", scores, [3.0, 2.0, 1.0])
    assert row.startswith("| bicubic-x4, reduced by 2 | 1.2 (30.00) 3.0 | ")
    assert row.endswith(" 1.0 |")


def test_the_disc_is_found_where_it_was_painted(pair):
    pixels = read_image(pair.input).pixels
    painted = guard.paint(pixels)
    found = find_invention(pixels, painted)
    place = guard.disc(pixels.shape, found.added.shape, found.block_px)
    changed = (painted != pixels).any(axis=2)[: place.shape[0] * 16, : place.shape[1] * 16]
    touched = changed.reshape(place.shape[0], 16, place.shape[1], 16).any(axis=(1, 3))
    assert 0 < place.sum() < touched.sum() <= 16
    assert not (place & ~touched).any()


def test_references_agree_with_inputs_that_they_equal(pair, tmp_path):
    (found,) = guard.look_at(guard.REFERENCE, [pair], tmp_path)
    assert found.share == 0
    assert guard.format_row(guard.REFERENCE, [found]).startswith("| reference | 0.0 (at most 0.0; 1) |  |")
