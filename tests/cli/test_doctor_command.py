import importlib.util

import pytest
from click.testing import CliRunner

from raim.cli import doctor


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Show an empty cache."""
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("RAIM_WEIGHTS_DIR", raising=False)


def report():
    result = CliRunner().invoke(doctor.command)
    return result.exit_code, result.output


def test_a_complete_machine_is_fine_and_says_what_it_is():
    code, text = report()
    assert code == 0
    for word in ("Python", "numba", "processor", "cores", "devices", "cpu", "cache"):
        assert word in text


def test_missing_weights_are_named_with_the_command_that_fetches_them(machine):
    code, text = report()
    assert code == 2
    assert "!!  weights vgg16" in text
    assert "mend: raim weights fetch\n" in text
    assert "mend: raim weights fetch ffdnet-color" in text


def test_a_missing_extra_is_no_fault_but_has_its_command(monkeypatch):
    original = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "skimage" else original(name, *rest)
    )
    code, text = report()
    assert code == 0
    assert "pip install 'raim[demo]'" in text


def test_a_cache_that_cannot_be_written_to_names_the_way_out(monkeypatch, machine):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert "RAIM_CACHE_DIR" in report()[1]


def test_a_full_disk_is_told(monkeypatch, machine):
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 2**62)
    assert "nearly full" in report()[1]
