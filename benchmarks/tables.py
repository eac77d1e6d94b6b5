"""The figures as Markdown tables, a row at a time, so that a long run shows what it has."""

from collections.abc import Sequence

from duel import Row
from processes import Turn

MEASURE_HEAD = (
    "computation",
    "raim s",
    "CPU s",
    "peak MB",
    "pairs/min",
    "pyiqa s",
    "CPU s",
    "peak MB",
    "times as fast",
    "by CPU",
    "largest difference",
)


def print_head(title: str, head: Sequence[str]) -> None:
    """Start a table."""
    print(f"\n### {title}\n\n| " + " | ".join(head) + " |\n|---|" + "---:|" * (len(head) - 1), flush=True)


def print_cells(cells: Sequence[str]) -> None:
    """Print one row."""
    print("| " + " | ".join(cells) + " |", flush=True)


def print_row(row: Row, whole_peer: Turn | None = None) -> None:
    """Print one computation; a co-scored pair is compared with the peer's whole scoring of one."""
    peer = row.peer or whole_peer
    ours = [row.raim.wall_s / row.pairs, row.raim.cpu_s / row.pairs]
    name = row.kind if row.pairs == 1 else f"{row.kind}, {row.pairs} candidates, each"
    cells = [name, *map(seconds, ours), f"{row.raim.peak_mb:.0f}", f"{60 / ours[0]:.1f}"]
    if peer is None:
        cells += ["failed" if row.peer_failure else "-", *"-----"]
    else:
        cells += [seconds(peer.wall_s), seconds(peer.cpu_s), f"{peer.peak_mb:.0f}"]
        cells += [
            f"{peer.wall_s / ours[0]:.1f}",
            f"{peer.cpu_s / max(ours[1], 1e-9):.1f}",
            _describe_errors(row),
        ]
    print_cells(cells)
    if row.peer_failure:
        print(f"\npyiqa failed at {row.kind}: {row.peer_failure}\n", flush=True)


def _describe_errors(row: Row) -> str:
    if row.pairs > 1 or not row.errors:
        return "-"
    if len(row.errors) == 1:
        return f"{next(iter(row.errors.values())):.1e}"
    return ", ".join(f"{name} {error:.0e}" for name, error in row.errors.items())


def seconds(value: float) -> str:
    """Write seconds with three significant digits.

    Example:
        >>> seconds(0.012345), seconds(12.345), seconds(1234.5)
        ('0.0123', '12.3', '1234')
    """
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
