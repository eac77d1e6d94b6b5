"""The bar that every command of more than two seconds shows, with the time left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SLOWEST_PARTS_S = 600.0


@contextmanager
def show_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on the terminal's error stream and give the function that moves it: (done, in all).

    It is gone when the work is done, and is not drawn where the stream is no terminal.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("time left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShareBar:
    """A bar in percent.

    Attributes:
        move: Moves it: the share from 0 to 1, and what is being done.
        say: Writes a line above it.
    """

    move: Callable[[float, str], None]
    say: Callable[[str], None]


@contextmanager
def show_share(what: str, *, is_quiet: bool = False) -> Iterator[ShareBar]:
    """Show a bar in percent with the time left on the terminal's error stream; lines for it go above.

    It is gone when the work is done, and is not drawn where the stream is no terminal; lines are written there too,
    unless it is to be quiet.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("time left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    console = Console(stderr=True, quiet=is_quiet)
    # Parts of a photograph may take longer than rich's 30 s, within which it would look for two of them.
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=is_quiet or not console.is_terminal,
        speed_estimate_period=SLOWEST_PARTS_S,
    ) as bar:
        task = bar.add_task("", total=1.0)
        yield ShareBar(
            move=lambda share, name: bar.update(task, completed=share, description=name),
            say=lambda text: console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True),
        )


@contextmanager
def show_downloads() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each file on the terminal's error stream and give the function that moves them.

    It is called with (file name, bytes done, bytes in all).
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        tasks = {}

        def show(file_name: str, done: int, total: int) -> None:
            if file_name not in tasks:
                tasks[file_name] = bar.add_task(file_name, total=total)
            bar.update(tasks[file_name], completed=done)

        yield show
