"""`raim serve`: the challenge server."""

import os
from dataclasses import replace
from pathlib import Path

import click

from raim.cli.server_settings import read_server_settings
from raim.errors import need_extra

DEFAULT_PORT = 8000


@click.command(name="serve")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option(
    "--database", help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; default: FOLDER/raim.db."
)
@click.option("--storage", help="file:///FOLDER, s3://BUCKET/PREFIX, ...; default: FOLDER/files.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 for all.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen at.",
)
@click.option("--worker/--no-worker", default=True, help="Whether a child process scores; default: yes.")
def command(
    *, folder: Path, database: str | None, storage: str | None, host: str, port: int, worker: bool
) -> None:
    """Serve the challenge in FOLDER, or those in its sub-folders: pages, uploads, scoring, leaderboard.

    Needs nothing but the folder: the database is a file in it, submissions lie beside it, and one child process of low
    priority scores. Settings are RAIM_ variables (docs/server.md); behind a TLS proxy set RAIM_PUBLIC_URL and
    RAIM_TRUSTED_PROXIES. The first start prints the link with which the first administrator makes their account.
    """
    need_extra("this command", "server", "sqlalchemy", "fastapi", "uvicorn", "dbos")
    import threading
    from contextlib import ExitStack

    from raim.cli.progress import show_progress
    from raim.cli.scoring_weights import fetch_missing_weights
    from raim.scoring.cache import profile_weights
    from raim.scoring.profiles import find_profile
    from raim.server.hosts import join_hosts
    from raim.server.jobs import WorkerChild
    from raim.server.jobs.bundles import keep_bundles
    from raim.server.jobs.worker import check_worker_folder
    from raim.server.serving import open_server, run_server, take_port

    settings = read_server_settings(folder, database=database, storage=storage)
    if "RAIM_PUBLIC_URL" not in os.environ:
        settings = replace(settings, public_url=f"http://127.0.0.1:{port}")
    if worker:
        check_worker_folder(settings.folder)
    with ExitStack() as stack:
        stack.enter_context(join_hosts(settings))
        with show_progress("storing the challenge's images") as on_progress:
            opened = open_server(settings, on_progress=on_progress)
        listener = stack.enter_context(take_port(host, port, default=port))
        challenges = opened.challenges
        needed = [
            each
            for name in {one.definition.profile for one in challenges}
            for each in profile_weights(find_profile(name))
        ]
        if worker and fetch_missing_weights(list(dict.fromkeys(needed))):
            stack.enter_context(WorkerChild(settings))
        else:
            keep_bundles(settings, threading.Event())
        for each in challenges:
            path = f"c/{each.definition.id}/" if challenges[1:] else ""
            click.echo(f"{each.definition.name}: {settings.public_url}/{path}")
        for place, said in opened.problems.items():
            click.echo(f"{place} cannot be taken: {'; '.join(said)}", err=True)
        if opened.first_link is not None:
            click.echo(f"make the first administrator's account within 24 hours: {opened.first_link}")
        click.echo("Ctrl-C stops it; everything is kept.")
        run_server(opened, listener)
