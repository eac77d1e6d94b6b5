import numpy as np
import pytest

from raim.errors import InputError
from raim.metrics.dists import dists, dists_each

RNG = np.random.default_rng(2)
REFERENCE = RNG.integers(0, 256, (75, 90, 3), np.uint8)
CANDIDATES = [
    np.clip(REFERENCE + RNG.integers(-s, s + 1, REFERENCE.shape), 0, 255).astype(np.uint8) for s in (5, 40)
]


@pytest.mark.shared
def test_every_known_answer_comes_out(known_answers, known_image):
    rows = [row for row in known_answers if row["measure"] == "dists"]
    assert len(rows) >= 3
    for row in rows:
        reference, restored = (known_image(stem) for stem in row["pair"].split("|"))
        assert dists(restored, reference) == pytest.approx(float(row["value"]), abs=float(row["tolerance"]))


@pytest.mark.shared
@pytest.mark.parametrize(("engine", "tolerance"), [("winograd", 1e-6), ("fast", 5e-6), ("torch", 5e-6)])
def test_engines_agree_on_a_photograph(known_image, engine, tolerance):
    if engine == "torch":
        pytest.importorskip("torch", reason="the extra torch is not installed")
    pair = [known_image(f"I04_{kind}")[:192, :256].copy() for kind in ("distorted", "reference")]
    assert dists(*pair, engine=engine) == pytest.approx(dists(*pair, engine="ncnn"), abs=tolerance)


@pytest.mark.parametrize("strip_rows", [1, 7, 16, 200])
def test_the_height_of_strips_changes_nothing(strip_rows):
    whole = dists_each(CANDIDATES, REFERENCE, strip_rows=75)
    assert dists_each(CANDIDATES, REFERENCE, strip_rows=strip_rows) == pytest.approx(whole, abs=1e-6)


def test_candidates_together_measure_as_each_alone_in_any_order():
    together = dists_each(CANDIDATES, REFERENCE)
    assert together == pytest.approx([dists(image, REFERENCE) for image in CANDIDATES], abs=1e-6)
    assert dists_each(CANDIDATES[::-1], REFERENCE) == pytest.approx(together[::-1], abs=1e-6)


def test_it_is_zero_for_the_same_image_and_does_not_depend_on_direction():
    assert dists(REFERENCE, REFERENCE) == pytest.approx(0, abs=1e-12)
    forth, back = dists(CANDIDATES[1], REFERENCE), dists(REFERENCE, CANDIDATES[1])
    assert forth > 0.01
    assert forth == pytest.approx(back, abs=1e-6)


def test_an_image_wider_than_many_strips_equals_the_whole_image_form():
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    from raim.metrics.dists import dists_batch

    reference = RNG.integers(0, 256, (61, 333, 3), np.uint8)
    restored = 255 - reference
    tensors = [
        torch.tensor(image / 255, dtype=torch.float64).permute(2, 0, 1)[None]
        for image in (restored, reference)
    ]
    assert dists(restored, reference) == pytest.approx(dists_batch(*tensors).item(), abs=1e-6)


def test_no_restoration_has_no_distance():
    assert dists_each([], REFERENCE) == []


def test_a_single_pixel_has_a_value():
    black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)
    assert dists(black, black) == pytest.approx(0, abs=1e-12)
    assert dists(white, black) > 0.1


def test_images_of_two_types_are_refused():
    with pytest.raises(InputError, match="uint8, its reference float64"):
        dists(REFERENCE, REFERENCE / 255)
