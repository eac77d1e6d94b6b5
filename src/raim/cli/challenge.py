"""`raim challenge`: make, validate, show and upload a challenge."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from raim.cli.submit import SERVER, TOKEN

WITH_PROBLEMS = 2
FOLDER = click.argument("challenge", type=click.Path(path_type=Path), default=".")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
HASHES = click.option(
    "--hashes/--no-hashes",
    default=True,
    help="Whether every image is read to compare its SHA-256; default: yes.",
)


@click.group(name="challenge")
def command() -> None:
    """Make, check, show, upload a challenge: a folder with a challenge.toml and its data (docs/challenge-file.md)."""


@command.command(short_help="Write a commented example that validates.")
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Write a commented example into FOLDER; it validates as it is. Nothing that is there is replaced.

    The folder's name becomes the challenge's id, if it can be one: small letters, digits, single hyphens.
    """
    import numpy as np

    from raim.challenge import write_example
    from raim.challenge.example import EXAMPLE_ID
    from raim.challenge.section import is_identifier

    name = folder.resolve().name
    files = write_example(
        folder,
        first_day=datetime.now(UTC).date(),
        rng=np.random.default_rng(2024),
        challenge_id=name if is_identifier(name) else EXAMPLE_ID,
    )
    click.echo(
        f"{len(files)} files in {folder}: edit challenge.toml and description.md, put your images into data/ in place "
        f"of the made-up ones, then run: raim challenge validate {folder}"
    )


@command.command("validate", short_help="List everything that is wrong, with file and line.")
@FOLDER
@AS_JSON
@HASHES
def validate_challenge(*, challenge: Path, as_json: bool, hashes: bool) -> None:
    """List everything that is wrong with CHALLENGE, a folder or its challenge.toml, with file and line.

    Exit code 0: fine, perhaps with notes. Exit code 2: problems.
    """
    from raim.challenge import examine_challenge
    from raim.cli.challenge_listing import describe_findings, findings_as_dict
    from raim.data import read_manifest
    from raim.scoring.profiles import PROFILES

    examined = examine_challenge(
        challenge, profiles=PROFILES, read_manifest=read_manifest, check_hashes=hashes
    )
    if as_json:
        click.echo(json.dumps(findings_as_dict(examined), indent=2))
    else:
        click.echo(describe_findings(challenge, examined))
    if examined.challenge is None:
        sys.exit(WITH_PROBLEMS)


@command.command(short_help="Show phases, data sets, rules and awards.")
@FOLDER
@AS_JSON
def show(*, challenge: Path, as_json: bool) -> None:
    """Show what raim understands of CHALLENGE: phases with their times, data sets, rules, awards."""
    from raim.challenge import as_plain, read_challenge
    from raim.cli.challenge_listing import describe_challenge
    from raim.data import read_manifest
    from raim.scoring.profiles import PROFILES

    read = read_challenge(challenge, profiles=PROFILES, read_manifest=read_manifest, check_hashes=False)
    if as_json:
        click.echo(json.dumps(as_plain(read), indent=2))
    else:
        click.echo(describe_challenge(read, datetime.now(UTC)))


@command.command(short_help="Bring it to a challenge server, as a draft.")
@FOLDER
@SERVER
@TOKEN
@AS_JSON
@click.option("--wait/--no-wait", default=True, help="Whether to wait until it is taken; default: yes.")
def upload(*, challenge: Path, url: str, token: str, as_json: bool, wait: bool) -> None:
    """Bring CHALLENGE, a folder or its challenge.toml, to a server: it becomes a draft there, and you its organiser.

    The token is an administrator's, or of somebody whom they let make challenges. It is validated here first, then
    sent and checked there once more. A draft with the same id is replaced; one that is open is not. Interrupted at any
    point, the same command goes on where it stopped.

    Exit code 0: it is there (with --no-wait: sent). Exit code 2: problems, all listed; nothing is changed then.
    """
    from raim.challenge import examine_challenge
    from raim.cli.challenge_listing import describe_findings
    from raim.cli.challenge_upload import follow_upload, print_upload, send_challenge
    from raim.cli.submit import name_server
    from raim.data import read_manifest
    from raim.scoring.profiles import PROFILES

    examined = examine_challenge(challenge, profiles=PROFILES, read_manifest=read_manifest, is_closed=True)
    if examined.challenge is None:
        click.echo(describe_findings(challenge, examined))
        sys.exit(WITH_PROBLEMS)
    server = name_server(url, token)
    found = send_challenge(server, examined.challenge)
    if wait:
        found = follow_upload(server, found)
    if as_json:
        click.echo(json.dumps(found.model_dump(mode="json"), indent=2))
    else:
        print_upload(server, found)
    if found.has_ended and found.state != "taken":
        sys.exit(WITH_PROBLEMS)
