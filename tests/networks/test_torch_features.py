"""What a GPU would do to the measures: rounding to TF32, half precision, no double precision."""

import contextlib

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra torch is not installed")

from emulated_gpu import Gpu  # noqa: E402 - only with torch
from raim import devices  # noqa: E402 - as above
from raim.metrics import dists, lpips, niqe_together  # noqa: E402 - as above
from raim.metrics.dists import dists_batch  # noqa: E402 - as above
from raim.metrics.lpips import lpips_batch  # noqa: E402 - as above
from raim.metrics.niqe import niqe_batch  # noqa: E402 - as above
from raim.metrics.ssim import ssim_batch  # noqa: E402 - as above
from raim.networks import torch as networks  # noqa: E402 - as above
from raim.networks import torch_features  # noqa: E402 - as above
from raim.networks.torch_features import TorchEngine  # noqa: E402 - as above

RNG = np.random.default_rng(3)
REFERENCE = RNG.integers(0, 256, (48, 40, 3), np.uint8)
RESTORED = np.clip(REFERENCE + RNG.integers(-30, 31, REFERENCE.shape), 0, 255).astype(np.uint8)
TOLERANCE = 5e-6  # docs/measures.md


def batch(image):
    return torch.tensor(image / np.float32(255), dtype=torch.float32).permute(2, 0, 1)[None]


MEASURES = {
    "lpips": lambda: lpips(RESTORED, REFERENCE, engine="torch"),
    "lpips-vgg16": lambda: lpips(RESTORED, REFERENCE, net="vgg16", engine="torch"),
    "dists": lambda: dists(RESTORED, REFERENCE, engine="torch"),
    "batched-lpips": lambda: lpips_batch(batch(RESTORED), batch(REFERENCE)).item(),
    "batched-dists": lambda: dists_batch(batch(RESTORED), batch(REFERENCE)).item(),
    "batched-ssim": lambda: ssim_batch(batch(RESTORED), batch(REFERENCE)).item(),
    "batched-niqe": lambda: niqe_batch(batch(np.tile(RESTORED, (4, 5, 1)))).item(),
}


@pytest.mark.parametrize("name", MEASURES)
def test_nothing_in_a_measure_is_rounded_to_tf32(name):
    expected = MEASURES[name]()
    with Gpu() as gpu:
        value = MEASURES[name]()
    assert (gpu.n_convolutions > 0) == (name != "batched-niqe")  # all of which is in double precision
    assert gpu.n_rounded == 0
    assert value == pytest.approx(expected, abs=1e-12)


def test_without_the_guard_tf32_breaks_the_promised_tolerance(monkeypatch):
    expected = MEASURES["lpips"]()
    monkeypatch.setattr(networks, "exact_convolutions", contextlib.nullcontext)
    with Gpu() as gpu:
        value = MEASURES["lpips"]()
    assert gpu.n_rounded == gpu.n_convolutions > 0
    assert abs(value - expected) > TOLERANCE


@pytest.mark.parametrize("name", ["batched-lpips", "batched-dists", "batched-ssim"])
def test_the_half_precision_of_autocast_does_not_reach_measures(name):
    expected = MEASURES[name]()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert MEASURES[name]() == pytest.approx(expected, abs=TOLERANCE)


class Single(torch.Tensor):
    """A tensor of a device without double precision, such as Apple's MPS."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func in {torch.Tensor.cpu, torch.Tensor.numpy}:
            return func(*(each.as_subclass(torch.Tensor) if isinstance(each, cls) else each for each in args))
        result = super().__torch_function__(func, types, args, kwargs or {})
        if isinstance(result, cls) and result.dtype == torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return result


@pytest.fixture
def single(monkeypatch):
    monkeypatch.setattr(devices, "has_double", lambda _device: False)
    with pytest.raises(TypeError, match="MPS"):
        batch(REFERENCE).as_subclass(Single).double()


@pytest.mark.usefixtures("single")
def test_niqe_is_computed_on_the_processor_where_the_device_has_no_double_precision():
    image = np.tile(RESTORED, (4, 5, 1))
    assert niqe_batch(batch(image).as_subclass(Single)).item() == MEASURES["batched-niqe"]()
    together = niqe_together(batch(image).as_subclass(Single).requires_grad_())
    together.backward()
    assert together.dtype == torch.float32


@pytest.mark.usefixtures("single")
def test_sums_are_taken_on_the_processor_where_the_device_has_no_double_precision():
    engine = TorchEngine("cpu")
    rows = torch.rand(2, 8, 3, 5)
    head = np.ones(8, np.float32)
    for mine, expected in zip(engine.moments(rows.as_subclass(Single)), engine.moments(rows), strict=True):
        np.testing.assert_array_equal(mine, expected)
    np.testing.assert_array_equal(
        engine.head_distances(rows.as_subclass(Single), head), engine.head_distances(rows, head)
    )


@pytest.mark.parametrize(("granted", "expected"), [(2, 2), (64, 3)])
def test_an_engine_takes_no_more_threads_than_are_granted(monkeypatch, granted, expected):
    set_to = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(torch, "set_num_threads", set_to.append)
    monkeypatch.setattr(torch_features, "count_cores", lambda: granted)
    TorchEngine("cpu")
    assert set_to == [expected]
