import sys

import pytest

from raim.cli.main import main


@pytest.fixture
def run_raim(monkeypatch, capsys):
    """Run `raim` with arguments through its entry point; give its exit code and outputs."""

    def start(*arguments):
        monkeypatch.setattr(sys, "argv", ["raim", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as error:
            code = error.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return start
