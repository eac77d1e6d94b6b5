"""`raim restore`: restore a photograph, a folder or a zip."""

from collections.abc import Mapping
from pathlib import Path

import click

from raim.errors import InputError, need_extra
from raim.files import check_writable

PATH = click.Path(path_type=Path)
FACTORS = ("1", "2", "3", "4", "measure")
FORMATS = ("png", "jpg", "jpeg", "tif", "tiff", "webp")
PAGE_SUFFIXES = (".html", ".htm")


@click.command()
@click.argument("source", type=PATH, required=False, metavar="INPUT")
@click.argument("target", type=PATH, required=False, metavar="OUTPUT")
@click.option(
    "--restorer", metavar="NAME[,NAME...]", help="Names of --list, one after another. [default: auto]"
)
@click.option("--model", type=PATH, help="Instead: a model file that raim train made or spandrel reads.")
@click.option("--python", "function", metavar="MODULE:FUNCTION", help="Instead: a Python function.")
@click.option("--command", "program", metavar='"PROG {input} {output}"', help="Instead: any program.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    help="Seconds after which the program of --command is ended, with its process group.",
)
@click.option(
    "--reduction",
    type=click.Choice(FACTORS),
    help="Keep the size with a restorer that enlarges: reduce by this factor, restore, bring back.",
)
@click.option(
    "--sigma",
    type=click.FloatRange(0, 255),
    help="Noise level for ffdnet and nlm, of 255. [default: measured]",
)
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="Share of the result, for every restorer; the rest is the input.",
)
@click.option(
    "--colour-fix",
    type=click.Choice(("adain", "wavelet")),
    help="Give the result the input's colours: mean and contrast of each channel, or all low frequencies.",
)
@click.option(
    "--format", "suffix", type=click.Choice(FORMATS), help="Of the results. [default: as each input]"
)
@click.option("--device", default="cpu", show_default=True, help="cpu, or a device of torch such as cuda.")
@click.option("--threads", type=click.IntRange(min=1), help="[default: all processors]")
@click.option(
    "--tile",
    type=click.IntRange(min=8),
    help="Side of the tiles in pixels; bounds the memory. [default: the restorer's]",
)
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@click.option(
    "--resume",
    is_flag=True,
    help="Keep what an earlier run of this very --command or --python has made. [default: make it again, since "
    "the program may have changed; results of other restorers are kept in any case]",
)
@click.option("--submission", is_flag=True, help="Write OUTPUT as the zip of a submission, checked.")
@click.option("--description", metavar="TEXT", help="For its readme.txt. [default: the restorer's name]")
@click.option(
    "--extra-data/--no-extra-data",
    default=None,
    help="For its readme.txt. [default: whether the restorer has pretrained weights]",
)
@click.option("--manifest", type=PATH, help="CSV that states the size of a submission's images.")
@click.option(
    "--compare", type=PATH, metavar="F.html", help="Write a page with before and after under a slider."
)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@click.option(
    "--list", "is_list", is_flag=True, help="Show all restorers, and whether their weights are here."
)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def command(  # noqa: PLR0917 - click passes options by name
    source: Path | None,
    target: Path | None,
    restorer: str | None,
    model: Path | None,
    function: str | None,
    program: str | None,
    timeout: float,
    reduction: str | None,
    sigma: float | None,
    strength: float,
    colour_fix: str | None,
    suffix: str | None,
    device: str,
    threads: int | None,
    tile: int | None,
    overwrite: bool,  # noqa: FBT001 - a flag of the command line
    resume: bool,  # noqa: FBT001
    submission: bool,  # noqa: FBT001
    description: str | None,
    extra_data: bool | None,  # noqa: FBT001
    manifest: Path | None,
    compare: Path | None,
    quiet: bool,  # noqa: FBT001
    is_list: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Restore a photograph, a folder or a zip of photographs.

    OUTPUT is a file for a photograph, else a folder. Format, colour profile and EXIF are kept. No file is replaced
    without --overwrite but those that the same command has made, and a run that was stopped goes on where it was
    (with --command and --python, if --resume is added).
    """
    if is_list or as_json:
        from raim.cli.restorer_table import print_restorers

        print_restorers(as_json=as_json)
        return
    if source is None or target is None:
        raise click.UsageError("INPUT and OUTPUT are needed: what to restore, and where to")
    _check_page(compare)
    from raim.cli.restore_run import Run, Stated
    from raim.cli.restorer_choice import RestorerChoice, choose_restorer, describe_choice
    from raim.restore.batch import Options

    choice = RestorerChoice(
        restorer=restorer,
        model=model,
        function=function,
        program=program,
        timeout_s=timeout,
        reduction=reduction,
        sigma=sigma,
        strength=strength,
        colour_fix=colour_fix,
    )
    chosen = choose_restorer(choice)
    options = Options(
        device=device,
        tile=tile,
        threads=threads,
        overwrite=overwrite,
        resume=resume,
        is_submission=submission,
    )
    run = Run(
        restorer=chosen,
        options=options,
        work=describe_choice(choice, chosen, is_submission=submission),
        compare=compare,
        is_quiet=quiet,
    )
    if submission:
        _refuse({"--format": suffix}, "a submission holds PNG files")
        run.make_submission(
            source, target, Stated(description=description, has_extra_data=extra_data, manifest=manifest)
        )
    else:
        stated = {"--description": description, "--extra-data": extra_data, "--manifest": manifest}
        _refuse(stated, "it is for a submission; add --submission")
        run.make_files(source, target, suffix=None if suffix is None else f".{suffix}")


def _check_page(compare: Path | None) -> None:
    """Refuse before the work a page that could not be written after it."""
    if compare is None:
        return
    need_extra("--compare", "report", "jinja2")
    check_writable(compare)
    if compare.is_dir() or compare.suffix.lower() not in PAGE_SUFFIXES:
        raise InputError(f"{compare} is no name of a page; name a file that ends in .html")


def _refuse(options: Mapping[str, object], reason: str) -> None:
    named = [option for option, value in options.items() if value is not None]
    if named:
        raise InputError(f"{named[0]} cannot be used here: {reason}, or leave it out")
