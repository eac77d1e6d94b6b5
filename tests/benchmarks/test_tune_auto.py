import json
from statistics import fmean

import pytest

from benchmark_scripts import FOLDER, load_scripts

tune_auto = load_scripts(["variants", "tune_auto"])["tune_auto"]
TABLE = json.loads((FOLDER / "auto_candidates.json").read_text(encoding="utf-8"))


def test_every_photograph_belongs_to_one_stated_source():
    for name in TABLE:
        assert sum(name.startswith(f"{source}_") for source in tune_auto.SOURCES) == 1


def test_auto_reaches_56_and_is_nowhere_below_the_input():
    ours = {name: tune_auto.predict(entry, tune_auto.Rules()) for name, entry in TABLE.items()}
    assert fmean(ours.values()) >= 56
    for scenario in {entry["scenario"] for entry in TABLE.values()}:
        names = [name for name, entry in TABLE.items() if entry["scenario"] == scenario]
        before = fmean(TABLE[name]["scores"]["identity"] for name in names)
        assert fmean(ours[name] for name in names) > before, scenario


def test_auto_is_better_than_every_single_candidate():
    ours = fmean(tune_auto.predict(entry, tune_auto.Rules()) for entry in TABLE.values())
    candidates = set.intersection(*(set(entry["scores"]) for entry in TABLE.values()))
    singles = {name: fmean(entry["scores"][name] for entry in TABLE.values()) for name in candidates}
    assert ours > max(singles.values())


def test_the_search_finds_the_better_numbers():
    scores = {"identity": 10.0}
    scores |= {
        f"ffd_{sigma}@{share}": 20.0 - sigma for sigma in tune_auto.SIGMAS for share in tune_auto.SHARES
    }
    scores |= {f"esr_r{factor}@{share}": float(factor) for factor in (3, 4) for share in tune_auto.SHARES}
    inspection = next(iter(TABLE.values()))["inspection"] | {"noise": 1.0, "flat_noise": 2.0}
    entry = {"scores": scores, "inspection": inspection}
    assert tune_auto.find_best([entry]).noise_gain == min(tune_auto.GRID["noise_gain"])


@pytest.mark.parametrize("share", tune_auto.SHARES)
def test_between_two_noise_levels_the_score_is_interpolated(share):
    scores = {"identity": 0.0} | {f"ffd_{sigma}@{share}": float(sigma) for sigma in tune_auto.SIGMAS}
    inspection = next(iter(TABLE.values()))["inspection"] | {"noise": 1.0, "flat_noise": 1.5}
    rules = tune_auto.Rules(noise_gain=2.0, share=share / 100)
    assert tune_auto.predict({"scores": scores, "inspection": inspection}, rules) == pytest.approx(3.0)
