import math

import numpy as np
import pytest

from raim.errors import InputError, UnknownNameError

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")

from raim.metrics import psnr  # noqa: E402 - after the skip
from raim.metrics.psnr import psnr_batch  # noqa: E402 - after the skip


def make_batch(images, dtype=torch.float64):
    return torch.tensor(np.stack(images)).movedim(3, 1).to(dtype) / 255


@pytest.mark.parametrize("colour", ["rgb", "y"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
def test_it_equals_the_array_form(colour, dtype, tolerance):
    x, y = np.random.default_rng(0).integers(0, 256, (2, 3, 20, 31, 3), np.uint8)
    values = psnr_batch(make_batch(x, dtype), make_batch(y, dtype), colour=colour, epsilon=1e-8)
    assert values.dtype == dtype
    expected = [psnr(a, b, colour=colour, epsilon=1e-8) for a, b in zip(x, y, strict=True)]
    assert values.tolist() == pytest.approx(expected, abs=tolerance)


def test_identical_images_are_infinite_or_where_epsilon_says():
    image = torch.rand(2, 3, 4, 4, dtype=torch.float64)
    assert psnr_batch(image, image).tolist() == [math.inf] * 2
    assert psnr_batch(image, image, epsilon=1e-8).tolist() == pytest.approx([80] * 2)


@pytest.mark.parametrize("colour", ["rgb", "y"])
def test_its_gradient_is_that_of_finite_differences(colour):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 2, 3, 4, 5, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(lambda x: psnr_batch(x, y, colour=colour), x.requires_grad_())


def test_wrong_arguments_are_refused():
    image = torch.zeros(1, 3, 4, 4)
    with pytest.raises(InputError, match=r"restored has shape \(1, 4, 4, 3\)"):
        psnr_batch(image.movedim(1, 3), image)
    with pytest.raises(InputError, match=r"reference is of type torch\.float16"):
        psnr_batch(image, image.half())
    with pytest.raises(InputError, match=r"restored is torch\.float32 .* reference is torch\.float64"):
        psnr_batch(image, image.double())
    with pytest.raises(UnknownNameError, match="no colour named 'grey'"):
        psnr_batch(image, image, colour="grey")
