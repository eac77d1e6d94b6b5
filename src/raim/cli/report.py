"""`raim report`: the report of a closed challenge."""

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raim.cli.server_settings import read_server_settings
from raim.errors import ImageError, InputError, need_extra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from raim.report.closed.material import Material

PATH = click.Path(path_type=Path)
ALL = "html,latex,csv,json,gallery"


@click.command()
@click.argument("challenge", type=PATH)
@click.argument("out", type=PATH)
@click.option("--from-csv", is_flag=True, help="CHALLENGE is a folder of plain files (docs/report.md).")
@click.option("--formats", default=ALL, show_default=True, help="What to write.")
@click.option("--title", help="Name of the challenge, with --from-csv; default: of challenge.toml or folder.")
@click.option("--simulated", is_flag=True, help="With --from-csv: the votes were made by a program.")
@click.option(
    "--allow-incomplete", is_flag=True, help="With --from-csv: rank entries with missing images too."
)
@click.option("--database", help="Of the server, if it is not CHALLENGE/raim.db.")
@click.option("--storage", help="Of the server, if it is not CHALLENGE/files.")
@click.option("--challenge", "challenge_id", default="", help="Id of one, where CHALLENGE is of several.")
def command(
    *,
    challenge: Path,
    out: Path,
    from_csv: bool,
    formats: str,
    title: str | None,
    simulated: bool,
    allow_incomplete: bool,
    database: str | None,
    storage: str | None,
    challenge_id: str,
) -> None:
    """Write the report of a closed challenge into the folder OUT.

    CHALLENGE is the folder that raim serve serves; its study must be revealed. With --from-csv it is a folder of plain
    files of a challenge that ran elsewhere: scores.csv, and points.csv or votes.csv, are enough. OUT gets a page with
    everything in it, a LaTeX document with its figures, each table as CSV, everything as JSON, and a gallery for any
    web space.
    """
    names = [name.strip() for name in formats.split(",") if name.strip()]
    drawn = ("jinja2", "matplotlib") if {"html", "latex", "gallery"} & set(names) else ()
    need_extra("this report", "report", "choix", "scipy", *drawn)
    from raim.cli.progress import show_progress
    from raim.files import check_folder
    from raim.report.closed import write_report
    from raim.tables import list_shortly

    check_folder(out)
    if not from_csv and (title is not None or simulated or allow_incomplete):
        raise InputError(
            "--title, --simulated and --allow-incomplete are for --from-csv; a server knows of them"
        )
    opened = (
        _open_folder(challenge, title=title, is_simulated=simulated, allow_incomplete=allow_incomplete)
        if from_csv
        else _open_server(challenge, database, storage, challenge_id)
    )
    with opened as material, show_progress("writing the report") as on_progress:
        written = write_report(material, out, formats=names, on_progress=on_progress)
    for note in material.notes:
        click.echo(f"note: {note}")
    for path in written.files:
        click.echo(f"written: {path}")
    if written.failures:
        lines = [f"  {what}: {reason}" for what, reason in written.failures.items()]
        listed = "\n".join(list_shortly(lines))
        raise ImageError(f"the report is written, but for pictures that could not be read:\n{listed}")


@contextmanager
def _open_folder(
    folder: Path, *, title: str | None, is_simulated: bool, allow_incomplete: bool
) -> "Iterator[Material]":
    from raim import __version__
    from raim.report.closed import FolderOptions, read_folder

    options = FolderOptions(
        title=title,
        created_at=datetime.now(UTC),
        raim_version=__version__,
        is_simulated=is_simulated,
        allow_incomplete=allow_incomplete,
    )
    yield read_folder(folder, options)


@contextmanager
def _open_server(
    folder: Path, database: str | None, storage: str | None, challenge_id: str
) -> "Iterator[Material]":
    need_extra("this command", "server", "sqlalchemy", "fastapi", "dbos")
    from raim.server.study.closed_folder import open_material

    settings = read_server_settings(folder, database=database, storage=storage)
    with open_material(settings, now=datetime.now(UTC), challenge_id=challenge_id) as material:
        yield material
