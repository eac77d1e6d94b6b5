import re
from pathlib import Path

import raim.client
from raim.cli.submit import command

TEXT = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")


def test_every_option_of_the_command_is_in_the_page():
    for parameter in command.params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            assert option in TEXT or option in {"file", "--wait"}


def test_every_function_is_in_the_page_and_every_name_there_is_real():
    functions = {name for name in raim.client.__all__ if name.islower()}
    assert functions == set(re.findall(r"`(\w+)\(server", TEXT))
