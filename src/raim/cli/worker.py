"""`raim worker`: one more process that checks and scores for a server."""

import signal
import socket
import sys
import threading
from pathlib import Path

import click

from raim.cli.server_settings import read_server_settings
from raim.errors import need_extra

EXPECTED_ERROR = 2


@click.command(name="worker")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option(
    "--database",
    help="The server's: postgresql://USER:PASSWORD@HOST/NAME, or sqlite:///FILE on the same machine; "
    "default: FOLDER/raim.db.",
)
@click.option("--storage", help="The server's, as this machine reaches it; default: FOLDER/files.")
@click.option(
    "--name", default=None, help="Shown to organisers; a worker goes on where it was under the same name."
)
@click.option(
    "--challenge",
    "challenges",
    multiple=True,
    metavar="ID",
    help="Serve this challenge only; may be given several times. Default: all.",
)
@click.option(
    "--processes", type=click.IntRange(min=1), help="Processes that score; default: one for each core."
)
def command(
    *,
    folder: Path,
    database: str | None,
    storage: str | None,
    name: str | None,
    challenges: tuple[str, ...],
    processes: int | None,
) -> None:
    """Check and score submissions for a server, on this machine or another one.

    FOLDER is the server's on its own machine, elsewhere any folder for files of work. Any number of workers share the
    queue; one that ends or is killed is replaced by the others within a minute. With --challenge it leaves all other
    challenges alone, such as on a machine that is only for one. Ctrl-C or SIGTERM ends it.
    """
    need_extra("this command", "server", "sqlalchemy", "dbos")
    from raim.cli.scoring_weights import fetch_missing_weights
    from raim.server.jobs.worker import run_worker
    from raim.server.logs import set_up_logs
    from raim.weights import SCORING, select_weights

    settings = read_server_settings(folder, database=database, storage=storage)
    set_up_logs(settings.log_format)
    if not fetch_missing_weights(select_weights([SCORING])):
        sys.exit(EXPECTED_ERROR)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    own = name or socket.gethostname()
    scope = f" for {', '.join(challenges)}" if challenges else ""
    click.echo(f"worker {own}: checks and scores{scope} until Ctrl-C; what it leaves unfinished is resumed")
    run_worker(settings, name=own, challenges=challenges, processes=processes, stop=stop)
