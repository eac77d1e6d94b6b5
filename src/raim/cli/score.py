"""`raim score`: measure restored images against their references."""

from datetime import UTC, datetime
from pathlib import Path

import click

from raim.devices import CPU
from raim.errors import InputError, RaimError, need_extra
from raim.processes import count_cores

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="RESTORED... REFERENCE")
@click.option("--input", "inputs", type=PATH, help="Folder or zip of the inputs, shown beside in the page.")
@click.option("--profile", default="raim-2024", show_default=True, help="Choices of measures and SCORE.")
@click.option("--manifest", type=PATH, help="CSV that gives each image its scenario.")
@click.option("--json", "json_path", type=PATH, help="Write all results as JSON.")
@click.option("--csv", "csv_path", type=PATH, help="Write all results as CSV.")
@click.option("--html", "html_path", type=PATH, help="Write a page with tables, distributions and pictures.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes of one thread; default: one for each core, and one where the device is not cpu.",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, or a device of torch such as cuda.")
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    help="Of LPIPS and DISTS: auto takes the faster of the exact ones, ncnn and winograd; torch; or fast, which "
    "differs by up to 5e-6 and is fast on processors with AMX.",
)
@click.option("--no-cache", is_flag=True, help="Neither use nor keep values of other runs.")
@click.option(
    "--allow-incomplete",
    is_flag=True,
    help="Rank entries with missing scores too, by the mean of the others.",
)
def command(  # noqa: PLR0917 - click passes options by name
    paths: tuple[Path, ...],
    inputs: Path | None,
    profile: str,
    manifest: Path | None,
    json_path: Path | None,
    csv_path: Path | None,
    html_path: Path | None,
    workers: int | None,
    device: str,
    engine: str,
    no_cache: bool,  # noqa: FBT001 - a flag of the command line
    allow_incomplete: bool,  # noqa: FBT001
) -> None:
    """Measure restored images against their references.

    RESTORED and REFERENCE are folders or zips; images are matched by name without suffix. Several RESTORED are
    scored in one pass. A run that was stopped goes on where it was.

    An image that is missing, too small for a measure or of another size has no score, and its entry no rank: that is a
    result. Exit code 2: an image failed (it could not be read, memory ran out); all others were scored and written.
    """
    from raim.cli.progress import show_progress
    from raim.cli.score_table import list_failures, print_scores
    from raim.files import check_writable
    from raim.scoring import default_cache, name_entries, score_folders, write_csv, write_json

    if html_path is not None:
        need_extra("--html", "report", "jinja2")
    if len(paths) < 2:
        raise InputError("one folder was named; raim score takes RESTORED... and, last, REFERENCE")
    for output in (json_path, csv_path, html_path):
        if output is not None:
            check_writable(output)
    names = name_entries(paths[:-1])
    with show_progress("scoring") as on_progress:
        table = score_folders(
            paths[:-1],
            paths[-1],
            names=names,
            profile=profile,
            manifest=manifest,
            workers=workers or (count_cores() if device == CPU else 1),
            device=device,
            engine=engine,
            cache=None if no_cache else default_cache(),
            allow_incomplete=allow_incomplete,
            on_progress=on_progress,
        )
    print_scores(table)
    if json_path is not None:
        write_json(table, json_path)
    if csv_path is not None:
        write_csv(table, csv_path)
    if html_path is not None:
        from raim.report import PictureFolders, write_score_page

        restored = dict(zip(names, paths[:-1], strict=True))
        pictures = PictureFolders(reference=paths[-1], restored=restored, inputs=inputs)
        write_score_page(table, html_path, pictures=pictures, created=datetime.now(UTC))
    failures = list_failures(table)
    if failures:
        raise RaimError("\n".join(failures))
