"""`raim degrade`: make input and reference pairs from clean photographs."""

from collections.abc import Iterator
from pathlib import Path

import click

from raim.errors import InputError, need_extra
from raim.processes import count_cores

PATH = click.Path(path_type=Path)
ALL = "all"


def _print_presets(context: click.Context, _option: click.Parameter, *, is_asked: bool) -> None:
    """Print what each preset draws, and leave."""
    if is_asked and not context.resilient_parsing:
        click.echo("\n".join(_describe_presets()))
        context.exit()


@click.command()
@click.argument("clean", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--preset",
    "presets",
    multiple=True,
    required=True,
    help="A scenario or issue (--list shows them), or all. May be given several times.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of all that is drawn."
)
@click.option(
    "--variants",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Pairs of each photograph and preset.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="STAGE.PARAMETER=VALUE",
    help="Set a parameter of the camera instead of drawing it. May be given several times.",
)
@click.option(
    "--quality", type=click.IntRange(0, 100), help="Short for --set compression.quality=N; 0: no JPEG."
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes; default: one for each core.")
@click.option("--overwrite", is_flag=True, help="Replace the pairs of an earlier run in OUT.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, option, value: _print_presets(context, option, is_asked=value),
    help="Show the presets and what they draw, and exit.",
)
def command(  # noqa: PLR0917 - click passes options by name
    clean: Path,
    out: Path,
    presets: tuple[str, ...],
    seed: int,
    variants: int,
    settings: tuple[str, ...],
    quality: int | None,
    workers: int | None,
    overwrite: bool,  # noqa: FBT001 - a flag of the command line
) -> None:
    """Make input/reference pairs from clean photographs with a camera model.

    CLEAN is a folder of photographs or one file; OUT gets input/, reference/, manifest.csv with every parameter, and
    sheet.html to look at. The same seed gives the same bytes. A run that was stopped goes on where it was.
    """
    need_extra("raim degrade", "pairs", "scipy", "jinja2")
    from raim.cli.progress import show_progress
    from raim.cli.wording import say_count
    from raim.data.camera import PRESETS, parse_parameter
    from raim.data.degradation import degrade_folder
    from raim.report.degradation_sheet import write_degradation_sheet

    overrides = dict(parse_parameter(setting) for setting in settings)
    if quality is not None:
        overrides["compression.quality"] = quality
    with show_progress("degrading") as on_progress:
        degraded = degrade_folder(
            clean,
            out,
            presets=list(PRESETS) if ALL in presets else presets,
            seed=seed,
            variants=variants,
            overrides=overrides,
            workers=workers or count_cores(),
            overwrite=overwrite,
            on_progress=on_progress,
        )
    sheet = write_degradation_sheet(degraded)
    click.echo(f"{say_count(len(degraded.pairs), 'pair')} in {out}; look at {sheet}")
    if degraded.left_out:
        reasons = "\n".join(f"  {each.name}: {each.reason}" for each in degraded.left_out)
        count = say_count(len(degraded.left_out), "pair")
        raise InputError(f"{count} could not be made, the others are done:\n{reasons}")


def _describe_presets() -> Iterator[str]:
    from raim.data.camera import PRESETS
    from raim.data.camera.presets import ORDINARY

    for preset in PRESETS.values():
        yield f"{preset.name} ({preset.kind}): {preset.summary}"
        drawn = {name: each for name, each in preset.ranges().items() if each is not ORDINARY.get(name)}
        yield from (f"  {name:<30}{each.draw.words}" for name, each in drawn.items())
        yield ""
    yield "every preset, where it does not say otherwise:"
    yield from (f"  {name:<30}{each.draw.words}" for name, each in ORDINARY.items())
