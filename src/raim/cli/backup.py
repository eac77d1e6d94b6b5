"""`raim backup`: all that a server knows into one file."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from raim.cli.progress import show_share
from raim.cli.server_settings import read_server_settings
from raim.cli.wording import say_count
from raim.errors import need_extra
from raim.files import say_size

INCOMPLETE = 2


@click.command(name="backup")
@click.argument("places", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="[DIR] OUT")
@click.option("--challenge", "challenge_id", default="", metavar="ID", help="Only this one, with its people.")
@click.option("--database", metavar="URL", help="In place of RAIM_DATABASE_URL.")
@click.option("--storage", metavar="URL", help="In place of RAIM_STORAGE_URL.")
@click.option(
    "--with-secret",
    is_flag=True,
    help="Keep the server's secret, too. It guards forms that are open in browsers; without it a new one is made, and "
    "people load such a page again.",
)
def command(
    *,
    places: tuple[Path, ...],
    challenge_id: str,
    database: str | None,
    storage: str | None,
    with_secret: bool,
) -> None:
    """Write all that the server of DIR (or of the current folder) knows into the new file OUT; it may run meanwhile.

    OUT is a zip with the rows of the database, every stored file that they refer to, and the challenge's texts. Uploads
    that are under way are not kept, nor are logins. It holds hidden references and password hashes: keep it safe. That
    of one challenge has no API tokens either.

    Exit code 0: complete. Exit code 2: stored files are missing or damaged; the backup is made without them.
    """
    need_extra("this command", "server", "sqlalchemy", "fastapi", "dbos")
    from raim.server.backup import make_backup

    if len(places) > 2:
        raise click.UsageError(f"expected [DIR] OUT, got {len(places)} paths")
    if challenge_id and with_secret:
        raise click.UsageError("--with-secret is for the whole server; a challenge has no secret")
    folder, out = (Path(), *places)[-2:]
    settings = read_server_settings(folder, database=database, storage=storage)
    with show_share("backup") as bar:
        manifest = make_backup(
            settings,
            out,
            now=datetime.now(UTC),
            challenge_id=challenge_id,
            with_secret=with_secret,
            on_progress=lambda done, total: bar.move(done / max(total, 1), say_size(done)),
        )
    click.echo(
        f"{out}: {say_count(manifest.n_rows, 'row')} of {say_count(len(manifest.tables), 'table')}, "
        f"{say_count(len(manifest.files), 'file')}, {say_size(manifest.n_bytes)}"
    )
    for sha256, why in manifest.missing.items():
        click.echo(f"not in it: the file {sha256}: {why}", err=True)
    if manifest.missing:
        sys.exit(INCOMPLETE)
