import json

import pytest

from raim.networks import choice
from raim.networks.ncnn import native_pack
from raim.networks.vectors import LANES


@pytest.fixture(autouse=True)
def a_wide_processor(monkeypatch, tmp_path):
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("numba.core.codegen.get_host_cpu_features", lambda: "+avx2,+avx512f")
    monkeypatch.setattr("raim.networks.ncnn.native_pack", lambda: 16)
    choice.choose_exact_engine.cache_clear()
    yield
    choice.choose_exact_engine.cache_clear()


@pytest.mark.parametrize(("winograd", "chosen"), [(0.8, "winograd"), (0.95, "ncnn"), (1.2, "ncnn")])
def test_ours_is_chosen_where_it_gains_a_tenth(monkeypatch, winograd, chosen):
    monkeypatch.setattr(choice, "measure_engines", lambda: {"ncnn": 1.0, "winograd": winograd})
    assert choice.choose_exact_engine() == chosen


def test_a_processor_is_measured_once_and_another_again(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(choice, "measure_engines", lambda: asked.append(1) or {"ncnn": 2.0, "winograd": 1.0})
    assert choice.measured_times() == choice.measured_times() == {"ncnn": 2.0, "winograd": 1.0}
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    choice.measured_times()
    assert len(asked) == len(json.loads((tmp_path / "engines.json").read_text())) == 2


def test_a_damaged_note_is_made_again(monkeypatch, tmp_path):
    monkeypatch.setattr(choice, "measure_engines", lambda: {"ncnn": 2.0, "winograd": 1.0})
    (tmp_path / "engines.json").write_text("{")
    assert choice.choose_exact_engine() == "winograd"


def test_without_avx512_nothing_is_measured(monkeypatch):
    monkeypatch.setattr("numba.core.codegen.get_host_cpu_features", lambda: "+avx2,-avx512f")
    assert choice.measured_times() is None
    assert choice.choose_exact_engine() == "ncnn"


def test_a_build_of_ncnn_that_packs_otherwise_is_taken_as_it_is(monkeypatch):
    monkeypatch.setattr("raim.networks.ncnn.native_pack", lambda: 8)
    monkeypatch.setattr(choice, "measure_engines", lambda: pytest.fail("measured"))
    assert choice.choose_exact_engine() == "ncnn"


@pytest.mark.skipif(native_pack() != LANES, reason="ncnn packs otherwise here, so there is nothing to choose")
def test_times_are_measured_of_both():
    times = choice.measure_engines()
    assert times.keys() == {"ncnn", "winograd"}
    assert all(0 < seconds < 60 for seconds in times.values())
