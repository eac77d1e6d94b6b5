import re

import numpy as np
import pytest

from browser import find_chromium, run
from raim.data.alignment import Aligned, AlignmentOptions, MadePair, Refused, file_paths
from raim.errors import InputError
from raim.images import write_image
from raim.report.alignment_sheet import (
    choose_pair_side,
    describe_pair,
    render_alignment_sheet,
    write_alignment_sheet,
)

NAME = "books"


def make_pair(**changed):
    figures = {
        "name": NAME, "scene": NAME, "mode": "blur", "scenario": "blur", "input_file": "input.png",
        "reference_files": "reference.png", "x": 4, "y": 6, "input_width": 60, "input_height": 40, "width": 60,
        "height": 40, "input_sha256": "0" * 64, "reference_sha256": "1" * 64, "mask_sha256": "2" * 64,
        "scale_found": 1.001, "scale": 1.0, "found_by": "sift", "matches": 90, "inliers": 71, "correlation": 0.97,
        "displacement_px": 1.25, "residual_px": 0.12, "residual_high_px": 0.31, "tiles_measured": 14, "tiles": 16,
        "tone_gain": 0.98, "tone_error": 0.4, "blur_px": 1.7, "freedom_px": 0.12, "undetermined_share": 0.03,
        "moved_share": 0.02, "saturated_share": 0.001, "shots": 1, "reference_noise": None, "seed": 0,
    }  # fmt: skip
    return MadePair(**(figures | changed))


@pytest.fixture
def make_aligned(tmp_path):
    def make(**changed):
        pair = make_pair(**changed)
        pictures = [np.full((pair.input_height, pair.input_width, 3), 60, np.uint8) for _ in range(2)]
        pictures[1] = np.full((pair.height, pair.width, 3), 200, np.uint8)
        mask = np.full((pair.input_height, pair.input_width), 255, np.uint8)
        mask[:5] = 85
        if pair.height != pair.input_height:
            mask = np.full((pair.height, pair.width), 255, np.uint8)
        for path, picture in zip(file_paths(tmp_path, pair.name), [*pictures, mask], strict=True):
            path.parent.mkdir(exist_ok=True)
            write_image(path, picture)
        refused = (Refused(scene="odd", name="odd <b>", reason="no common scene was found"),)
        return Aligned(folder=tmp_path, options=AlignmentOptions(), pairs=(pair,), refused=refused)

    return make


def test_every_pair_is_in_the_page_with_input_reference_and_mask(make_aligned):
    text = write_alignment_sheet(make_aligned()).read_text("utf-8")
    assert "1 pair; the mean residual is 0.120 px, at most 0.5 px was asked for" in text
    assert len(re.findall(r'<img [^>]*src="data:image/', text)) == 3
    assert "71 of 90 SIFT matches agree" in text
    assert "http:" not in text.replace("http://www.w3.org", "")


def test_what_was_refused_is_said_and_names_are_escaped(make_aligned):
    text = write_alignment_sheet(make_aligned(name="a<i>b")).read_text("utf-8")
    assert "odd &lt;b&gt;" in text
    assert "no common scene was found" in text
    assert "<i>b" not in text


def test_the_words_follow_the_mode():
    burst = describe_pair(make_pair(mode="burst", shots=7, reference_noise=0.8, blur_px=0.0))
    assert burst["reference"] == "mean of 7 shots, its noise 0.80 levels of 255"
    assert "blur between" not in burst
    zoom = describe_pair(make_pair(mode="zoom", scale_found=1.987, scale=2.0))
    assert zoom["scale"] == "1.987 found, 2 written"
    assert describe_pair(make_pair(found_by="phase"))["first alignment"].startswith("phase correlation")


def test_a_residual_that_nobody_knows_is_called_unknown():
    assert describe_pair(make_pair(residual_px=float("nan")))["residual"].startswith("unknown mean")
    assert "the mean residual is unknown" not in render_alignment_sheet(
        [], (), limit_px=0.5
    )  # without pairs nothing is said


def test_more_pairs_are_shown_smaller():
    sides = [choose_pair_side(n) for n in (1, 10, 100, 10_000)]
    assert sides == sorted(sides, reverse=True)


def test_a_folder_that_has_gone_is_an_error(make_aligned, tmp_path):
    aligned = make_aligned()
    for path in file_paths(tmp_path, NAME):
        path.unlink()
    with pytest.raises((InputError, ValueError), match="cannot be read"):
        write_alignment_sheet(aligned)


@pytest.mark.slow
def test_input_and_reference_alternate_in_a_browser(make_aligned, tmp_path):
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("there is no Chromium here")
    page = write_alignment_sheet(make_aligned())
    shown = {
        "input" if 'class="now" aria-hidden="true">input<' in text else "reference"
        for time_ms in (100, 700, 1300, 1900)
        for text in [run(chromium, page, "--dump-dom", f"--virtual-time-budget={time_ms}").stdout]
    }
    assert shown == {"input", "reference"}
