"""The table of restorers: `raim restore --list`."""

import json
from typing import Any

import click

from raim.restore import RESTORERS, Restorer
from raim.restore.licences import find_commercial_use, find_weights_licence
from raim.weights import weights_state

NO_WEIGHTS = "none"


def describe_restorers() -> list[dict[str, Any]]:
    """Return the descriptors of all built-in restorers as plain values.

    Example:
        >>> describe_restorers()[-1]["scale"]
        4
    """
    return [_describe(restorer) for restorer in RESTORERS.values()]


def _describe(restorer: Restorer) -> dict[str, Any]:
    return {
        "name": restorer.name,
        "scale": restorer.scale,
        "purpose": restorer.purpose,
        "seconds_per_megapixel": restorer.seconds_per_megapixel,
        "code_licence": restorer.licence,
        "weights_licence": find_weights_licence(restorer) or None,
        "commercial_use": find_commercial_use(restorer),
        "source": restorer.source,
        "weights": {name: weights_state(name) for name in restorer.weights},
        "devices": list(restorer.devices),
    }


def print_restorers(*, as_json: bool) -> None:
    """Print the descriptors of all built-in restorers."""
    described = describe_restorers()
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for title in ("name", "scale", "s/MP", "weights"):
        table.add_column(title, justify="right" if title == "s/MP" else "left", no_wrap=True)
    table.add_column("purpose; licence of code and of weights, commercial use; source")
    for row in described:
        states = ", ".join(dict.fromkeys(row["weights"].values())) or NO_WEIGHTS
        seconds = f"{row['seconds_per_megapixel']:.3g}"
        text = Text.assemble(row["purpose"], "\n", (f"{_describe_licences(row)}\n{row['source']}", "dim"))
        table.add_row(Text(row["name"]), f"x{row['scale']}", seconds, states, text)
    console = Console()
    console.print(table)
    console.print(
        "s/MP: seconds per megapixel of input on one core. With --reduction those that enlarge keep the size. Missing "
        "weights are fetched at first use, or by: raim weights fetch restoring. Commercial use is what the licences of "
        "code and weights say; docs/weights.md has what is known of the photographs behind the weights.",
        highlight=False,
    )


def _describe_licences(row: dict[str, Any]) -> str:
    weights = f", weights {row['weights_licence']}" if row["weights_licence"] else ""
    return f"code {row['code_licence']}{weights}; commercial use: {row['commercial_use']}"
