import importlib.metadata
import importlib.util
import sys
import tomllib

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from conftest import ROOT
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


@pytest.mark.parametrize(("offline", "expected", "mark"), [("1", 2, "!!"), ("0", 0, "--")])
def test_missing_weights_are_named_and_a_fault_only_where_they_cannot_be_fetched(
    machine, monkeypatch, offline, expected, mark
):
    monkeypatch.setenv("RAIM_OFFLINE", offline)
    code, text = report()
    assert code == expected
    assert f"{mark}  weights vgg16" in text
    assert "fix: raim weights fetch\n" in text
    assert "fix: raim weights fetch ffdnet-color" in text


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


def test_a_full_disk_is_reported(monkeypatch, machine):
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 2**62)
    assert "nearly full" in report()[1]


@pytest.fixture
def versions(monkeypatch):
    """Change what is installed: a version, or None for a library that is not."""
    changed = {}
    original = importlib.metadata.version

    def find(name):
        if name in changed and changed[name] is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return changed.get(name) or original(name)

    monkeypatch.setattr(importlib.metadata, "version", find)
    return changed


def test_what_is_looked_at_is_what_the_package_asks_for(versions):
    """What only tests want is no matter."""
    versions.update(hypothesis=None, simplejpeg=None, requests=None)
    code, text = report()
    assert code == 2
    assert "hypothesis" not in text
    assert "!!  simplejpeg             missing\n" in text
    assert "fix: pip install 'simplejpeg>=" in text
    assert "!!  requests " in text


def test_what_holds_decoders_of_images_back_is_said_with_the_way_out(monkeypatch):
    monkeypatch.setattr(doctor, "probe", lambda: {"files": "Function not implemented"})
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    text = report()[1]
    assert "network namespace, seccomp filter; no Landlock (Function not implemented)\n" in text
    assert "fix: a kernel of Linux 5.13 or newer" in text


def test_what_is_needed_is_exactly_what_the_project_depends_on(versions):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {Requirement(line).name for line in project["dependencies"]}
    extras = {Requirement(line).name for lines in project["optional-dependencies"].values() for line in lines}
    versions.update(dict.fromkeys([*asked, *extras]))
    missing = {line.split()[1] for line in report()[1].splitlines() if line.endswith(" missing")}
    assert missing | {"ncnn"} == asked
    assert not asked & extras


def test_a_version_that_is_too_old_is_reported_with_the_one_that_fits(versions):
    versions.update(numba="0.59.1", torch="2.3.0+cu121")
    code, text = report()
    assert code == 2
    assert "!!  numba                  0.59.1, but raim needs numba>=0.60\n" in text
    assert "fix: pip install 'numba>=0.60'" in text
    assert "--  torch                  2.3.0+cu121, but raim needs torch>=2.4\n" in text
    assert text.count("but raim needs torch") == 1


def test_an_extra_of_which_nothing_is_installed_is_no_fault(versions):
    versions.update({"lightning-fabric": None, "torchvision": None})
    code, text = report()
    assert code == 0
    assert "torchvision" not in text


@pytest.mark.parametrize(("has_torch", "expected"), [(True, 0), (False, 2)])
def test_without_ncnn_torch_computes_or_nothing_does(versions, monkeypatch, has_torch, expected):
    versions["ncnn"] = None
    original = importlib.util.find_spec
    there = {"ncnn": False, "torch": has_torch}
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: original(name, *rest) if there.get(name, True) else None,
    )
    code, text = report()
    assert code == expected
    assert "ncnn                   missing" in text


def test_a_library_that_cannot_be_loaded_hides_nothing_else(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba.core.codegen", None)
    code, text = report()
    assert code == 2
    assert "!!  processor              cannot be looked at: import of numba.core.codegen halted" in text
    assert "ok  devices" in text


def test_every_extra_is_looked_at_and_brings_what_it_is_said_to_bring():
    provided = importlib.metadata.packages_distributions()
    asked = importlib.metadata.requires("raim")
    for module, (extra, _) in doctor.EXTRAS.items():
        names = {name.lower().replace("_", "-") for name in provided.get(module, [module])}
        lines = {line.lower() for line in asked if f"extra == '{extra}'" in line.replace('"', "'")}
        assert any(line.startswith(name) for line in lines for name in names), module
    extras = {extra for extra, _ in doctor.EXTRAS.values()}
    assert extras == set(importlib.metadata.metadata("raim").get_all("Provides-Extra"))
