import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra torch is not installed")

from raim.errors import InputError, UnknownNameError, UnscorableError  # noqa: E402 - only with torch
from raim.metrics import dists, lpips  # noqa: E402
from raim.metrics.dists import dists_batch  # noqa: E402
from raim.metrics.lpips import lpips_batch  # noqa: E402

RNG = np.random.default_rng(3)
REFERENCE = RNG.integers(0, 256, (64, 72, 3), np.uint8)
RESTORED = np.clip(REFERENCE + RNG.integers(-30, 31, REFERENCE.shape), 0, 255).astype(np.uint8)


def batch(*images, dtype=torch.float64):
    return torch.stack([torch.tensor(image / 255, dtype=dtype).permute(2, 0, 1) for image in images])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("net", ["alexnet", "vgg16"])
def test_lpips_of_a_batch_equals_the_array_form(net, dtype):
    values = lpips_batch(
        batch(RESTORED, REFERENCE, dtype=dtype), batch(REFERENCE, REFERENCE, dtype=dtype), net=net
    )
    assert values.tolist() == pytest.approx([lpips(RESTORED, REFERENCE, net=net), 0], abs=5e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dists_of_a_batch_equals_the_array_form(dtype):
    values = dists_batch(batch(RESTORED, REFERENCE, dtype=dtype), batch(REFERENCE, REFERENCE, dtype=dtype))
    assert values.tolist() == pytest.approx([dists(RESTORED, REFERENCE), 0], abs=5e-6)


@pytest.mark.parametrize("measure", [lpips_batch, dists_batch])
def test_gradients_agree_with_finite_differences(measure):
    restored, reference = batch(RESTORED).requires_grad_(), batch(REFERENCE)
    direction = torch.randn(restored.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    measure(restored, reference).sum().backward()
    slope = (restored.grad * direction).sum().item()
    step = 1e-6
    with torch.no_grad():
        ahead, behind = (measure(restored + sign * step * direction, reference).item() for sign in (1, -1))
    assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-3)


def test_images_that_are_too_small_are_refused_as_the_array_form_does():
    small = REFERENCE[:30]
    messages = []
    for measure, image in ((lpips, small), (lpips_batch, batch(small))):
        with pytest.raises(UnscorableError) as caught:
            measure(image, image)
        messages.append(str(caught.value))
    assert messages == ["the image is 72x30, alexnet needs at least 31 pixels on each side"] * 2


def test_an_unknown_net_is_refused():
    with pytest.raises(UnknownNameError, match="alexnet"):
        lpips_batch(batch(REFERENCE), batch(REFERENCE), net="alex")


def test_batches_of_two_types_are_refused():
    with pytest.raises(InputError, match="must agree"):
        dists_batch(batch(REFERENCE), batch(REFERENCE, dtype=torch.float32))
