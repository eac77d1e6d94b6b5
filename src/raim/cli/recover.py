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
@click.option("--challenge", "challenge_id", default="", metavar="ID", help="Only this one, into a server.")
@click.option("--database", metavar="URL", help="In place of RAIM_DATABASE_URL; SQLite or PostgreSQL, empty.")
@click.option("--storage", metavar="URL", help="In place of RAIM_STORAGE_URL; empty.")
def command(
    *, backup: Path, folder: Path, challenge_id: str, database: str | None, storage: str | None
) -> None:
    """Make a server in the new or empty folder DIR from OUT, which `raim backup` has written.

    Every hash is compared. The database may be of another kind than the backup's. If anything fails, nothing is left.
    Uploads that were under way are abandoned and take no try; what was being scored waits again; people log in again,
    API tokens stay good.

    With --challenge, DIR is the folder of a server that is there, and may run: one challenge of OUT comes to it with
    its people. Who has an account there with the same verified e-mail address keeps that one; the others get one with
    their password, and with another login where somebody has theirs: all such are named.
    """
    need_extra("this command", "server", "sqlalchemy", "fastapi", "dbos")
    from raim.server.backup import recover_backup, recover_challenge

    settings = read_server_settings(folder, database=database, storage=storage)
    with show_share("recover") as bar:

        def show(done: int, total: int) -> None:
            bar.move(done / max(total, 1), say_size(done))

        now = datetime.now(UTC)
        found = (
            recover_challenge(backup, settings, challenge_id, now=now, on_progress=show)
            if challenge_id
            else recover_backup(backup, settings, now=now, on_progress=show)
        )
    click.echo(
        f"{folder / challenge_id}: {say_count(found.n_rows, 'row')}, {say_count(found.n_files, 'file')}, as of "
        f"{found.manifest.made_at:%Y-%m-%d %H:%M} UTC"
    )
    click.echo(
        f"{say_count(found.reset.n_uploads, 'upload')} abandoned, {say_count(found.reset.n_jobs, 'submission')} "
        "waiting again"
    )
    if challenge_id:
        click.echo(f"{say_count(found.n_joined, 'account')} joined, {found.n_new} new")
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    running = "; one that runs takes it up by “Look at the folder again” at /admin"
    click.echo(f"start it: raim serve {folder}{running if challenge_id else ''}")
