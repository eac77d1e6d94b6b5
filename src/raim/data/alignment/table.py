"""The manifest of aligned pairs: a row for each file; the input's row says how the pair was found and what is left.

Besides the columns of every manifest (`raim.data.manifest`) an input's row has a column for each field of
`MadePair` and `raim_version`; numbers that could not be measured are empty.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence

from raim import __version__
from raim.data.alignment.pairs import MadePair
from raim.tables import format_table as format_csv

ORDINARY = ("name", "role", "scenario", "width", "height", "sha256")
WRITTEN_ELSEWHERE = frozenset({*ORDINARY, "input_width", "input_height", "input_sha256", "reference_sha256"})
OWN = tuple(field.name for field in dataclasses.fields(MadePair) if field.name not in WRITTEN_ELSEWHERE)
OWN_COLUMN = "mask_sha256"  # no other program's manifest has it
COLUMNS = (*ORDINARY, *OWN, "raim_version")


def format_table(pairs: Sequence[MadePair]) -> str:
    """Write the manifest of pairs as CSV, in their order."""
    rows = (row for pair in pairs for row in _rows_of(pair))
    return format_csv(COLUMNS, ([row.get(column) for column in COLUMNS] for row in rows))


def _rows_of(pair: MadePair) -> Iterator[dict[str, object]]:
    label = {"name": pair.name, "scenario": pair.scenario}
    yield {
        **label,
        "role": "input",
        "width": pair.input_width,
        "height": pair.input_height,
        "sha256": pair.input_sha256,
        **{name: _write(getattr(pair, name)) for name in OWN},
        "raim_version": __version__,
    }
    yield {
        **label,
        "role": "reference",
        "width": pair.width,
        "height": pair.height,
        "sha256": pair.reference_sha256,
    }


def _write(value: object) -> object:
    is_unknown = value is None or (isinstance(value, float) and math.isnan(value))
    return None if is_unknown else value
