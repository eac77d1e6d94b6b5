"""The table of pretrained weights, read from `table.toml`: where each set comes from, pinned by hash at every step."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from raim.errors import unknown_name
from raim.weights.artifact import Artifact, Member, WeightSet

SCORING = "scoring"
RESTORING = "restoring"

_ROWS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_ARTIFACTS = {name: Artifact(project=name, **row) for name, row in _ROWS["artifacts"].items()}


def _make_set(row: dict[str, Any]) -> WeightSet:
    members = tuple(Member(**each) for each in row["members"])
    return WeightSet(**{**row, "artifact": _ARTIFACTS[row["artifact"]], "members": members})


ARTIFACTS = tuple(_ARTIFACTS.values())
WEIGHTS: Mapping[str, WeightSet] = MappingProxyType({row["name"]: _make_set(row) for row in _ROWS["sets"]})


def weight_set(name: str) -> WeightSet:
    """Give a set's row of the table.

    Raises:
        UnknownNameError: There is no such set; the nearest name is in the message.

    Example:
        >>> weight_set("dists").artifact.file_name
        'DISTS_pytorch-0.1-py3-none-any.whl'
    """
    if name not in WEIGHTS:
        raise unknown_name("weights", name, WEIGHTS)
    return WEIGHTS[name]


def select_weights(names: Iterable[str]) -> tuple[str, ...]:
    """Give the names of sets, each group's name replaced by those of its sets, without repetition.

    Example:
        >>> select_weights(["restoring", "vgg16"])[:3]
        ('real-esrgan-x4plus', 'realsr-df2k-x4', 'ffdnet-color')
    """
    groups = {SCORING, RESTORING}
    selected: dict[str, None] = {}
    for name in names:
        if name not in groups | set(WEIGHTS):
            raise unknown_name("weights", name, [*WEIGHTS, *groups])
        selected.update({row.name: None for row in WEIGHTS.values() if name in (row.name, row.group)})
    return tuple(selected)
