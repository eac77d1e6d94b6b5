"""The page of a training run: how far it is, its SCORE against the inputs as they are, curves, samples, the recipe.

It is in the run's folder, refers to the sample sheets beside it and runs no script, so it is written again after
each validation and can be looked at while training goes on.
"""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from raim import __version__
from raim.report.curves import Curve, draw_curve
from raim.report.pages import load_template, read_asset, write_page
from raim.report.policy import write_policy
from raim.report.training_run import TrainingRun, read_run
from raim.scoring import PROFILES

PAGE = "index.html"
SCORE = "score"
NOT_TERMS = ("step", "loss", "learning_rate", "gradient_norm", "seconds")
Identity = (
    Mapping[str, float | None] | None
)  # means of the inputs as they are; None for a model that enlarges
FACTS = {
    "raim_version": "raim",
    "torch_version": "torch",
    "device": "device",
    "threads": "threads",
    "precision": "precision",
    "parameters": "parameters",
    "seed": "seed",
    "profile": "profile",
}


def write_training_page(run: Path) -> Path:
    """Write the page into the folder of a run, as far as the run has come.

    Args:
        run: Folder that `raim train` writes to.

    Returns:
        The file.

    Raises:
        InputError: A file of the run is not in its form, or the page cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = write_training_page(Path(folder))
        ...     page.name, "nothing has been validated yet" in page.read_text()
        ('index.html', True)
    """
    path = run / PAGE
    write_page(path, render_training(read_run(run)))
    return path


def render_training(run: TrainingRun) -> str:
    """Return the text of the page."""
    style = read_asset("training_page.css")
    facts = run.facts
    identity = facts.get("identity")
    scores = run.validation.points(SCORE)
    return load_template(
        "training_page.html.jinja"
    ).render(
        policy=write_policy(style=style, script="", pictures="'self' file: data:"),
        style=Markup(style),  # noqa: S704 - our own file
        version=__version__,
        facts=facts,
        name=facts.get("name") or "training",
        state=describe_run(facts),
        scored=scores[-1] if scores else None,
        before=None if identity is None else identity.get(SCORE),
        curves=list(_draw_all(run, identity)),
        columns=run.validation.columns,
        identity=identity,
        rows=[[f"{row[0]:.0f}", *map(_cell, row[1:])] for row in reversed(run.validation.rows)],
        identity_cells=[_cell((identity or {}).get(column)) for column in run.validation.columns[1:]],
        samples=run.samples,
        labels=[(label, facts[key]) for key, label in FACTS.items() if key in facts],
        recipe=run.recipe,
    )


def describe_run(facts: Any) -> str:
    """Return how far a run is.

    Example:
        >>> describe_run({"step": 500, "steps": 1000, "seconds": 90.0, "is_finished": False})
        'step 500 of 1000 after 1 min 30 s, about 1 min 30 s to go'
    """
    if "step" not in facts or "steps" not in facts:
        return "just begun"
    step, steps, seconds = facts["step"], facts["steps"], facts.get("seconds", 0.0)
    if facts.get("is_finished"):
        return f"finished: {steps} steps in {_say_time(seconds)}"
    left = f", about {_say_time(seconds / step * (steps - step))} to go" if 1 <= step <= steps else ""
    return f"step {step} of {steps} after {_say_time(seconds)}{left}"


def _say_time(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(hours or minutes)
    return " ".join([*parts, f"{whole % 60} s"])


def _draw_all(run: TrainingRun, identity: Identity) -> Iterator[Curve]:
    draw = functools.partial(draw_curve, last_step=run.last_step)  # so that curves can be compared
    profile = PROFILES.get(str(run.facts.get("profile")))
    measures = [column for column in run.validation.columns[1:] if column != SCORE]
    terms = [column for column in run.log.columns if column not in NOT_TERMS]
    wanted = [
        draw(
            "SCORE",
            run.validation.points(SCORE),
            hint=_hint(True, identity, SCORE),
            level=_level(identity, SCORE),
        ),
        draw("loss", run.log.points("loss"), hint="lower is better; thick: its moving mean"),
        *(
            draw(
                name.upper(),
                run.validation.points(name),
                hint=_hint(profile.is_higher_better(name), identity, name) if profile else "",
                level=_level(identity, name),
            )
            for name in measures
        ),
        *(
            draw(f"term {name}", run.log.points(name), hint="of the loss, with its weight")
            for name in (terms if len(terms) > 1 else ())  # one alone is the loss
        ),
        draw("learning rate", run.log.points("learning_rate"), is_noisy=False),
        draw(
            "length of the gradient", run.log.points("gradient_norm"), hint="logarithmic", is_logarithmic=True
        ),
    ]
    yield from (curve for curve in wanted if curve is not None)


def _hint(higher_is_better: bool, identity: Identity, column: str) -> str:  # noqa: FBT001 - is put into words
    dashed = "" if _level(identity, column) is None else "; dashed: the inputs as they are"
    return f"{'higher' if higher_is_better else 'lower'} is better{dashed}"


def _level(identity: Identity, column: str) -> float | None:
    return (identity or {}).get(column)


def _cell(value: float | None) -> str:
    return "none" if value is None else f"{value:.5g}"
