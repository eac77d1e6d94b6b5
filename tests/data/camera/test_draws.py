import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn_ranges import holds
from raim.data.camera import draws
from raim.data.camera.draws import Size
from raim.errors import InputError

DRAWS = {
    "always": draws.always("sensor"),
    "one_of": draws.one_of(False, True),
    "uniform": draws.uniform(-0.4, 0.4),
    "log_uniform": draws.log_uniform(100, 6400),
    "whole": draws.whole(2, 8),
    "reduction": draws.reduction(2, 4),
    "seed": draws.seed(),
    "sometimes": draws.sometimes(0.3, draws.uniform(1, 2), 0.0),
    "corner_shift": draws.corner_shift(0.5, 2),
}


@pytest.mark.parametrize("name", DRAWS)
@given(seed=st.integers(0, 2**64), height=st.integers(16, 5000), width=st.integers(16, 5000))
def test_what_is_drawn_lies_in_the_stated_range(name, seed, height, width):
    draw, size = DRAWS[name], Size(height=height, width=width)
    value = draw.take(np.random.default_rng(seed), size)
    assert holds(draw.words, value, size)
    assert type(value) in {bool, int, float, str}  # no numpy scalars: they are written to manifests


@pytest.mark.parametrize(
    ("name", "outside"),
    [("uniform", 0.41), ("log_uniform", 99.9), ("whole", 9), ("whole", 2.5), ("sometimes", 0.5), ("one_of", "maybe"),
     ("corner_shift", 1.0), ("reduction", 5), ("always", "scene"), ("seed", -1)],
)  # fmt: skip
def test_what_lies_outside_is_known_by_the_words(name, outside):
    assert not holds(DRAWS[name].words, outside, Size(height=800, width=1000))


def test_doublings_are_equally_frequent_on_a_logarithmic_scale():
    rng, size = np.random.default_rng(0), Size(height=100, width=100)
    values = np.array([DRAWS["log_uniform"].take(rng, size) for _ in range(6000)])
    counts, _ = np.histogram(values, 100 * 2.0 ** np.arange(7))
    assert np.abs(counts / 1000 - 1).max() < 0.12


def test_sometimes_keeps_its_share():
    rng, size = np.random.default_rng(0), Size(height=100, width=100)
    assert np.mean([DRAWS["sometimes"].take(rng, size) > 0 for _ in range(2000)]) == pytest.approx(
        0.3, abs=0.04
    )


def test_a_lowest_value_of_nothing_has_no_logarithm():
    with pytest.raises(InputError, match="low is 0; expected at least 1e-09"):
        draws.log_uniform(0, 1)


def test_a_small_photograph_is_reduced_by_less():
    size = Size(height=620, width=900)
    assert {DRAWS["reduction"].take(np.random.default_rng(n), size) for n in range(20)} == {2, 3}


def test_the_words_are_those_of_the_document_and_of_the_list():
    assert [draw.words for draw in DRAWS.values()] == [
        "always sensor",
        "no or yes",
        "-0.4 to 0.4",
        "100 to 6400, logarithmic",
        "2 to 8, whole",
        "2 to 4, whole; less for a small photograph",
        "a seed",
        "1 to 2, in 30 %; else 0",
        "0.5 to 2 px at the corners, in or out",
    ]
