"""The pretrained weights that scoring needs, fetched before a server or worker begins: not in the middle of a job."""

from collections.abc import Iterable

import click

from raim.cli.progress import show_downloads
from raim.errors import WeightsError


def fetch_missing_weights(names: Iterable[str]) -> bool:
    """Fetch sets of weights that are not ready here; say what to do where that fails, and give whether all are ready.

    Args:
        names: Of sets.
    """
    from raim.weights import fetch_weights, weights_state

    missing = [name for name in names if weights_state(name) != "ready"]
    if not missing:
        return True
    try:
        with show_downloads() as progress:
            for name in missing:
                fetch_weights(name, progress=progress)
    except WeightsError as error:
        click.echo(
            f"the pretrained weights are not here, so nothing can be scored yet: {error}\n"
            "run `raim weights fetch` (docs/weights.md has the way without a network), then start this again",
            err=True,
        )
        return False
    return True
