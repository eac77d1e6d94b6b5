"""One case, measured by raim and, in turn, by the peer: A B A B, each in a fresh process of its own."""

import contextlib
import json
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from material import Case
from processes import Process, ProcessFailedError, Turn

HERE = Path(__file__).parent
MEASURES = ("psnr", "ssim", "lpips", "dists", "niqe")
WEIGHTS = ("alexnet", "vgg16", "lpips-heads-alexnet", "dists", "niqe")


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """The other library: its interpreter, and the weights that it is given."""

    python: str
    weights: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What one kind of computation took on one case.

    Attributes:
        case: Name of the case.
        kind: A measure, "whole" or "co-scored".
        pairs: Pairs that one turn computes.
        raim: The fastest turn.
        peer: The peer's fastest turn; None where it did not run.
        peer_failure: Why, if it should have.
    """

    case: str
    kind: str
    pairs: int
    raim: Turn
    peer: Turn | None = None
    peer_failure: str | None = None

    @property
    def errors(self) -> dict[str, float]:
        """Absolute difference of each measure between the two."""
        if self.peer is None:
            return {}
        return {
            name: abs(self.raim.values[name] - value)
            for name, value in self.peer.values.items()
            if value is not None and self.raim.values.get(name) is not None
        }


def export_weights(path: Path) -> None:
    """Write the weights that the peer is to use, as "set/array" -> array."""
    import numpy as np

    from raim.weights import load_weights

    sets = {name: load_weights(name) for name in WEIGHTS}
    np.savez(
        path, **{f"{name}/{key}": array for name, arrays in sets.items() for key, array in arrays.items()}
    )


def measure_row(kind: str, case: Case, warm_up: Case, *, peer: Peer | None, runs: int, root: Path) -> Row:
    """Let raim and the peer compute the same files in turn; the fastest turn of each is kept.

    Args:
        kind: A measure, "whole", "co-scored" or "workers-N".
        case: What is computed.
        warm_up: What each computes first, untimed.
        peer: None to run raim alone.
        runs: Turns of each.
        root: Folder for the descriptions that the processes read.
    """
    paths = [_describe(each, root) for each in (case, warm_up)]
    commands = [(sys.executable, str(HERE / "subject.py"), kind, *paths)]
    if peer is not None:
        commands.append((peer.python, str(HERE / "peer.py"), kind, *paths, str(peer.weights)))
    with contextlib.ExitStack() as stack:
        sides = [_Side(process=stack.enter_context(Process(command))) for command in commands]
        for side in sides:
            side.attempt(Process.wait_until_ready)
        for _ in range(runs):
            for side in sides:
                side.attempt(Process.take_turn)
    if sides[0].failure is not None:
        raise ProcessFailedError(sides[0].failure)
    return Row(
        case=case.name,
        kind=kind,
        pairs=_count_pairs(kind, case),
        raim=sides[0].fastest(),
        peer=sides[1].fastest() if len(sides) > 1 else None,
        peer_failure=sides[1].failure if len(sides) > 1 else None,
    )


@dataclass(kw_only=True, slots=True)
class _Side:
    process: Process
    turns: list[Turn] = field(default_factory=list)
    failure: str | None = None

    def attempt(self, step: Callable[[Process], Turn | None]) -> None:
        """Take a step, unless an earlier one failed."""
        if self.failure is not None:
            return
        try:
            turn = step(self.process)
        except ProcessFailedError as error:
            self.failure = str(error)
            return
        if turn is not None:
            self.turns.append(turn)

    def fastest(self) -> Turn | None:
        return min(self.turns, key=lambda turn: turn.wall_s) if self.turns else None


def _describe(case: Case, root: Path) -> str:
    path = root / f"{uuid.uuid4().hex}.json"
    path.write_text(json.dumps(case.as_dict()), encoding="utf-8")
    return str(path)


def _count_pairs(kind: str, case: Case) -> int:
    if kind == "co-scored":
        return len(case.restored)
    return len(list(case.reference.iterdir())) if kind.startswith("workers-") else 1
