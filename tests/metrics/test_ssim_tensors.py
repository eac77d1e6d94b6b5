import numpy as np
import pytest

from raim.errors import UnscorableError

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")

from raim.metrics import ssim  # noqa: E402 - after the skip
from raim.metrics.ssim import ssim_batch  # noqa: E402 - after the skip

OPTIONS = [
    {},
    {"colour": "y"},
    {"colour": "y", "rounded_luma": True, "clip_contrast": True},
    {"clip_contrast": True},
]


def make_batch(images, dtype=torch.float64):
    return torch.tensor(np.stack(images)).movedim(3, 1).to(dtype) / 255


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_it_equals_the_array_form(options, dtype, tolerance):
    rng = np.random.default_rng(0)
    y = np.kron(rng.integers(20, 230, (3, 6, 8, 3)), np.ones((1, 7, 7, 1))).astype(np.uint8)
    x = (y + rng.normal(0, 20, y.shape)).clip(0, 255).astype(np.uint8)
    values = ssim_batch(make_batch(x, dtype), make_batch(y, dtype), **options)
    assert values.dtype == dtype
    expected = [ssim(a, b, **options) for a, b in zip(x, y, strict=True)]
    assert values.tolist() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("options", [{}, {"colour": "y"}])
def test_its_gradient_is_that_of_finite_differences(options):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 1, 3, 12, 13, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(lambda x: ssim_batch(x, y, **options), x.requires_grad_())


def test_the_gradient_passes_through_the_rounding():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 1, 3, 32, 32, dtype=torch.float64, generator=generator)
    gradients = []
    for rounded in (False, True):
        leaf = x.clone().requires_grad_()
        ssim_batch(leaf, y, colour="y", rounded_luma=rounded).sum().backward()
        gradients.append(leaf.grad)
    assert torch.cosine_similarity(gradients[0].flatten(), gradients[1].flatten(), 0) > 0.99


def test_an_image_below_the_window_is_unscorable():
    image = torch.zeros(1, 3, 40, 10)
    with pytest.raises(UnscorableError, match="the image is 10x40"):
        ssim_batch(image, image)
