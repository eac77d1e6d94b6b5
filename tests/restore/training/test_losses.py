from types import MappingProxyType

import numpy as np
import pytest

from raim.scoring import find_profile, score_pair

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")

from raim.metrics import niqe_together  # noqa: E402 - after the skip
from raim.metrics.niqe import niqe_batch  # noqa: E402 - after the skip
from raim.metrics.ssim import ssim_batch  # noqa: E402 - after the skip
from raim.restore.training import losses  # noqa: E402
from raim.restore.training.losses import compute_loss, compute_term  # noqa: E402
from raim.restore.training.recipe import LossChoice  # noqa: E402

PAIR_PX = 200


def make_pair(seed, side=PAIR_PX, noise=12.0):
    """Give a photograph-like picture of whole values and a noisy copy, as batches of one in [0, 1]."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.normal(0, 30, (side // 4 + 1, side // 4 + 1, 3)), np.ones((4, 4, 1)))[:side, :side]
    reference = np.rint((127 + coarse + rng.normal(0, 6, (side, side, 3))).clip(0, 255))
    restored = np.rint((reference + rng.normal(0, noise, reference.shape)).clip(0, 255))
    return [torch.tensor(image / 255).movedim(2, 0)[None] for image in (restored, reference)]


def to_pixels(batch):
    return (batch[0].movedim(0, 2).numpy() * 255).round().astype(np.uint8)


@pytest.mark.parametrize("name", ["raim-2024", "raim-2026-hdr"])
def test_the_term_of_score_is_what_is_missing_from_the_score_of_scoring(name):
    profile = find_profile(name)
    restored, reference = make_pair(0)
    scored = score_pair(to_pixels(restored), to_pixels(reference), profile)
    choice = LossChoice(profile=name, l1=0.0, score=1.0, niqe_floor=0.0)
    best = sum(measure.weight for measure in profile.measures)
    assert compute_loss(choice, restored, reference).total.item() == pytest.approx(
        (best - scored.score) / 100, abs=1e-5
    )


def test_a_measure_counts_by_its_weight_and_how_far_it_is_from_its_best():
    restored, reference = make_pair(1)
    profile = find_profile("raim-2026-hdr")
    choice = LossChoice(profile=profile.name, l1=0.5, measures=MappingProxyType({"ssim": 2.0}))
    loss = compute_loss(choice, restored, reference)
    ssim = ssim_batch(restored, reference).item()
    assert loss.terms["ssim"].item() == pytest.approx(2 * (1 - ssim) / 0.5)
    assert loss.terms["l1"].item() == pytest.approx(0.5 * (restored - reference).abs().mean().item())
    assert loss.total.item() == pytest.approx(sum(term.item() for term in loss.terms.values()))


@pytest.mark.parametrize(
    "choice",
    [
        LossChoice(l1=1.0),
        LossChoice(profile="raim-2026-hdr", l1=0.0, score=1.0),
        LossChoice(l1=0.0, measures=MappingProxyType({"dists": 1.0})),
        LossChoice(l1=0.0, measures=MappingProxyType({"lpips": 1.0})),
        LossChoice(l1=0.0, measures=MappingProxyType({"psnr": 1.0})),
    ],
    ids=["l1", "score", "dists", "lpips", "psnr"],
)
def test_the_gradient_is_that_of_finite_differences(choice):
    restored, reference = make_pair(2, side=72)
    restored = (restored * 0.9 + 0.05).requires_grad_()
    direction = torch.randn(restored.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    compute_loss(choice, restored, reference).total.backward()
    step = 1e-8  # further off, rectifiers and maxima of the backbones change sides
    ahead, behind = (
        compute_loss(choice, restored.detach() + sign * step * direction, reference).total.item()
        for sign in (1, -1)
    )
    assert (restored.grad * direction).sum().item() == pytest.approx((ahead - behind) / (2 * step), rel=1e-4)


def niqe_values(monkeypatch, restored, reference):
    """Let NIQE be a number that each of two pictures is known to have."""
    values = {0.25: restored, 0.75: reference}
    monkeypatch.setattr(
        losses,
        "niqe_together",
        lambda images, **_: images.mean() * 0 + values[round(images.mean().item(), 2)],
    )
    return torch.full((1, 3, 8, 8), 0.25), torch.full((1, 3, 8, 8), 0.75)


@pytest.mark.parametrize(
    ("restored", "reference", "counted"),
    [
        (6.0, 4.0, 6.0),  # above the floor it counts as it is
        (6.0, 9.0, 6.0),
        (3.0, 9.0, 3.0),
        (2.0, 9.0, 3.0 + 2 * 1.0),  # below it, it costs
        (2.0, 2.5, 2.5 + 2 * 0.5),  # unless the reference is lower
        (2.6, 2.5, 2.6),
    ],
)
def test_niqe_below_that_of_clean_photographs_costs(monkeypatch, restored, reference, counted):
    images = niqe_values(monkeypatch, restored, reference)
    niqe = find_profile("raim-2024").measures[-1]
    assert compute_term(niqe, *images, floor=3.0, guard=2.0).item() == pytest.approx(counted / 10)


def test_a_batch_too_flat_for_niqe_goes_without_it():
    flat = torch.full((2, 3, 104, 104), 0.5)
    choice = LossChoice(l1=1.0, measures=MappingProxyType({"niqe": 1.0}))
    loss = compute_loss(choice, flat.requires_grad_(), flat.detach())
    assert loss.terms["niqe"].item() == 0
    loss.total.backward()


def test_values_outside_the_range_are_measured_as_clipped_and_still_learn():
    reference = torch.ones(1, 3, 32, 32)
    restored = (reference + 0.2).requires_grad_()
    choice = LossChoice(profile="raim-2026-hdr", l1=0.0, measures=MappingProxyType({"psnr": 1.0}))
    loss = compute_loss(choice, restored, reference)
    assert loss.total.item() == pytest.approx((50 - 80) / 50, abs=1e-4)  # as if it were the same
    other = compute_loss(choice, restored.detach() - 0.3, reference)
    assert other.total.item() > loss.total.item()
    assert compute_loss(LossChoice(), restored, reference).total.item() == pytest.approx(0.2, abs=1e-6)


def test_the_blocks_of_a_batch_count_as_those_of_one_photograph():
    whole = make_pair(3, side=192)[1]
    parts = [whole[..., top : top + 96, left : left + 96] for top in (0, 96) for left in (0, 96)]
    # The windows at the seams of the parts differ, so that only the size of the number is the same.
    together = niqe_together(torch.cat(parts)).item()
    assert niqe_together(whole).item() == niqe_batch(whole).item()
    assert together == pytest.approx(niqe_batch(whole).item(), rel=0.2)
