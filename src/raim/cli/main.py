"""The entry point: finds the subcommand's module, prints expected errors without a traceback.

A subcommand is one module of this package with a click command named `command`. Its one-line help stands in
`COMMANDS`, so that `raim --help` imports none of them.
"""

import importlib
import sys
from typing import NoReturn

import click

from raim import __version__
from raim.errors import RaimError, shown

COMMANDS = {
    "align": "Make input/reference pairs from real captures of one scene.",
    "backup": "Write all that a challenge server knows into one file.",
    "challenge": "Make, validate and show a challenge.",
    "check": "List everything that is wrong with a submission before it is uploaded.",
    "degrade": "Make input/reference pairs from clean photographs with a camera model.",
    "demo": "Play a small whole challenge on real photographs.",
    "doctor": "Show versions, devices, caches and what is missing.",
    "rank": "Join SCORE and the points of a study to the final ranking.",
    "recover": "Make a challenge server from a backup.",
    "report": "Write the report of a closed challenge: page, LaTeX, CSV, JSON, gallery.",
    "restore": "Restore a photograph, a folder or a zip.",
    "score": "Measure restored images against their references.",
    "serve": "Serve a challenge: pages, uploads, scoring, leaderboard.",
    "server": "Look after a challenge server: free disk space.",
    "study": "Plan, analyse and export a blinded study in files.",
    "submit": "Hand a zip in to a challenge server and wait for its score.",
    "train": "Train a restorer by a recipe, on SCORE if you like.",
    "weights": "List, fetch and verify the pinned pretrained weights.",
    "worker": "Check and score submissions for a challenge server, here or on another machine.",
}

EXPECTED_ERROR = 2
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A click group whose subcommands are imported at first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every subcommand."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"raim.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands from the table, importing none."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="raim")
def raim() -> None:
    """Run, enter and judge image restoration challenges."""


def main() -> None:
    """Run the command line and exit: 0 done, 1 a bug (with traceback), 2 an expected error, 130 interrupted."""
    try:
        raim(prog_name="raim", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted; run the same command again to go on where it stopped", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(EXPECTED_ERROR)
    except RaimError as error:
        _fail(str(error))
    except OSError as error:
        if error.filename is None:  # no file that the user named: a bug
            raise
        _fail(f"{error.filename}: {error.strerror}; check the path and its permissions")


def _fail(message: str) -> NoReturn:
    """Print an expected error, whose names may be hostile, line by line, and exit."""
    lines = (shown(line, longest=len(message)) for line in message.split("\n"))
    click.echo("raim: " + "\n".join(lines), err=True)
    sys.exit(EXPECTED_ERROR)
