"""The benchmark of published architectures, on the smallest of its nets."""

import doctest

import pytest

pytest.importorskip("torch", reason="the extra spandrel is not installed")
pytest.importorskip("spandrel", reason="the extra spandrel is not installed")

from benchmark_scripts import load_scripts

MODULES = load_scripts(["documents", "material", "turns", "processes", "spandrel_nets", "spandrel_models"])
benchmark = MODULES["spandrel_models"]


@pytest.mark.slow
def test_a_small_net_is_measured_and_makes_a_row():
    found = benchmark.measure("NAFNet", is_small=True)
    assert found["grid"] == 4
    assert 0 < found["largest"] < 0.1
    float16, bfloat16 = found["halves"]
    assert 0 < float16 < bfloat16 < 5
    head, _, row = benchmark.format_table([found]).splitlines()
    assert row.count("|") == head.count("|")
    assert row.startswith("| NAFNet | NAFNet-GoPro, width 64 | 0.0 | 1 | 4 | 160 |")


def test_the_examples_hold():
    assert doctest.testmod(benchmark).failed == 0
