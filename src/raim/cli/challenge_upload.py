"""What `raim challenge upload` shows while a challenge is sent and checked, and at the end."""

import sys
from typing import TYPE_CHECKING

import click

from raim.cli.progress import show_share
from raim.cli.wording import say_count
from raim.files import say_size

if TYPE_CHECKING:
    from raim.challenge import Challenge
    from raim.client import Server
    from raim.records.administration import ChallengeUpload


def send_challenge(server: "Server", challenge: "Challenge") -> "ChallengeUpload":
    """Send a challenge with a bar."""
    from raim.client import upload_challenge

    with show_share(challenge.id) as bar:

        def show(stage: str, done: int, total: int) -> None:
            how_much = f"{done}/{total}" if stage == "packing" else f"{say_size(done)} of {say_size(total)}"
            bar.move(done / total, f"{stage}, {how_much}")

        return upload_challenge(server, challenge, on_progress=show)


def follow_upload(server: "Server", upload: "ChallengeUpload") -> "ChallengeUpload":
    """Show with a bar how the check goes, until it has ended."""
    from raim.client import wait_for_challenge

    reported = ""
    with show_share(upload.file_name) as bar:

        def show(now: "ChallengeUpload") -> None:
            nonlocal reported
            bar.move(now.n_done / now.n_files if now.n_files else 0.0, now.state)
            if not sys.stderr.isatty() and now.state != reported and not now.has_ended:
                bar.say(now.state)
            reported = now.state

        return wait_for_challenge(server, upload.id, on_change=show)


def print_upload(server: "Server", upload: "ChallengeUpload") -> None:
    """Print the outcome of an upload, as `raim challenge validate` prints what it found."""
    for each in (*upload.problems, *(f"note: {each}" for each in upload.notes)):
        click.echo(each)
    page = f"{server.url}{upload.page}"
    if upload.state == "taken":
        place = f"{server.url}/c/{upload.challenge_id}/"
        click.echo(
            f"{upload.challenge_id} is a draft: {place}; an administrator opens it at {server.url}/admin"
        )
    elif upload.has_ended:
        click.echo(
            f"{upload.state}, {say_count(len(upload.problems), 'problem')}, nothing is changed: {page}"
        )
    else:
        click.echo(f"sent; it is {upload.state}: {page}")
