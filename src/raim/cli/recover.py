"""`raim recover`: a server from a backup."""

from datetime import UTC, datetime
from pathlib import Path

import click

from raim.cli.progress import show_share
from raim.cli.server_settings import read_server_settings
from raim.cli.wording import say_count
from raim.errors import need_extra
from raim.files import say_size


@click.command(name="recover")
@click.argument("backup", metavar="OUT", type=click.Path(path_type=Path))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--database", metavar="URL", help="In place of RAIM_DATABASE_URL; SQLite or PostgreSQL, empty.")
@click.option("--storage", metavar="URL", help="In place of RAIM_STORAGE_URL; empty.")
def command(*, backup: Path, folder: Path, database: str | None, storage: str | None) -> None:
    """Make a server in the new or empty folder DIR from OUT, which `raim backup` has written.

    Every hash is compared. The database may be of another kind than the backup's. If anything fails, nothing is left.
    Uploads that were under way are abandoned and take no try; what was being scored waits again; people log in again,
    API tokens stay good.
    """
    need_extra("this command", "server", "sqlalchemy", "fastapi", "dbos")
    from raim.server.backup import recover_backup

    settings = read_server_settings(folder, database=database, storage=storage)
    with show_share("recover") as bar:
        found = recover_backup(
            backup,
            settings,
            now=datetime.now(UTC),
            on_progress=lambda done, total: bar.move(done / max(total, 1), say_size(done)),
        )
    manifest, reset = found.manifest, found.reset
    click.echo(
        f"{folder}: {say_count(manifest.n_rows, 'row')}, {say_count(len(manifest.files), 'file')}, as of "
        f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
    )
    click.echo(
        f"{say_count(reset.n_uploads, 'upload')} abandoned, {say_count(reset.n_jobs, 'submission')} waiting again"
    )
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"start it: raim serve {folder}")
