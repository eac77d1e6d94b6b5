"""`raim submit`: hand a zip in to a challenge server, wait for its score, or see all reasons why it was refused."""

import json
import sys
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raim.cli.progress import show_share
from raim.errors import InputError, TooLargeError

if TYPE_CHECKING:
    from raim.client import Challenge, Server, Submission

ENDED_BADLY = 2
KINDS = ("scored", "feedback", "final")
SERVER = click.option(
    "--server",
    "url",
    envvar="RAIM_SERVER",
    show_envvar=True,
    required=True,
    help="Its address; where it has several challenges, that of one, which ends in /c/ID.",
)
TOKEN = click.option(
    "--token",
    envvar="RAIM_TOKEN",
    show_envvar=True,
    required=True,
    help="Your token, from your account's page there. Other users of this machine can see it on the command line: "
    "better put it into the variable.",
)


@click.command(name="submit")
@click.argument("file", type=click.Path(path_type=Path))
@SERVER
@TOKEN
@click.option("--phase", help="Id of the phase; the open one without.")
@click.option("--kind", type=click.Choice(KINDS), default="scored", show_default=True)
@click.option("--note", default="", help="Your own words about it, which your team and the organisers see.")
@click.option("--wait/--no-wait", default=True, help="Whether to wait for the result; default: yes.")
@click.option("--again", is_flag=True, help="Send a file again that is there already; takes another try.")
@click.option("--json", "as_json", is_flag=True, help="Print the submission as JSON.")
def command(
    *,
    file: Path,
    url: str,
    token: str,
    phase: str | None,
    kind: str,
    note: str,
    wait: bool,
    again: bool,
    as_json: bool,
) -> None:
    """Hand FILE, a zip, in to a challenge server and wait for its score.

    Interrupted at any point, the same command goes on where it stopped: nothing is sent twice, and no second try is
    taken. Run `raim check` before: it finds what the server would refuse.

    Exit code 0: scored or accepted (with --no-wait: arrived). Exit code 2: refused, with all reasons.
    """
    from raim.client import read_challenge

    _check_zip(file)
    server = name_server(url, token)
    challenge = read_challenge(server)
    _check_size(file, challenge)
    submission = _send(server, file, phase=phase, kind=kind, note=note, again=again)
    if wait:
        submission = _follow(server, submission)
    _tell(server, challenge, submission, as_json=as_json)
    if submission.has_ended and not submission.is_good:
        sys.exit(ENDED_BADLY)


def _check_zip(file: Path) -> None:
    if not file.is_file():
        raise InputError(f"there is no file {file}")
    if not zipfile.is_zipfile(file):
        raise InputError(
            f"{file} is no zip, or not a whole one; docs/submissions.md says what a submission holds, and `raim check` "
            "what is wrong with one"
        )


def name_server(url: str, token: str) -> "Server":
    """Name the server; what it warns of is said in a line."""
    from raim.client import Server

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        server = Server(url=url, token=token)
    for each in caught:
        click.echo(f"warning: {each.message}", err=True)
    return server


def _check_size(file: Path, challenge: "Challenge") -> None:
    n_bytes = file.stat().st_size
    if n_bytes > challenge.max_bytes:
        raise TooLargeError(
            f"{file} has {n_bytes} bytes, {challenge.name} takes {challenge.max_bytes}; save the images as PNG or as "
            "JPEG of high quality, and put nothing else into the zip"
        )


def _send(
    server: "Server", file: Path, *, phase: str | None, kind: str, note: str, again: bool
) -> "Submission":
    from raim.client import submit

    stages = set()
    with show_share(file.name) as bar:

        def show(stage: str, done: int, total: int) -> None:
            stages.add(stage)
            bar.move(done / total, f"{stage}, {done / 1e6:.1f} of {total / 1e6:.1f} MB")

        submission = submit(server, file, phase=phase, kind=kind, note=note, again=again, on_progress=show)
    if "sending" in stages:
        click.echo(f"submission {submission.id} has arrived", err=True)
    else:
        click.echo(
            f"this file is there already as submission {submission.id} of {submission.received_at:%Y-%m-%d %H:%M} UTC; "
            "nothing was sent (--again sends it once more, which takes another try)",
            err=True,
        )
    return submission


def _follow(server: "Server", submission: "Submission") -> "Submission":
    from raim.cli.submit_words import describe_submission
    from raim.client import wait_for_result

    reported = ""
    with show_share(f"submission {submission.id}") as bar:

        def show(now: "Submission") -> None:
            nonlocal reported
            share = now.images_done / now.images_total if now.images_total else 0.0
            bar.move(share, describe_submission(now))
            if not sys.stderr.isatty() and now.state != reported and not now.has_ended:
                bar.say(describe_submission(now))
            reported = now.state

        return wait_for_result(server, submission.id, on_change=show)


def _tell(server: "Server", challenge: "Challenge", submission: "Submission", *, as_json: bool) -> None:
    from raim.cli.submit_words import print_submission

    if as_json:
        click.echo(json.dumps(submission.model_dump(mode="json"), indent=2))
    else:
        print_submission(submission, challenge.measures, server.url + submission.page)
