from pathlib import Path

import platformdirs
import pytest

from raim.errors import InputError
from raim.weights.folders import find_artifact, find_tensors, weights_folders


def test_the_cache_is_the_users_own():
    folders = weights_folders({})
    assert folders.cache == Path(platformdirs.user_cache_dir("raim")) / "weights"
    assert not folders.is_offline


@pytest.mark.parametrize(("value", "is_offline"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_offline_is_a_switch(value, is_offline):
    assert weights_folders({"RAIM_OFFLINE": value}).is_offline is is_offline


def test_the_users_folder_turns_the_network_off(tmp_path):
    folders = weights_folders({"RAIM_WEIGHTS_DIR": str(tmp_path), "RAIM_CACHE_DIR": "/cache"})
    assert folders.is_offline
    assert folders.all == (tmp_path, Path("/cache/weights"))


def test_a_users_folder_that_is_none_is_an_error(tmp_path):
    with pytest.raises(InputError, match="RAIM_WEIGHTS_DIR"):
        weights_folders({"RAIM_WEIGHTS_DIR": str(tmp_path / "none")})


def test_the_users_folder_comes_before_the_cache(tmp_path, tiny):
    user, cache = tmp_path / "user", tmp_path / "cache"
    (cache / "weights" / "artifacts").mkdir(parents=True)
    user.mkdir()
    folders = weights_folders({"RAIM_WEIGHTS_DIR": str(user), "RAIM_CACHE_DIR": str(cache)})
    (cache / "weights" / "artifacts" / tiny.artifact.file_name).touch()
    assert find_artifact(folders, tiny.artifact).parent.name == "artifacts"
    (user / tiny.artifact.file_name).touch()
    assert find_artifact(folders, tiny.artifact).parent == user


@pytest.mark.parametrize(
    "name", ["tiny.safetensors", "tiny-{hash}.safetensors", "tensors/tiny-{hash}.safetensors"]
)
def test_a_converted_set_is_found_by_its_plain_or_full_name(tmp_path, tiny, name):
    path = tmp_path / name.format(hash=tiny.weights.content_sha256[:12])
    path.parent.mkdir(exist_ok=True)
    path.touch()
    folders = weights_folders({"RAIM_WEIGHTS_DIR": str(tmp_path), "RAIM_CACHE_DIR": str(tmp_path / "cache")})
    assert find_tensors(folders, tiny.weights) == path
