"""Measures and restorers on a GPU: compared with the processor's values, and timed.

    python benchmarks/gpu.py                 # on the first CUDA device; says so where there is none
    python benchmarks/gpu.py --device mps    # or another device of torch

It takes under four minutes. Every measure and every built-in restorer that has a form in torch works on one small
synthetic photograph; the exit status is 1 where one differs by more than is promised. `--device cpu` compares torch
with ncnn.
docs/benchmarks.md says what the columns are. The weights must be there: raim weights fetch.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from raim.devices import find_device, list_devices
from raim.errors import RaimError
from raim.metrics import dists_each, gmsd, lpips_each, ms_ssim, niqe, psnr, ssim
from raim.restore import find_restorer
from raim.restore.descriptor import Context

HALF_LEVEL = 0.5 / 255
RESTORERS = ("ffdnet", "maxim-deblur", "real-esrgan-x4plus", "realsr-df2k-x4", "dat-light-x2")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One computation, on the processor and on the device.

    Attributes:
        name: As in the table.
        tolerance: How far both may be apart.
        here: On the processor.
        there: On the device.
    """

    name: str
    tolerance: float
    here: Callable[[], Any]
    there: Callable[[], Any]


def main() -> int:
    """Compare and time; 1 if something differs by more than is promised."""
    parser = argparse.ArgumentParser(
        description="Compare and time measures and restorers on a device of torch."
    )
    parser.add_argument("--device", help="a device of torch; the first CUDA device")
    parser.add_argument("--side", type=int, default=512, help="of the photograph that is measured")
    parser.add_argument("--crop", type=int, default=64, help="side of the part that is restored")
    parser.add_argument(
        "--runs", type=int, default=5, help="timed runs of the device, of which the median is reported"
    )
    options = parser.parse_args()
    if options.device is None and "cuda:0" not in list_devices():
        print(f"there is no CUDA device here, only {', '.join(list_devices())}; nothing was compared")
        return 0
    # The device 0 of the processor is torch's, "cpu" by itself is ncnn's.
    name = {None: "cuda:0", "cpu": "cpu:0"}.get(options.device, options.device)
    try:
        return compare(list_cases(name, options.side, options.crop), name, options.runs)
    except RaimError as error:
        print(f"gpu.py: {error}", file=sys.stderr)
        return 2


def compare(cases: Iterator[Case], device: str, runs: int) -> int:
    """Print a row for each case."""
    print(describe(device))
    print(f"{'':<24}{'processor s':>12}{'device s':>12}{'difference':>12}{'tolerance':>12}")
    is_fine = True
    for case in cases:
        expected, found = (np.asarray(work(), np.float64) for work in (case.here, case.there))
        difference = float(np.abs(expected - found).max())
        seconds = measure_seconds(case.here, device, 1), measure_seconds(case.there, device, runs)
        is_good = difference <= case.tolerance
        is_fine &= is_good
        row = "".join(f"{value:>12.3g}" for value in (*seconds, difference, case.tolerance))
        print(f"{case.name:<24}{row}{'' if is_good else '  TOO FAR APART'}", flush=True)
    return 0 if is_fine else 1


def measure_seconds(work: Callable[[], Any], device: str, runs: int) -> float:
    """Return the median of some runs, each until the device has done its work; what is loaded at first is there."""
    import torch

    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        if find_device(device).type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def describe(device: str) -> str:
    """Return what the figures depend on."""
    import torch

    found = find_device(device)
    card = torch.cuda.get_device_name(found) if found.type == "cuda" else found.type
    return f"{device}: {card}, torch {torch.__version__}, CUDA {torch.version.cuda}"


def make_photograph(side: int) -> np.ndarray:
    """Make noise that falls off towards high frequencies as photographs do: (side, side, 3) of uint8."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    spectrum = np.fft.fft2(rng.normal(size=(3, side, side))) / np.maximum(frequency, 1 / side)
    layers = np.fft.ifft2(spectrum).real
    layers = 0.6 * layers[:1] + 0.4 * layers
    return np.clip(128 + 50 * (layers / layers.std()), 0, 255).astype(np.uint8).transpose(1, 2, 0)


def list_cases(device: str, side: int, crop: int) -> Iterator[Case]:
    """List everything that is compared."""
    import torch

    from raim.metrics.dists import dists_batch
    from raim.metrics.gmsd import gmsd_batch
    from raim.metrics.lpips import lpips_batch
    from raim.metrics.ms_ssim import ms_ssim_batch
    from raim.metrics.niqe import niqe_batch
    from raim.metrics.psnr import psnr_batch
    from raim.metrics.ssim import ssim_batch

    reference = make_photograph(side)
    rng = np.random.default_rng(1)
    restored = np.clip(reference + rng.normal(0, 12, reference.shape), 0, 255).astype(np.uint8)
    blurred = np.clip((reference.astype(np.float32) + np.roll(reference, 1, 1)) / 2, 0, 255).astype(np.uint8)

    for name, each, options in (
        ("LPIPS AlexNet", lpips_each, {"net": "alexnet"}),
        ("LPIPS VGG16", lpips_each, {"net": "vgg16"}),
        ("DISTS", dists_each, {}),
    ):
        yield Case(
            name=name,
            tolerance=5e-6,
            here=lambda each=each, options=options: each([restored, blurred], reference, **options),
            there=lambda each=each, options=options: each(
                [restored, blurred], reference, engine="torch", device=device, **options
            ),
        )

    def to_batch(*images: np.ndarray) -> torch.Tensor:
        return torch.stack([torch.from_numpy(image / np.float32(255)).movedim(2, 0) for image in images]).to(
            device
        )

    x, y = to_batch(restored, blurred), to_batch(reference, reference)
    pairs = ((restored, reference), (blurred, reference))
    for name, tolerance, here, there in (
        # In single precision a mean over 786,432 values has a relative error of some 1e-6: 1e-5 dB.
        ("PSNR of a batch", 2e-5, psnr, lambda: psnr_batch(x, y)),
        ("SSIM of a batch", 1e-5, ssim, lambda: ssim_batch(x, y)),
        ("MS-SSIM of a batch", 1e-5, ms_ssim, lambda: ms_ssim_batch(x, y)),
        ("GMSD of a batch", 1e-5, gmsd, lambda: gmsd_batch(x, y)),
        ("NIQE of a batch", 1e-5, lambda image, _: niqe(image), lambda: niqe_batch(x)),
        ("LPIPS of a batch", 5e-6, lambda a, b: lpips_each([a], b)[0], lambda: lpips_batch(x, y)),
        ("DISTS of a batch", 5e-6, lambda a, b: dists_each([a], b)[0], lambda: dists_batch(x, y)),
    ):
        yield Case(
            name=name,
            tolerance=tolerance,
            here=lambda here=here: [here(*pair) for pair in pairs],
            there=lambda there=there: there().tolist(),
        )

    middle = slice(side // 2 - crop // 2, side // 2 - crop // 2 + crop)
    photograph = restored[middle, middle].astype(np.float32) / 255
    for name in RESTORERS:
        restorer = find_restorer(name)
        yield Case(
            name=name,
            tolerance=HALF_LEVEL,
            here=lambda restorer=restorer: restorer.run(photograph, Context()),
            there=lambda restorer=restorer: restorer.run(photograph, Context(device=device)),
        )


if __name__ == "__main__":
    sys.exit(main())
