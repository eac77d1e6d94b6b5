import numpy as np
import pytest

from raim.errors import UnscorableError

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")

from raim.metrics import MEASURES  # noqa: E402 - after the skip
from raim.metrics.gmsd import gmsd_batch  # noqa: E402 - after the skip
from raim.metrics.ms_ssim import ms_ssim_batch  # noqa: E402 - after the skip

CASES = [
    ("ms_ssim", {}),
    ("ms_ssim", {"colour": "y"}),
    ("ms_ssim", {"colour": "y", "rounded_luma": True}),
    ("gmsd", {}),
    ("gmsd", {"rounded_luma": True}),
]


def make_batch(images, dtype=torch.float64):
    return torch.tensor(np.stack(images)).movedim(3, 1).to(dtype) / 255


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
def test_it_equals_the_array_form(name, options, dtype, tolerance):
    rng = np.random.default_rng(0)
    y = np.kron(rng.integers(20, 230, (2, 19, 25, 3)), np.ones((1, 9, 9, 1))).astype(np.uint8)
    x = (y * 0.8 + rng.normal(0, 20, y.shape)).clip(0, 255).astype(np.uint8)
    record = MEASURES[name]
    values = record.tensor_form(make_batch(x, dtype), make_batch(y, dtype), **options)
    assert values.dtype == dtype
    expected = [record.array_form(a, b, **options) for a, b in zip(x, y, strict=True)]
    assert values.tolist() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(("measure", "side"), [(ms_ssim_batch, 162), (gmsd_batch, 13)])
def test_its_gradient_is_that_of_finite_differences(measure, side):
    generator = torch.Generator().manual_seed(0)
    x, y, direction = torch.rand(3, 1, 3, side, side + 1, dtype=torch.float64, generator=generator)
    x = (0.7 * y + 0.3 * x).requires_grad_()
    measure(x, y).sum().backward()
    step = 1e-6
    with torch.no_grad():
        ahead, behind = (measure(x + sign * step * direction, y).item() for sign in (1, -1))
    assert (x.grad * direction).sum().item() == pytest.approx((ahead - behind) / (2 * step), rel=1e-4)


@pytest.mark.parametrize("measure", [ms_ssim_batch, gmsd_batch])
def test_flat_and_identical_images_leave_the_gradient_finite(measure):
    x = torch.full((1, 3, 162, 162), 0.25, dtype=torch.float64)
    for y in (x, x + 0.5, torch.rand(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(0))):
        leaf = x.clone().requires_grad_()
        measure(leaf, y).sum().backward()
        assert leaf.grad.isfinite().all()


def test_the_published_example_of_another_library_comes_out():
    # torchmetrics' documentation of multiscale_structural_similarity_index_measure
    images = torch.rand([3, 3, 256, 256], generator=torch.manual_seed(42))
    assert round(ms_ssim_batch(images, images * 0.75).mean().item(), 4) == 0.9627


@pytest.mark.parametrize(("name", "side"), [("ms_ssim", 161), ("gmsd", 6)])
def test_an_image_that_is_too_small_is_unscorable(name, side):
    image = torch.zeros(1, 3, side - 1, side)
    with pytest.raises(UnscorableError, match=f"needs at least {side}x{side}"):
        MEASURES[name].tensor_form(image, image)
