"""`raim demo`: a small whole challenge on real photographs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raim.errors import need_extra
from raim.processes import count_cores

if TYPE_CHECKING:
    from raim.demo import Played

PATH = click.Path(path_type=Path)


@click.command()
@click.option(
    "--data",
    type=PATH,
    metavar="DIR",
    help="Your own pairs: DIR holds input/ and reference/, or one folder for each scenario that does.",
)
@click.option("--out", type=PATH, default=Path("demo"), show_default=True, help="The folder to fill.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier demo in that folder.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Processes that score; default: one for each core."
)
@click.option("--no-serve", is_flag=True, help="Write the files without serving the challenge.")
@click.option("--port", type=click.IntRange(min=0, max=65535), help="Port of 127.0.0.1; 0 for any free one.")
def command(  # noqa: PLR0917 - click passes options by name
    data: Path | None,
    out: Path,
    overwrite: bool,  # noqa: FBT001 - a flag of the command line
    workers: int | None,
    no_serve: bool,  # noqa: FBT001 - as above
    port: int | None,
) -> None:
    """Play a small whole challenge on real photographs.

    Photographs are degraded in three stated ways, restored in three simple ones, entered as submissions, checked,
    scored and written as a page; then the challenge is served on this machine, with those entries on its leaderboard, a
    finished study of the final (its votes are simulated) and one that you can judge in.
    With --data the pairs are your own.
    """
    need_extra("this command", "demo", "cv2", "scipy", "choix", "sqlalchemy", "fastapi", "uvicorn", "dbos")
    from raim.cli.progress import show_progress
    from raim.demo import play_demo
    from raim.scoring import default_cache

    played = play_demo(
        out,
        data=data,
        overwrite=overwrite,
        workers=workers or count_cores(),
        cache=default_cache(),
        show_progress=show_progress,
        created=datetime.now(UTC),
    )
    _tell(played)
    if not no_serve:
        _serve(played, port, default_cache())


def _tell(played: "Played") -> None:
    from raim.cli.score_table import print_scores

    for line in played.challenge.left_out:
        click.echo(f"left out: {line}", err=True)
    click.echo(played.challenge.note)
    for check in played.checks:
        click.echo(
            f"{Path(check.submission).name}: checked, {check.n_images} images and readme.txt are as expected"
        )
    print_scores(played.table)
    place = played.workplace
    written = (place.manifest, place.scores_json, place.scores_csv, place.page)
    click.echo("written: " + ", ".join(str(path) for path in written))


def _serve(played: "Played", port: int | None, cache: Path) -> None:
    import threading
    from contextlib import suppress

    from raim.demo import host_demo, report_when_scored
    from raim.demo.hosting import DEFAULT_PORT
    from raim.server.jobs import WorkerChild
    from raim.server.serving import run_server, take_port
    from raim.server.settings import read_settings

    listener = take_port("127.0.0.1", port, default=DEFAULT_PORT)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = read_settings(
        {"RAIM_PUBLIC_URL": address, "RAIM_KEEP_FREE_BYTES": "0"}, folder=played.workplace.folder
    )
    hosted = host_demo(
        played.workplace,
        settings,
        profile=played.table.profile.name,
        note=played.challenge.note,
        now=datetime.now(UTC),
        known_values=cache,
    )
    with listener, suppress(KeyboardInterrupt), WorkerChild(settings):
        click.echo(f"serving {address}/ (Ctrl-C ends it)")
        click.echo(f"  a team's view: log in as {hosted.login} with the password {hosted.password}")
        click.echo(f"  the organiser's desk: {hosted.opened.first_link}")
        click.echo(f"  a judge's view of the open study: {hosted.judge_link}")
        click.echo(f"  the finished study (simulated votes), as organiser: {address}{hosted.study_path}")
        stop = threading.Event()
        reporting = report_when_scored(
            hosted.opened.server, settings, lambda words: click.echo(f"  {words}"), stop
        )
        try:
            run_server(hosted.opened, listener)
        finally:
            stop.set()
            reporting.join()
    click.echo("stopped")
