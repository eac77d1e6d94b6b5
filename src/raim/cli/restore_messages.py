"""What `raim restore` says on the terminal: what will be done and how long it takes, the outcome."""

import math
from collections.abc import Sequence

import click

from raim.cli.wording import say_count
from raim.errors import RaimError, shown
from raim.processes import count_cores
from raim.restore import Restorer
from raim.restore.batch import Options, Outcome, Plan
from raim.restore.capacity import estimate_memory, find_whole, say_memory

MOST_LISTED = 20
MUCH_MEMORY = 1e9


def announce_plan(plan: Plan, restorer: Restorer, options: Options) -> None:
    """Say what will be done, and about how long it takes."""
    for note in plan.notes:
        click.echo(note, err=True)
    megapixels = sum(job.n_pixels for job in plan.jobs) / 1e6
    threads = options.threads or count_cores()
    count = say_count(len(plan.jobs), "photograph")
    size = f" to {restorer.scale} times the width and height" if restorer.scale > 1 else ", sizes kept"
    most = "at most " if restorer.seconds_by_choice else ""
    time = say_time(megapixels * restorer.seconds_per_megapixel / threads)
    click.echo(
        f"{restorer.name}: {count}, {megapixels:.1f} megapixels{size}; {most}about {time} on "
        f"{say_count(threads, 'thread')} of a CPU",
        err=True,
    )
    _announce_memory(plan, restorer, options.tile)
    for kind, each in (
        ("with a reduction of ", sorted(restorer.seconds_by_reduction.items())),
        ("where it chooses ", restorer.seconds_by_choice.items()),
    ):
        times = (f"{name}: {say_time(megapixels * seconds / threads)}" for name, seconds in each)
        if each:
            click.echo(f"about, {kind}{', '.join(times)}", err=True)


def _announce_memory(plan: Plan, restorer: Restorer, tile: int | None) -> None:
    """Say what is taken of memory where it is much, and what a net does with --tile that sees all at once."""
    side = math.ceil(math.sqrt(max((job.n_pixels for job in plan.jobs), default=0)))
    needed = estimate_memory(restorer, side, side, tile_px=tile)
    if needed >= MUCH_MEMORY:
        click.echo(f"at most about {say_memory(needed)} of memory, for the largest", err=True)
    for whole in find_whole(restorer):
        if not whole.can_tile:
            hint = ", and cannot be run in tiles: --tile is left out" if tile is not None else ""
            click.echo(f"{whole.name} looks at the whole photograph at once{hint}", err=True)
        elif tile is None:
            click.echo(
                f"{whole.name} looks at the whole photograph at once; --tile bounds its memory", err=True
            )


def say_time(seconds: float) -> str:
    """Return a time as people say it.

    Example:
        >>> say_time(0.2), say_time(75), say_time(600), say_time(9000)
        ('1 s', '75 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def describe_outcome(outcome: Outcome) -> str:
    """Return the outcome of one photograph, as a line."""
    name = shown(outcome.job.name)
    if outcome.made is None:
        return f"{name}: {outcome.error}"
    if outcome.is_kept:
        return f"{name}: kept from an earlier run"
    notes = "".join(f"; {note}" for note in outcome.made.notes)
    return f"{name}: {outcome.made.seconds:.1f} s{notes}"


def summarise(outcomes: Sequence[Outcome], place: str) -> str:
    """Return what was done in all.

    Example:
        >>> summarise([], "out")
        '0 photographs restored in out'
    """
    done = [outcome for outcome in outcomes if outcome.made is not None]
    kept = sum(outcome.is_kept for outcome in done)
    count = f"{say_count(len(done), 'photograph')} restored in {place}"
    return f"{count}, {kept} of them by an earlier run" if kept else count


def raise_errors(outcomes: Sequence[Outcome]) -> None:
    """Raise one error for all that failed, if some did.

    Raises:
        RaimError: Some photographs could not be restored; they are listed.
    """
    failed = [outcome for outcome in outcomes if outcome.made is None]
    lines = [f"{shown(outcome.job.name)}: {outcome.error}" for outcome in failed]
    if len(outcomes) == 1 and lines:
        raise RaimError(lines[0])
    if lines:
        listed = "".join(f"\n  {line}" for line in lines[:MOST_LISTED])
        more = f"\n  and {len(lines) - MOST_LISTED} more" if len(lines) > MOST_LISTED else ""
        raise RaimError(
            f"{len(lines)} of {len(outcomes)} photographs could not be restored, the others are done:{listed}{more}"
        )
