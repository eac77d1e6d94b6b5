"""What `raim submit` says of a submission: a line while it is under way, the whole at its end."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from raim.cli.wording import say_count, say_number
from raim.records import STATES, named

if TYPE_CHECKING:
    from rich.table import Table

    from raim.client import Submission


def describe_submission(submission: "Submission") -> str:
    """Return the state of a submission, in a line.

    Example:
        >>> from types import SimpleNamespace
        >>> describe_submission(SimpleNamespace(state="scoring", images_done=37, images_total=100))
        'scoring 37/100'
    """
    if submission.state in named("is_in_scoring") and submission.images_total:
        return f"scoring {submission.images_done}/{submission.images_total}"
    if submission.state in named("is_queued"):
        place = "" if submission.position is None else f", place {submission.position}"
        when = submission.expected_at
        return f"queued{place}" + (
            "" if when is None else f", its score is expected at {when:%Y-%m-%d %H:%M} UTC"
        )
    return submission.state


def print_submission(submission: "Submission", measures: Sequence[str], page: str) -> None:
    """Print score and measures, or all reasons against it."""
    from rich.console import Console

    console = Console()

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    known = STATES.get(submission.state)
    ending = known.ending if known and known.ending else f"is there: {describe_submission(submission)}"
    say(f"submission {submission.id} {ending}: {page}")
    if submission.error and submission.error not in submission.problems:
        say(submission.error)
    elif submission.problems:
        say(f"{say_count(len(submission.problems), 'problem')}:")
    for problem in submission.problems:
        say(f"  - {problem}")
    for note in submission.notes:
        say(f"note: {note}")
    if submission.measures:
        console.print(_make_grid(submission, measures))


def _make_grid(submission: "Submission", measures: Sequence[str]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    columns = [*(each for each in measures if each in submission.measures), "score"]
    grid = Table(title="means over images", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    grid.add_column("")
    for column in columns:
        grid.add_column(column.upper(), justify="right", no_wrap=True)
    whole = {**submission.measures, "score": submission.score}
    grid.add_row("all images", *_cells(whole, columns), style="bold")
    for scenario, values in submission.scenarios.items():
        grid.add_row(Text(f"  {scenario}"), *_cells(values, columns), style="dim")
    return grid


def _cells(values: Mapping[str, float | None], columns: Sequence[str]) -> list[str]:
    from raim.scoring import DECIMALS

    return [say_number(values.get(column), DECIMALS.get(column, 4)) for column in columns]
