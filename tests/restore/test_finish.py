import numpy as np
import pytest

from raim.errors import UnknownNameError
from raim.restore import Restorer, find_restorer, finish, restore
from raim.restore.classical import enlarge_bicubic
from raim.restore.finish import match_statistics, smooth_by_wavelets, take_low_frequencies

RNG = np.random.default_rng(0)
IMAGE = RNG.random((70, 90, 3), np.float32)
CAST = np.array([0.1, -0.05, 0.0], np.float32)
TINTED = Restorer(
    name="tinted",
    purpose="for tests",
    compute=lambda image, _: 0.25 + 0.5 * image + CAST,
    is_range_known=True,
)


def transform(plane):
    """The a trous transform by its definition: a convolution with holes at each level, and what each takes away."""
    kernel, details = np.outer([1, 2, 1], [1, 2, 1]) / 16, np.zeros(plane.shape)
    for step in (1, 2, 4, 8, 16):
        padded = np.pad(plane.astype(np.float64), step, mode="edge")
        height, width = plane.shape
        low = sum(
            kernel[row, column]
            * padded[row * step : row * step + height, column * step : column * step + width]
            for row in range(3)
            for column in range(3)
        )
        details, plane = details + (plane - low), low
    return details, plane


def test_wavelet_takes_the_details_of_the_result_and_the_rest_of_the_input():
    restored, image = RNG.random((2, 61, 83), np.float32)
    expected = transform(restored)[0] + transform(image)[1]
    np.testing.assert_allclose(take_low_frequencies(restored, image), expected, atol=2e-6)
    np.testing.assert_allclose(smooth_by_wavelets(image), transform(image)[1], atol=2e-6)


def test_wavelet_is_the_transform_of_torch_too():
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    plane = RNG.random((40, 50), np.float32)
    kernel = torch.tensor(np.outer([1, 2, 1], [1, 2, 1]) / 16, dtype=torch.float32)[None, None]
    low = torch.from_numpy(plane)[None, None]
    for step in (1, 2, 4, 8, 16):
        padded = torch.nn.functional.pad(low, (step,) * 4, mode="replicate")
        low = torch.nn.functional.conv2d(padded, kernel, dilation=step)
    np.testing.assert_allclose(smooth_by_wavelets(plane), low[0, 0].numpy(), atol=2e-6)


def test_adain_gives_mean_and_deviation_of_the_input():
    restored, image = RNG.random((2, 61, 83), np.float32)
    found = match_statistics(0.3 * restored, image)
    assert found.mean() == pytest.approx(image.mean(), abs=1e-6)
    assert found.std() == pytest.approx(image.std(), abs=1e-3)  # but for the least variance
    assert np.corrcoef(found.ravel(), restored.ravel())[0, 1] == pytest.approx(1)


@pytest.mark.parametrize("method", ["adain", "wavelet"])
@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_flat_photographs_stay_finite_and_what_agrees_stays_as_it_is(method, value):
    flat = np.full((16, 24, 3), value, np.float32)
    np.testing.assert_allclose(restore(flat, "identity", colour_fix=method).pixels, flat, atol=1e-6)
    np.testing.assert_allclose(restore(IMAGE, "identity", colour_fix=method).pixels, IMAGE, atol=1e-6)


@pytest.mark.parametrize("method", ["adain", "wavelet"])
def test_a_cast_of_the_whole_is_taken_away(method):
    def cast(found):
        return np.abs(found.mean(axis=(0, 1)) - IMAGE.mean(axis=(0, 1))).max()

    assert cast(restore(IMAGE, TINTED).pixels) > 0.09
    assert cast(restore(IMAGE, TINTED, colour_fix=method).pixels) < 0.01


@pytest.mark.parametrize("method", ["adain", "wavelet"])
def test_where_a_restorer_enlarges_the_input_is_enlarged_first(method):
    image = np.repeat(np.linspace(0.2, 0.8, 40, dtype=np.float32)[:, None], 30, axis=1)[..., None].repeat(
        3, 2
    )
    darker = Restorer(
        name="darker", purpose="for tests", compute=lambda x, _: 0.5 * enlarge_bicubic(x, 4), scale=4
    )
    found = restore(image, darker, colour_fix=method).pixels
    # The repeated border of a slope is no slope; what was to be corrected is up to 0.4.
    np.testing.assert_allclose(found, enlarge_bicubic(image, 4), atol=0.015)


def test_the_colours_come_first_and_then_the_strength():
    finished = restore(IMAGE, finish(TINTED, colour_fix="wavelet", strength=0.5)).pixels
    fixed = restore(IMAGE, TINTED, colour_fix="wavelet").pixels
    np.testing.assert_allclose(finished, (fixed + IMAGE) / 2, atol=1e-6)
    np.testing.assert_array_equal(restore(IMAGE, TINTED, colour_fix="wavelet", strength=0).pixels, IMAGE)


def test_an_unknown_colour_fix_names_the_nearest():
    with pytest.raises(UnknownNameError, match="no colour fix named 'wavelets'; did you mean 'wavelet'"):
        finish(find_restorer("identity"), colour_fix="wavelets")


def test_nothing_to_do_leaves_the_restorer_as_it_is():
    assert finish(TINTED) is TINTED
