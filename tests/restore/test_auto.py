import importlib.util

import numpy as np
import pytest

from raim.errors import MissingExtraError, OutOfMemoryError, WeightsMissingError
from raim.images import read_image
from raim.restore import Context, Restorer, find_restorer, inspect_photograph, restore
from raim.restore.auto import (
    DEBLUR,
    Findings,
    choose_candidate,
    choose_tiles,
    find_out,
    measure_niqe,
    try_restorer,
)
from raim.restore.prediction import Gain, Predictor, Rules
from raim.scoring import find_profile, score_pair

MEASURED = inspect_photograph(np.random.default_rng(0).random((64, 64, 3), np.float32))


def findings(defects=None, **gains):
    return Findings(
        measured=MEASURED,
        defects=defects or {},
        gains={name: Gain(mean=mean, deviation=deviation) for name, (mean, deviation) in gains.items()},
    )


def test_what_surely_gains_most_is_chosen():
    found = findings(enlarge=(12.0, 3.0), deblur=(13.0, 30.0))
    assert choose_candidate(found, Rules(caution=0.5)).candidate == "enlarge"
    assert choose_candidate(found, Rules(caution=0.0)).candidate == "deblur"


def test_a_photograph_is_left_alone_where_nothing_surely_gains():
    choice = choose_candidate(findings(enlarge=(2.0, 30.0), deblur=(-3.0, 1.0)), Rules(caution=0.5))
    assert choice.candidate == ""
    assert "nothing surely makes it better" in choice.reason
    assert choose_candidate(findings()).candidate == ""


def test_what_is_found_is_named_with_its_confidence():
    reason = choose_candidate(findings({"JPEG": 0.6, "moire": 0.1, "noise": 0.81}, enlarge=(7.0, 1.0))).reason
    assert reason == "it has noise (81 %), JPEG (60 %); 7 points of SCORE are expected"
    assert "no defect is known for sure" in choose_candidate(findings({"noise": 0.2})).reason


@pytest.mark.parametrize("shape", [(8, 8, 3), (9, 70), (256, 255, 3)])
def test_what_resembles_no_known_photograph_is_left_as_it_is(shape):
    image = np.random.default_rng(0).integers(0, 65536, shape, np.uint16)
    result = restore(image, "auto", threads=1)
    np.testing.assert_array_equal(result.pixels, image)
    assert "it resembles no photograph that anything is known of" in result.notes[0]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_photograph_is_left_as_it_is(value):
    image = np.full((64, 80, 3), value, np.uint8)
    result = restore(image, "auto", threads=1)
    np.testing.assert_array_equal(result.pixels, image)
    assert result.notes[0].startswith("left as it is")


@pytest.mark.parametrize("error", [MissingExtraError, OutOfMemoryError, WeightsMissingError])
@pytest.mark.parametrize(("share", "is_said"), [(0.8, True), (0.1, False)])
def test_what_keeps_maxim_from_being_tried_is_said_where_it_may_matter(monkeypatch, error, share, is_said):
    def fail(*_):
        raise error("maxim-deblur cannot run here")

    monkeypatch.setattr(Predictor, "recognise", lambda *_: {"motion blur": share})
    monkeypatch.setattr(Predictor, "is_known", lambda *_: True)
    noise = np.random.default_rng(0).random((264, 264, 3), np.float32)
    across = np.mean([noise[:, shift : shift + 256] for shift in range(9)], axis=0)
    image = np.mean([across[shift : shift + 256] for shift in range(9)], axis=0)
    candidates = {DEBLUR: Restorer(name="deblur", purpose="", compute=fail)}
    found = find_out(image, lambda _: candidates, Predictor(rules=Rules()), Context(threads=1))
    assert found.gains == {}
    assert found.missing == ("maxim-deblur cannot run here" if is_said else "")


def read_pair(shared, scenario, name):
    folder = shared / "data" / "paired" / scenario
    return [read_image(next((folder / part).glob(f"{name}.*"))).pixels for part in ("input", "reference")]


def cut(pixels, top, left):
    return np.ascontiguousarray(pixels[top : top + 256, left : left + 256])


def gain(before, after, reference):
    profile = find_profile("raim-2024")
    return score_pair(after, reference, profile).score - score_pair(before, reference, profile).score


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("scenario", "name", "corner", "least"),
    [
        ("denoise", "polyu_Canon5D2_5_160_6400_reciever_2", (128, 128), 10),
        ("motion_blur", "gopro_01", (256, 512), 40),
    ],
)
def test_it_raises_the_score_of_real_photographs(shared, scenario, name, corner, least):
    before, reference = (cut(pixels, *corner) for pixels in read_pair(shared, scenario, name))
    result = restore(before, find_restorer("auto"), threads=1)
    assert gain(before, result.pixels, reference) > least
    assert "points of SCORE are expected" in result.notes[0]


@pytest.mark.slow
@pytest.mark.shared
def test_without_torch_it_says_that_motion_blur_stays_and_goes_on_with_the_rest(shared, monkeypatch):
    before, _ = (cut(pixels, 256, 512) for pixels in read_pair(shared, "motion_blur", "gopro_01"))
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "torch" else find_spec(name, *rest)
    )
    note = restore(before, find_restorer("auto"), threads=1).notes[0]
    assert "motion blur" in note
    assert "pip install 'raim[torch]'" in note
    assert not note.startswith("maxim")


def texture(height, width, *, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


@pytest.mark.parametrize(
    ("height", "width", "count"), [(8, 8, 1), (255, 300, 1), (512, 512, 4), (3000, 4000, 4)]
)
def test_parts_lie_within_the_photograph_and_on_the_grid_of_jpeg(height, width, count):
    tiles = choose_tiles(np.zeros((height, width, 3), np.float32))
    assert len(tiles) == count
    for tile in tiles:
        for part, side in zip(tile, (height, width), strict=True):
            assert 0 <= part.start < part.stop
            assert part.start % 8 == 0
            assert min(part.stop, side) - part.start == min(256, side)


def test_the_part_with_the_most_detail_comes_first_and_the_flattest_third_is_left_out():
    image = np.full((1024, 1024, 3), 0.5, np.float32)
    image[512:768, 256:512] = texture(256, 256)
    image[:512] += 0.1 * texture(512, 1024)
    tiles = choose_tiles(image)
    assert (tiles[0][0].start, tiles[0][1].start) == (512, 256)
    assert all(np.ptp(image[tile]) > 0.05 for tile in tiles[:-1])


def test_niqe_of_a_flat_part_is_none_and_small_parts_have_one():
    assert measure_niqe(np.zeros((64, 64, 3), np.float32)) is None
    assert measure_niqe(texture(64, 80)) > 0


def test_a_trial_says_what_changed_and_what_niqe_gained():
    tile = texture(256, 256)
    trial = try_restorer(find_restorer("identity"), tile, measure_niqe(tile), Context(threads=1))
    assert (trial.niqe_gain, trial.change) == (0.0, 0.0)
    smooth = try_restorer(
        find_restorer("bicubic-x2", reduction=2), tile, measure_niqe(tile), Context(threads=1)
    )
    assert smooth.change > 20


def test_a_restorer_that_leaves_nothing_says_nothing():
    tile = texture(256, 256)
    black = Restorer(name="black", purpose="", compute=lambda image, _: np.zeros_like(image))
    assert try_restorer(black, tile, measure_niqe(tile), Context(threads=1)) is None
