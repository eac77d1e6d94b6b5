"""The manifest of degraded pairs: a row for each file, with its scenario or issue, and the camera in columns.

Besides the columns of every manifest (`raim.data.manifest`) an input's row has

| column | meaning |
|---|---|
| `preset`, `variant`, `seed` | what the camera was drawn from, with the photograph's name |
| `source`, `source_sha256` | the clean photograph's file |
| `raim_version` | the version that made the pair |
| `camera.stage.parameter` | every parameter of the camera, exactly |

so a row alone is enough to make its pair again (`read_cameras`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raim import __version__
from raim.data.camera import Camera, build_camera, find_preset, flatten_camera
from raim.data.camera.parameters import TYPES, parse_value, write_value
from raim.data.degradation.making import MadeFiles
from raim.data.degradation.plan import PlannedPair
from raim.errors import InputError, ManifestError
from raim.tables import format_table as format_csv
from raim.tables import read_table

PREFIX = "camera."
OWN_COLUMN = "source_sha256"  # no other program's manifest has it
PROVENANCE = ("preset", "variant", "seed", "source", "source_sha256", "raim_version")
COLUMNS = (
    "name", "role", "scenario", "issue", "width", "height", "sha256", *PROVENANCE, *(PREFIX + name for name in TYPES),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class MadePair:
    """A pair: what was planned and what was made of it."""

    plan: PlannedPair
    files: MadeFiles


def format_table(pairs: Sequence[MadePair]) -> str:
    """Write the manifest of pairs as CSV, in their order."""
    rows = (row for pair in pairs for row in _rows_of(pair))
    return format_csv(COLUMNS, ([row.get(column) for column in COLUMNS] for row in rows))


def read_cameras(path: Path) -> dict[str, Camera]:
    """Read the camera of each pair from the manifest of a degraded folder, by the pair's name.

    Raises:
        ManifestError: The file cannot be read, has faults, or has no columns of cameras.
    """
    try:
        table = read_table(path, known=COLUMNS)
    except InputError as error:
        raise ManifestError(str(error)) from error
    rows = [row.cells for row in table.rows if row.cells.get("role") == "input"]
    if not rows or not any(column.startswith(PREFIX) for column in table.columns):
        raise ManifestError(f"{path} has no columns camera.*; only the manifest of raim degrade has")
    if table.faults:
        raise ManifestError("\n".join(table.say_faults()), problems=table.faults)
    return {row["name"]: _read_camera(row) for row in rows}


def _read_camera(row: Mapping[str, str]) -> Camera:
    values = {
        column.removeprefix(PREFIX): parse_value(column.removeprefix(PREFIX), text)
        for column, text in row.items()
        if column.startswith(PREFIX)
    }
    return build_camera(values)


def _write(value: float | str) -> object:
    """Give a number as it is, so that its sign is none of a formula; both are written with all digits."""
    return write_value(value) if isinstance(value, bool | str) else value


def _rows_of(pair: MadePair) -> Iterator[dict[str, object]]:
    plan, files = pair.plan, pair.files
    label = {"name": plan.name, find_preset(plan.preset).kind: plan.preset}
    yield {
        **label,
        "role": "input",
        "width": files.input_width,
        "height": files.input_height,
        "sha256": files.input_sha256,
        "preset": plan.preset,
        "variant": plan.variant,
        "seed": plan.seed,
        "source": plan.photograph.path.name,
        "source_sha256": files.source_sha256,
        "raim_version": __version__,
        **{PREFIX + name: _write(value) for name, value in flatten_camera(plan.camera).items()},
    }
    yield {
        **label,
        "role": "reference",
        "width": files.width,
        "height": files.height,
        "sha256": files.reference_sha256,
    }
