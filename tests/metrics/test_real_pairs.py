"""LPIPS and DISTS of the 30 real pairs, whole; the command line's test has them inside the border."""

import pytest

from raim.metrics import dists, lpips

GROUPS = 6


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.timeout(600)
@pytest.mark.parametrize("group", range(GROUPS))
def test_features_of_every_real_pair_are_as_far_apart_as_published(real_pairs, group):
    assert len(real_pairs) == 30
    for row, restored, reference in real_pairs[group::GROUPS]:
        for measure in (lpips, dists):
            expected = float(row[f"nocrop_{measure.__name__}"])
            assert measure(restored, reference) == pytest.approx(expected, abs=5e-6), row["pair_id"]
