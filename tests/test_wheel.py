"""The built wheel, without the source tree and with the network cut: every file, command and page is there."""

import functools
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import ROOT
from patience import PATIENCE_S
from raim.cli.main import COMMANDS
from raim.images import write_image
from raim.scoring.submission import Readme, format_readme
from raim.weights import weights_folders

pytestmark = pytest.mark.slow

pytest.importorskip("hatchling", reason="hatchling is not installed")
pytest.importorskip("fastapi", reason="the extra `server` is not installed")
pytest.importorskip("skimage", reason="the extra `demo` is not installed")

GUARD = Path(__file__).with_name("network_guard")
# A network namespace of its own has no way out, for code outside Python neither; who may not make one has the guard.
NAMESPACES = (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"])
HELP = """
import click.testing, raim, sys
from raim.cli.main import COMMANDS, raim as command
assert raim.__file__.startswith(sys.argv[1]), raim.__file__
for name in COMMANDS:
    result = click.testing.CliRunner().invoke(command, [name, "--help"])
    assert result.exit_code == 0, (name, result.exception)
    print(name, result.output.splitlines()[0])
"""


# Runs each command of a JSON list where only some modules are there, and prints exit codes and output.
BASE = """
import contextlib, io, json, sys
from importlib.machinery import PathFinder
class Base(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in absent else super().find_spec(name, path, target)
absent = set(json.loads(sys.argv[1]))
sys.meta_path[sys.meta_path.index(PathFinder)] = Base
from raim.cli.main import main
for arguments in json.loads(sys.argv[2]):
    sys.argv[1:], code = arguments, 0
    with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.redirect_stderr(text):
        try: main()
        except SystemExit as error: code = error.code
    print(json.dumps([code or 0, text.getvalue()]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([sys.executable, *command, "--wheel-dir", folder, ROOT], check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install it into a folder of its own, which Python looks into before the source tree; give the environment."""
    folder = tmp_path_factory.mktemp("installed").resolve()
    command = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([str(GUARD), str(folder)]),
        "RAIM_WEIGHTS_DIR": str(weights_folders().cache),
        "RAIM_CACHE_DIR": str(tmp_path_factory.mktemp("cache")),
        "RAIM_KEEP_FREE_BYTES": "0",
        "RAIM_OFFLINE": "1",
        "PATH": str(Path(sys.executable).parent),  # neither Node nor anything else of the machine
        "INSTALLED": str(folder),
    }


@functools.cache
def cut_off():
    """Give the command before which a program has no network; nothing where there is none."""
    for words in NAMESPACES:
        if (
            shutil.which(words[0])
            and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
        ):
            return (shutil.which(words[0]), *words[1:])
    return ()


def run(environment, folder, *arguments):
    return subprocess.run(
        [*cut_off(), sys.executable, *map(str, arguments)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def test_the_wheel_has_every_file_of_the_package(wheel):
    def is_ours(path):
        return path.is_file() and "__pycache__" not in path.parts

    ours = {
        path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src/raim").rglob("*") if is_ours(path)
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("raim/")}
    assert ours == packed


def test_the_network_is_cut(installed, tmp_path):
    program = "import socket; socket.create_connection(('{}', 80), 1)"
    for host in ("192.0.2.1", "example.org"):
        assert "the test has no network" in run(installed, tmp_path, "-c", program.format(host)).stderr
    without_guard = installed | {"PYTHONPATH": ""}
    if cut_off():
        assert "unreachable" in run(without_guard, tmp_path, "-c", program.format("192.0.2.1")).stderr


def test_every_command_has_its_help(installed, tmp_path):
    result = run(installed, tmp_path, "-c", HELP, installed["INSTALLED"])
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        line
        for name, line in zip(COMMANDS, result.stdout.splitlines(), strict=True)
        if f"{name} Usage: " in line
    ]


def list_modules_of_extras():
    """List what is importable here and is no part of a plain installation."""
    plain, waiting = set(), ["raim"]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in plain:
            plain.add(name)
            asked = map(Requirement, importlib.metadata.requires(name) or [])
            waiting += [each.name for each in asked if not each.marker or each.marker.evaluate({"extra": ""})]
    provided = importlib.metadata.packages_distributions()
    return [
        name for name, owners in provided.items() if not plain & {canonicalize_name(each) for each in owners}
    ]


def test_a_plain_installation_scores_and_names_the_missing_extra(installed, tmp_path):
    rng = np.random.default_rng(1)
    for folder in ("restored", "reference", "data"):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "a.png", rng.integers(0, 256, (200, 200, 3), np.uint8))
    (tmp_path / "restored" / "readme.txt").write_text(
        format_readme(Readme(runtime_s=1.0, is_on_cpu=True, has_extra_data=False, description="x"))
    )
    wanted = {
        ("doctor",): "",
        ("score", "restored", "reference", "--workers", "1"): "",
        ("check", "restored", "--input", "reference"): "",
        ("restore", "reference/a.png", "a.png", "--restorer", "bicubic-x2"): "",
        ("rank", "--scores", "scores.csv", "--points", "points.csv"): "",
        ("score", "restored", "reference", "--html", "a.html"): "report",
        ("study", "analyse", "votes.csv"): "study",
        ("report", "data", "out", "--from-csv"): "report",
        ("degrade", "reference", "out", "--preset", "all"): "pairs",
        ("align", "reference", "out"): "pairs",
        ("serve", "data"): "server",
        ("backup", "data", "data.zip"): "server",
        ("recover", "data.zip", "out"): "server",
        ("demo",): "demo",
        ("train", "small"): "train",
    }
    (tmp_path / "scores.csv").write_text("team,score\na,1\nb,2\n")
    (tmp_path / "points.csv").write_text("team,points\na,1\nb,2\n")
    result = run(
        installed, tmp_path, "-c", BASE, json.dumps(list_modules_of_extras()), json.dumps(list(wanted))
    )
    assert result.returncode == 0, result.stderr
    for (arguments, extra), line in zip(wanted.items(), result.stdout.splitlines(), strict=True):
        code, text = json.loads(line)
        assert code == (2 if extra else 0), (arguments, text)
        assert f"run: pip install 'raim[{extra}]'" in text or not extra, (arguments, text)


def test_every_page_that_is_linked_is_served_to_everybody(installed, tmp_path):
    result = run(installed, tmp_path, ROOT / "tests" / "page_crawl.py", tmp_path / "challenge")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["raim"].startswith(installed["INSTALLED"])
    kinds = {"text/html", "text/css", "text/javascript", "application/json"}
    for person, pages in found["pages"].items():
        assert {path: status for path, (status, _) in pages.items() if status != 200} == {}, person
        assert kinds <= {kind for _, kind in pages.values()}, person
    assert len(found["pages"]["organiser"]) > 60


def test_the_demo_plays_a_whole_challenge(installed, tmp_path):
    raim = Path(installed["INSTALLED"]) / "bin" / "raim"
    result = run(installed, tmp_path, raim, "demo", "--no-serve", "--workers", "2")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "demo" / "index.html").is_file()
