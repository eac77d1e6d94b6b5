"""`raim check`: everything that is wrong with a submission, before it is uploaded."""

import json
import sys
from pathlib import Path

import click

from raim.cli.progress import show_progress
from raim.data import read_manifest
from raim.errors import InputError
from raim.scoring.submission import CheckReport, check_submission

WITH_PROBLEMS = 2
STANDARD_OUTPUT = "-"


@click.command(name="check")
@click.argument("submission", type=click.Path(path_type=Path))
@click.option(
    "--input",
    "inputs",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder (or zip) of the inputs that the submission restores.",
)
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="CSV that states the size of restored images."
)
@click.option("--json", "json_path", metavar="FILE", help="Write the report as JSON; - for standard output.")
def command(submission: Path, inputs: Path, manifest: Path | None, json_path: str | None) -> None:
    """List everything that is wrong with SUBMISSION, a zip or a folder.

    It must hold one PNG or JPEG per input, with the same name, and a readme.txt. Nothing is unpacked to disk.
    Exit code 0: fine. Exit code 2: problems, all of them listed.
    """
    rows = None if manifest is None else read_manifest(manifest)
    with show_progress("checking") as on_progress:
        report = check_submission(submission, inputs, manifest=rows, progress=on_progress)
    if json_path is not None:
        _write_json(report, json_path)
    click.echo(report.as_text(), err=json_path == STANDARD_OUTPUT)
    if not report.is_fine:
        sys.exit(WITH_PROBLEMS)


def _write_json(report: CheckReport, path: str) -> None:
    text = json.dumps(report.as_dict(), indent=2)
    if path == STANDARD_OUTPUT:
        click.echo(text)
        return
    try:
        Path(path).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the report to {path}: {error.strerror}") from error
