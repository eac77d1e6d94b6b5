import numpy as np
import pytest

from raim.errors import UnknownNameError, UnscorableError
from raim.metrics.niqe_features import VARIANTS, shape_table

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")

from raim.metrics import niqe, niqe_tensors  # noqa: E402 - after the skip
from raim.metrics.niqe import niqe_batch, niqe_of_luma  # noqa: E402


def make_picture(seed, height=200, width=300):
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.normal(0, 30, (height // 5 + 1, width // 5 + 1)), np.ones((5, 5)))[
        :height, :width, None
    ]
    return (127 + coarse + rng.normal(0, 10, (height, width, 3))).clip(0, 255).astype(np.uint8)


def make_batch(images, dtype=torch.float64):
    return torch.tensor(np.stack(images)).movedim(3, 1).to(dtype) / 255


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_it_equals_the_array_form_flat_areas_too(variant, dtype, tolerance):
    images = [make_picture(0), make_picture(1)]
    images[1][:130, :120] = (30, 77, 200)
    values = niqe_batch(make_batch(images, dtype), variant=variant)
    assert values.dtype == dtype
    assert values.tolist() == pytest.approx([niqe(image, variant=variant) for image in images], abs=tolerance)


def continuous_shape(ratio):
    """Invert by bisection the function that the grid samples."""
    low, high = torch.full_like(ratio, 0.2), torch.full_like(ratio, 10.0)
    for _ in range(60):
        middle = (low + high) / 2
        one, two, three = (torch.lgamma(k / middle) for k in (1, 2, 3))
        is_below = (2 * two - one - three).exp() < ratio
        low, high = torch.where(is_below, middle, low), torch.where(is_below, high, middle)
    return (low + high) / 2


def test_the_shape_has_the_derivative_of_the_function_that_the_grid_samples():
    ratio = torch.linspace(0.1, 0.74, 50, dtype=torch.float64).requires_grad_()
    niqe_tensors.shape_of_ratio(ratio).sum().backward()
    step = 1e-6
    expected = (continuous_shape(ratio + step) - continuous_shape(ratio - step)).detach() / (2 * step)
    # The derivative is taken at the grid's shape, which is off by up to 0.0005.
    torch.testing.assert_close(ratio.grad, expected, rtol=6e-3, atol=0)


def test_beyond_the_grid_the_shape_does_not_move():
    edges = shape_table()[1, [0, -1]]
    ratio = torch.tensor([edges[0] - 0.01, edges[1] + 0.01], dtype=torch.float64).requires_grad_()
    shapes = niqe_tensors.shape_of_ratio(ratio)
    shapes.sum().backward()
    assert shapes.tolist() == pytest.approx([0.2, 10])
    assert ratio.grad.tolist() == [0, 0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_its_gradient_is_that_of_finite_differences(monkeypatch, seed):
    generator = torch.Generator().manual_seed(seed)
    luma = torch.tensor(make_picture(seed, 192, 96)[None, ..., 1]).double()
    luma += torch.rand(luma.shape, dtype=torch.float64, generator=generator)
    leaf = luma.clone().requires_grad_()
    niqe_of_luma(leaf, VARIANTS["matlab"]).sum().backward()
    steepest = leaf.grad
    monkeypatch.setattr(niqe_tensors, "shape_of_ratio", continuous_shape)
    for direction in (steepest, torch.randn(luma.shape, dtype=torch.float64, generator=generator)):
        unit = direction / direction.norm()
        step = 1e-5  # for the whole picture: so small that no value of it changes its sign
        ends = [niqe_of_luma(luma + sign * step * unit, VARIANTS["matlab"]) for sign in (1, -1)]
        expected = ((ends[0] - ends[1]).sum() / (2 * step)).item()
        # Derivatives are taken at the grid's shapes, which are off by up to 0.0005.
        assert (steepest * unit).sum().item() == pytest.approx(expected, abs=0.005 * steepest.norm().item())


def test_flat_areas_leave_the_gradient_finite():
    image = make_picture(3, 192, 384)
    image[:, :200] = 60
    for variant in VARIANTS:
        leaf = make_batch([image]).requires_grad_()
        niqe_batch(leaf, variant=variant).sum().backward()
        assert leaf.grad.isfinite().all()
        assert leaf.grad.abs().max() > 0


def test_what_has_no_value_is_unscorable():
    with pytest.raises(UnscorableError, match="the images are 191x191, NIQE needs at least two blocks"):
        niqe_batch(torch.zeros(1, 3, 191, 191))
    with pytest.raises(UnscorableError, match="fewer than two blocks"):
        niqe_batch(torch.zeros(1, 3, 192, 192))
    with pytest.raises(UnknownNameError, match="no NIQE variant"):
        niqe_batch(torch.zeros(1, 3, 192, 192), variant="brisque")
