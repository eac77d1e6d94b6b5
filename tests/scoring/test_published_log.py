"""Twenty photographs of RealSR and DRealSR that another project, OSEDiff, scored in its own log (Apache-2.0)."""

import csv
import dataclasses

import pytest

from raim.scoring import find_profile, score_folders

# Their GPU's rounding.
CLOSENESS = {"psnr": 1e-5, "ssim": 2e-6, "lpips": 4e-4, "dists": 1e-4, "niqe": 0.02}


@pytest.mark.slow
@pytest.mark.shared
def test_the_published_values_of_another_project_come_out(shared):
    folder = shared / "kat" / "published_log"
    with (folder / "published.csv").open(newline="") as file:
        published = {
            row.pop("name"): {key: float(value) for key, value in row.items()} for row in csv.DictReader(file)
        }
    profile = dataclasses.replace(find_profile("raim-2024"), border_px=0)
    (entry,) = score_folders([folder / "restored"], folder / "reference", profile=profile).entries
    assert {image.name for image in entry.images} == set(published)
    assert len(published) == 20
    for image in entry.images:
        for measure, closeness in CLOSENESS.items():
            assert image.values[measure] == pytest.approx(published[image.name][measure], abs=closeness), (
                image.name
            )
    mean = sum(row["score"] for row in published.values()) / 20
    assert entry.mean["score"] == pytest.approx(mean, abs=0.01)
