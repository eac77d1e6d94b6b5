"""The documentation names what there is."""

import re
from pathlib import Path

import click
import pytest

from raim.cli.restore import command
from raim.restore import RESTORERS
from raim.restore.licences import find_commercial_use, find_weights_licence

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "restorers.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| `([^`]+)` \| (\d) \| (.+?) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| (.+) \|$",
    TEXT,
    re.MULTILINE,
)


def test_the_table_has_every_restorer_once_in_order():
    assert [row[0] for row in ROWS] == list(RESTORERS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_says_what_the_descriptor_says(row):
    restorer = RESTORERS[row[0]]
    seconds = f"{restorer.seconds_per_megapixel:.3g}"
    licences = restorer.licence, find_weights_licence(restorer) or "-", find_commercial_use(restorer)
    assert row[1:] == (str(restorer.scale), restorer.purpose, seconds, *licences, restorer.source)


UNSAID = {"--device", "--threads", "--json"}  # as everywhere, and said by --help


def test_every_option_of_the_command_is_described():
    options = [param for param in command.params if isinstance(param, click.Option)]
    named = {option for param in options for option in (*param.opts, *param.secondary_opts)}
    assert {option for option in named - UNSAID if f"{option}" not in TEXT} == set()
