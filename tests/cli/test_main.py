import subprocess
import sys
from unittest.mock import Mock

import pytest

from raim.cli.main import COMMANDS, main
from raim.errors import RaimError

HEAVY = ("numpy", "torch", "numba", "ncnn", "imagecodecs", "rich", "PIL")


def loaded_by(statement, watched=HEAVY):
    """Run a statement in a fresh interpreter and name the heavy libraries that it loaded."""
    program = f"{statement}\nimport sys\nprint(*[name for name in {watched} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split())


def raim(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "raim", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_importing_raim_loads_nothing_heavy():
    assert loaded_by("import raim") == set()


def test_the_names_of_raim_are_loaded_at_first_use_without_compilers_and_torch():
    assert "numpy" in loaded_by("import raim\nraim.measure('lpips')")
    statement = "import raim\n[raim.measure(name) for name in raim.measures()]"
    assert loaded_by(statement, ("torch", "numba", "ncnn")) == set()


def test_the_command_loads_nothing_heavy_before_a_subcommand_runs():
    assert loaded_by("import raim.cli") == set()


@pytest.mark.parametrize("package", ["metrics", "scoring", "images", "weights", "data", "report", "restore"])
def test_no_package_loads_torch_at_import(package):
    assert "torch" not in loaded_by(f"import raim.{package}")


def test_this_test_would_see_torch():
    pytest.importorskip("torch", reason="the extra torch is not installed")
    assert "torch" in loaded_by("import raim.metrics.niqe_tensors")


def test_help_loads_no_command_and_nothing_heavy():
    watched = (*HEAVY, *(f"raim.cli.{name}" for name in COMMANDS))
    statement = "from raim.cli.main import raim\nraim(['--help'], standalone_mode=False)"
    assert loaded_by(statement, watched) == set()


def test_help_names_every_command():
    result = raim("--help")
    assert result.returncode == 0
    for name, text in COMMANDS.items():
        assert name in result.stdout
        assert text.split()[0] in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name):
    result = raim(name, "--help")
    assert result.returncode == 0
    assert "Usage: raim" in result.stdout


def test_an_unknown_command_exits_2():
    result = raim("scroe")
    assert result.returncode == 2
    assert "scroe" in result.stderr


def test_an_expected_error_has_no_traceback_and_exits_2(tmp_path):
    result = raim("score", tmp_path, tmp_path / "nowhere")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "nowhere" in result.stderr


def test_the_version_is_shown():
    assert raim("--version").stdout.startswith("raim, version 0.1.0")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RaimError("no image in a\x1b[2J.png\n  and none in b"),
            "raim: no image in a\\x1b[2J.png\n  and none in b\n",
        ),
        (
            PermissionError(13, "Permission denied", "out.json"),
            "raim: out.json: Permission denied; check the path and its permissions\n",
        ),
    ],
)
def test_an_expected_error_is_printed_without_control_characters_and_exits_2(
    monkeypatch, capsys, error, said
):
    monkeypatch.setattr(sys.modules[main.__module__], "raim", Mock(side_effect=error))
    with pytest.raises(SystemExit, match="2"):
        main()
    assert capsys.readouterr().err == said
