"""`raim train`: train a restorer by a recipe."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from raim.errors import InputError, RaimError, need_extra

PATH = click.Path(path_type=Path)
RUNS = Path("runs")


def _print_shipped(context: click.Context, _option: click.Parameter, *, is_asked: bool) -> None:
    """Print the recipes that come with raim, and leave."""
    if is_asked and not context.resilient_parsing:
        click.echo("\n".join(_describe_shipped()))
        context.exit()


def _print_facts(context: click.Context, _option: click.Parameter, path: Path | None) -> None:
    """Print what a trained model says of itself, and leave."""
    if path is not None and not context.resilient_parsing:
        click.echo("\n".join(map(_printable, _describe_model(path))))
        context.exit()


@click.command()
@click.argument("recipe")
@click.argument("out", type=PATH, required=False)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="TABLE.KEY=VALUE",
    help="Set a key of the recipe otherwise, such as seed=1 or schedule.steps=500. May be given several times.",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, or a device of torch such as cuda.")
@click.option("--devices", type=click.IntRange(min=1), default=1, show_default=True, help="How many of them.")
@click.option(
    "--overwrite", is_flag=True, help="Start from the beginning, whatever OUT holds of an earlier run."
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, option, value: _print_shipped(context, option, is_asked=value),
    help="Show the recipes that come with raim, and exit.",
)
@click.option(
    "--show",
    type=PATH,
    is_eager=True,
    expose_value=False,
    callback=_print_facts,
    help="Show recipe and figures of a trained model file, and exit.",
)
def command(  # noqa: PLR0917 - click passes options by name
    recipe: str,
    out: Path | None,
    changes: tuple[str, ...],
    device: str,
    devices: int,
    overwrite: bool,  # noqa: FBT001 - a flag of the command line
) -> None:
    """Train a restorer by a recipe.

    RECIPE is a TOML file, or the name of one that comes with raim (--list). OUT, by default runs/NAME, gets the model
    that `raim restore --model` takes, logs, sample sheets, and index.html to look at while it goes. A run that was
    stopped goes on from its last checkpoint, to the same weights.
    """
    need_extra("raim train", "train", "torch", "lightning_fabric", "tensorboardX", "scipy", "jinja2")
    from raim.cli.progress import show_share
    from raim.report.training_page import PAGE, write_training_page
    from raim.restore.training import Listener, read_recipe, train

    read = read_recipe(recipe, changes=changes)
    run = out or RUNS / read.name
    # Lightning Fabric starts a process for each further device, which runs this command too.
    is_first = os.environ.get("LOCAL_RANK", "0") == "0"
    faults: list[RaimError] = []  # of the page
    with show_share("training", is_quiet=not is_first) as bar:

        def show_validation(step: int, means: Mapping[str, float | None]) -> None:
            bar.say(_say_validation(step, means))
            try:
                write_training_page(run)
            except RaimError as error:  # a page is no reason to stop
                if not faults:
                    bar.say(f"training goes on without its page: {error}")
                faults.append(error)
            else:
                faults.clear()

        listener = Listener(
            on_step=lambda done, total: bar.move(done / total, f"step {done} of {total}"),
            on_note=bar.say,
            on_validated=show_validation,
        )
        trained = train(
            read,
            run,
            device=device,
            devices=devices,
            strategy="auto" if devices == 1 else "ddp",
            overwrite=overwrite,
            listener=listener,
        )
    if not is_first:
        return
    gain = _say_gain(trained.means.get("score"), trained.identity.get("score"))
    click.echo(f"{trained.model} {gain}" + ("" if faults else f"; look at {run / PAGE}"))
    click.echo(f"restore with it: raim restore PHOTOGRAPHS OUT --model {trained.model}")


def _say_validation(step: int, means: Mapping[str, float | None]) -> str:
    named = (f"{name} {'none' if value is None else f'{value:.7g}'}" for name, value in means.items())
    return ", ".join([f"validation: step {step}", *named])


def _say_gain(score: float | None, before: float | None) -> str:
    if score is None:
        return "has no SCORE in its validation"
    gain = "" if before is None else f" ({score - before:+.2f} over the inputs as they are)"
    return f"has SCORE {score:.2f} in its validation{gain}"


def _describe_shipped() -> Iterator[str]:
    from raim.restore.training.recipe import list_shipped, read_recipe

    for name in list_shipped():
        recipe = read_recipe(name)
        yield f"{name}: {recipe.note}"
        yield from (f"  {line}" for line in recipe.expect.splitlines())


def _describe_model(path: Path) -> Iterator[str]:
    from raim.restore.trained_file import read_facts

    if not path.is_file():
        raise InputError(f"there is no model file {path}")
    facts = read_facts(path)
    if facts is None:
        raise InputError(f"{path.name} was not made by raim train; it says nothing of its training")
    yield f"{facts.name}: {', '.join(f'{key} {value}' for key, value in facts.architecture.items())}"
    yield "made: " + ", ".join(f"{key} {value}" for key, value in facts.made.items())
    before = facts.figures.get("identity")
    for key, value in facts.figures.items():
        if key != "identity":
            was = before.get(key) if isinstance(before, dict) else None
            yield f"{key}: {_say(value)}" + ("" if was is None else f" (the inputs as they are: {_say(was)})")
    yield ""
    yield from facts.recipe.rstrip().splitlines()


def _say(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _printable(line: str) -> str:
    """Keep what a file of others says from steering the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\t" else "?" for sign in line)
