"""`raim weights`: list, fetch and verify the pinned pretrained weights."""

import click
from rich.console import Console
from rich.table import Table

from raim import weights
from raim.cli.progress import show_downloads
from raim.errors import WeightsError

STYLES = {"ready": "green", "fetched": "yellow", "missing": "red"}


@click.group()
def command() -> None:
    """List, fetch and verify the pinned pretrained weights."""


@command.command("list")
def list_weights() -> None:
    """Show every set, its licence, its size on the index, and whether it is here."""
    table = Table(box=None, pad_edge=False)
    for title in ("name", "what", "licence", "MB", ""):
        table.add_column(title, justify="right" if title == "MB" else "left", no_wrap=title != "what")
    for row in weights.WEIGHTS.values():
        state = weights.weights_state(row.name)
        size = f"{row.artifact.n_bytes / 1e6:.1f}"
        table.add_row(row.name, row.what, row.licence, size, f"[{STYLES[state]}]{state}[/]")
    console = Console()
    console.print(table)
    folders = weights.weights_folders()
    for folder in folders.all:
        console.print(f"in {folder}", soft_wrap=True, highlight=False)


@command.command("fetch")
@click.argument("names", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every set, those of the restorers too.")
def fetch(names: tuple[str, ...], *, is_all: bool) -> None:
    """Fetch and convert NAMES: sets or groups (`scoring`, `restoring`); without any, what scoring needs."""
    wanted = weights.WEIGHTS if is_all else weights.select_weights(names or [weights.SCORING])
    with show_downloads() as progress:
        for name in wanted:
            weights.fetch_weights(name, progress=progress)
            click.echo(f"{name}: ready")


@command.command("verify")
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Compare the files of NAMES (without any: of every set that is here) with their pinned hashes."""
    chosen = weights.select_weights(names) if names else _present()
    checked = [weights.verify_weights(name) for name in chosen]
    for one in checked:
        click.echo(f"{one.name}: {one.error or ', '.join(map(str, one.paths))}")
    wrong = [one.name for one in checked if one.error]
    if wrong:
        raise WeightsError(f"{len(wrong)} of {len(checked)} sets are not as pinned: {', '.join(wrong)}")
    click.echo(f"{len(checked)} sets are as pinned")


def _present() -> list[str]:
    return [name for name in weights.WEIGHTS if weights.weights_state(name) != "missing"]
