"""`raim server`: look after a challenge server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from raim.cli.server_settings import read_server_settings
from raim.cli.wording import say_count
from raim.errors import need_extra
from raim.files import say_size


@click.group(name="server")
def command() -> None:
    """Look after a challenge server (docs/server.md); it may run meanwhile."""


@command.command(short_help="Delete the files of submissions that were refused long ago.")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--database", metavar="URL", help="In place of RAIM_DATABASE_URL.")
@click.option("--storage", metavar="URL", help="In place of RAIM_STORAGE_URL.")
@click.option("--dry-run", is_flag=True, help="Say what would be freed, and free nothing.")
def free(*, folder: Path, database: str | None, storage: str | None, dry_run: bool) -> None:
    """Delete the files of submissions that were refused RAIM_FREE_AFTER_DAYS days ago (14) or earlier.

    What counts, is chosen, in a study or published, waits, has failed or was withdrawn is kept, and so is a file that
    anything else needs. The submissions stay with their reports, and say when the file was freed; so does the log.
    """
    need_extra("this command", "server", "sqlalchemy", "alembic")
    from raim.server.database.migration import open_existing
    from raim.server.storage import open_storage
    from raim.server.submissions.freeing import find_freeable, free_refused

    settings = read_server_settings(folder, database=database, storage=storage)
    now = datetime.now(UTC)
    before = now - timedelta(days=settings.free_after_days)
    with open_existing(settings.database_url) as opened:
        if dry_run:
            with opened.reading() as session:
                files = find_freeable(session, before)
        else:
            files = free_refused(opened, open_storage(settings.storage_url), now, before=before)
    for each in files:
        numbers = ", ".join(map(str, each.submission_ids))
        click.echo(f"{each.sha256[:16]}: {say_size(each.n_bytes)}, of the refused submissions {numbers}")
    what = "would be freed" if dry_run else "freed"
    click.echo(f"{what}: {say_count(len(files), 'file')}, {say_size(sum(each.n_bytes for each in files))}")
