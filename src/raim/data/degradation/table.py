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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from raim.data.camera import Camera, build_camera, find_preset, flatten_camera
from raim.data.camera.parameters import TYPES, parse_value, write_value
from raim.data.degradation.plan import PlannedPair
from raim.data.pair_folder import WrittenPair, format_pairs
from raim.errors import InputError, ManifestError
from raim.tables import read_table

PREFIX = "camera."
SOURCE_COLUMN = "source_sha256"  # no other program's manifest has it
PROVENANCE = ("preset", "variant", "seed", "source", "source_sha256", "raim_version")
COLUMNS = (
    "name", "role", "scenario", "issue", "width", "height", "sha256", *PROVENANCE, *(PREFIX + name for name in TYPES),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeFiles(WrittenPair):
    """The two files of a pair.

    Attributes:
        fingerprint: Hash of all that they depend on: version, photograph, camera.
        source_sha256: Of the clean photograph's file.
    """

    fingerprint: str
    source_sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DegradedPair:
    """A pair: what was planned and what was made of it."""

    plan: PlannedPair
    files: MadeFiles


def format_degraded_pairs(pairs: Iterable[DegradedPair]) -> str:
    """Return the manifest of pairs as CSV, in their order."""
    return format_pairs(COLUMNS, ((pair.files, _label(pair), _describe(pair)) for pair in pairs))


def _label(pair: DegradedPair) -> dict[str, object]:
    return {find_preset(pair.plan.preset).kind: pair.plan.preset}


def _describe(pair: DegradedPair) -> dict[str, object]:
    plan = pair.plan
    camera = {
        # A number stays one, so that its sign is none of a formula; all digits are written.
        PREFIX + name: write_value(value) if isinstance(value, bool | str) else value
        for name, value in flatten_camera(plan.camera).items()
    }
    return {
        "preset": plan.preset,
        "variant": plan.variant,
        "seed": plan.seed,
        "source": plan.photograph.path.name,
        "source_sha256": pair.files.source_sha256,
        **camera,
    }


def read_cameras(path: Path) -> dict[str, Camera]:
    """Return the camera of each pair from the manifest of a degraded folder, by the pair's name.

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
    named = {column.removeprefix(PREFIX): text for column, text in row.items() if column.startswith(PREFIX)}
    return build_camera({name: parse_value(name, text) for name, text in named.items()})
