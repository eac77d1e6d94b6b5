"""`raim align`: make input and reference pairs from real captures of one scene."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from raim.errors import InputError, need_extra, shown
from raim.processes import count_cores

if TYPE_CHECKING:
    from raim.data.alignment import Aligned

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("captures", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--mode", help="burst, zoom, blur or moire; needed unless captures.csv states it for each scene."
)
@click.option(
    "--crop", "crop_px", type=int, help="Side of crops in px of the input; without it one pair a scene."
)
@click.option(
    "--scale",
    type=float,
    help="Mode zoom: reference px for each of the input; default: nearest whole number found.",
)
@click.option(
    "--max-residual",
    type=float,
    default=0.5,
    show_default=True,
    help="Mean residual in px that is refused above.",
)
@click.option(
    "--max-moved",
    type=float,
    default=0.25,
    show_default=True,
    help="Share of moved pixels that is refused above.",
)
@click.option(
    "--max-undetermined",
    type=float,
    default=0.4,
    show_default=True,
    help="Share of pixels too plain to say where they lie that is refused above.",
)
@click.option("--keep-tone", is_flag=True, help="Leave the reference's tone and colour as they are.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of MAGSAC's random samples."
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes; default: one for each core.")
@click.option("--overwrite", is_flag=True, help="Replace the pairs of an earlier run in OUT.")
def command(  # noqa: PLR0917 - click passes options by name
    captures: Path,
    out: Path,
    mode: str | None,
    crop_px: int | None,
    scale: float | None,
    max_residual: float,
    max_moved: float,
    max_undetermined: float,
    keep_tone: bool,  # noqa: FBT001 - a flag of the command line
    seed: int,
    workers: int | None,
    overwrite: bool,  # noqa: FBT001 - as above
) -> None:
    """Make input/reference pairs from real captures of one scene.

    CAPTURES has a sub-folder for each scene: input.* and reference.*, or several shots of a burst, or roles in
    captures.csv. The reference is warped onto the input's grid and gets its tone; the input's pixels stay as they
    are. OUT gets input/, reference/, mask/, manifest.csv with what misalignment is left, and sheet.html to look at.
    What cannot be aligned is refused, with the reason. A run that was stopped goes on where it was.
    """
    need_extra("raim align", "pairs", "cv2", "scipy", "jinja2")
    from raim.cli.progress import show_progress
    from raim.cli.wording import say_count
    from raim.data.alignment import AlignmentOptions, PairLimits, align_captures
    from raim.report.alignment_sheet import write_alignment_sheet

    options = AlignmentOptions(
        crop_px=crop_px,
        scale=scale,
        match_tone=not keep_tone,
        limits=PairLimits(
            residual_px=max_residual, moved_share=max_moved, undetermined_share=max_undetermined
        ),
        seed=seed,
    )
    with show_progress("aligning") as on_progress:
        aligned = align_captures(
            captures,
            out,
            mode=mode,
            options=options,
            workers=workers or count_cores(),
            overwrite=overwrite,
            on_progress=on_progress,
        )
    sheet = write_alignment_sheet(aligned)
    click.echo(f"{say_count(len(aligned.pairs), 'pair')} in {out}; look at {sheet}")
    _say_refused(aligned)


def _say_refused(aligned: "Aligned") -> None:
    """List what was refused; a scene without any pair is an error."""
    from raim.cli.wording import say_count

    whole = aligned.refused_scenes()
    for each in aligned.refused:
        if each not in whole:
            click.echo(f"left out {shown(each.name)}: {each.reason}")
    if whole:
        reasons = "\n".join(f"  {each.name}: {each.reason}" for each in whole)
        n_scenes = len({each.scene for each in whole})
        raise InputError(f"{say_count(n_scenes, 'scene')} could not be aligned:\n{reasons}")
