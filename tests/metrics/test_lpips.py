import numpy as np
import pytest

from raim.errors import InputError, UnknownNameError, UnscorableError
from raim.metrics.dists import dists
from raim.metrics.lpips import lpips, lpips_each

RNG = np.random.default_rng(1)
REFERENCE = RNG.integers(0, 256, (75, 90, 3), np.uint8)
CANDIDATES = [
    np.clip(REFERENCE + RNG.integers(-s, s + 1, REFERENCE.shape), 0, 255).astype(np.uint8) for s in (5, 40)
]


# Of other engines the four of AlexNet are enough, and the smallest of VGG16; benchmarks/known_answers.py has all.
@pytest.mark.shared
@pytest.mark.parametrize(
    ("engine", "net"),
    [(engine, net) for engine in ("ncnn", "winograd", "torch") for net in ("alex", "vgg")],
)
def test_every_known_answer_comes_out_on_every_engine(known_answers, known_image, net, engine):
    if engine == "torch":
        pytest.importorskip("torch", reason="the extra torch is not installed")
    rows = [row for row in known_answers if row["measure"] == f"lpips_{net}"]
    assert len(rows) >= 4
    if engine != "ncnn" and net == "vgg":
        rows = [row for row in rows if row["pair"].startswith("ex_")]
    for row in rows:
        reference, restored = (known_image(stem) for stem in row["pair"].split("|"))
        value = lpips(restored, reference, net={"alex": "alexnet", "vgg": "vgg16"}[net], engine=engine)
        assert value == pytest.approx(float(row["value"]), abs=float(row["tolerance"]))


@pytest.mark.parametrize("net", ["alexnet", "vgg16"])
def test_the_fast_engine_measures_as_ncnn_does(net):
    found = [lpips(CANDIDATES[0], REFERENCE, net=net, engine=engine) for engine in ("fast", "ncnn")]
    assert found[0] == found[1]


@pytest.mark.parametrize("net", ["alexnet", "vgg16"])
@pytest.mark.parametrize("strip_rows", [1, 7, 16, 200])
def test_the_height_of_strips_changes_nothing(net, strip_rows):
    whole = lpips_each(CANDIDATES, REFERENCE, net=net, strip_rows=75)
    assert lpips_each(CANDIDATES, REFERENCE, net=net, strip_rows=strip_rows) == pytest.approx(whole, abs=1e-6)


def test_candidates_together_measure_as_each_alone_in_any_order():
    together = lpips_each(CANDIDATES, REFERENCE)
    assert together == pytest.approx([lpips(image, REFERENCE) for image in CANDIDATES], abs=1e-6)
    assert lpips_each(CANDIDATES[::-1], REFERENCE) == pytest.approx(together[::-1], abs=1e-6)


def test_it_is_zero_for_the_same_image_and_grows_with_noise():
    same, little, much = lpips_each([REFERENCE, *CANDIDATES], REFERENCE)
    assert same == 0
    assert 0 < little < much


def test_sixteen_bits_and_floats_measure_as_the_eight_bits_they_hold():
    expected = lpips(CANDIDATES[1], REFERENCE)
    wide = [image.astype(np.uint16) * 257 for image in (CANDIDATES[1], REFERENCE)]
    unit = [image / 255 for image in (CANDIDATES[1], REFERENCE)]
    assert lpips(*wide) == pytest.approx(expected, abs=1e-6)
    assert lpips(*unit) == pytest.approx(expected, abs=1e-6)


def test_an_image_too_small_for_the_backbone_is_refused_with_the_least_size():
    tiny = np.zeros((40, 30, 3), np.uint8)
    with pytest.raises(UnscorableError, match=r"is 30x40, alexnet needs at least 31 pixels on each side"):
        lpips(tiny, tiny)


def test_no_restoration_has_no_distance():
    assert lpips_each([], REFERENCE) == []


@pytest.mark.parametrize("measure", [lpips, dists])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"engine": "ncnn", "device": "cuda:7"},
            "'ncnn' runs on the cpu only; for the device 'cuda:7' take 'torch'",
        ),
        ({"device": "cuda:99"}, "there is no device 'cuda:99' here"),
        ({"engine": "torch", "device": "nonsense"}, "there is no device 'nonsense' here"),
        ({"device": "meta"}, "there is no device 'meta' here"),
    ],
)
def test_a_device_that_is_not_here_is_refused_and_never_replaced_by_another(measure, options, message):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    with pytest.raises(InputError, match=message):
        measure(CANDIDATES[0], REFERENCE, **options)


def test_the_smallest_image_that_is_accepted_has_a_value():
    tiny = RNG.integers(0, 256, (31, 31, 3), np.uint8)
    assert lpips(tiny, 255 - tiny) > 0


def test_an_unknown_net_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'vgg16'"):
        lpips(REFERENCE, REFERENCE, net="vgg")


def test_images_of_two_sizes_are_refused():
    with pytest.raises(InputError, match="90x75"):
        lpips(REFERENCE[:-1], REFERENCE)


def test_strips_have_at_least_one_row():
    with pytest.raises(InputError, match="a strip of 0 rows"):
        lpips_each([REFERENCE], REFERENCE, strip_rows=0)
