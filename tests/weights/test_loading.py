import contextlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from patience import PATIENCE_S
from raim.errors import InputError, UnknownNameError, WeightsMissingError, WeightsTamperedError
from raim.weights import (
    fetch_files,
    fetch_weights,
    load_weights,
    table,
    verify_weights,
    weights_sha256,
    weights_state,
)
from raim.weights.content import content_sha256
from raim.weights.loading import find_artifact, find_tensors, weights_folders


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


def artifact(cache: Path) -> Path:
    (path,) = (cache / "artifacts").glob("*.whl")
    return path


def tensors(cache: Path) -> Path:
    (path,) = (cache / "tensors").glob("*.safetensors")
    return path


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)


def test_a_missing_set_is_fetched_converted_and_given(cache, online):
    assert weights_state("tiny") == "missing"
    found = load_weights("tiny")
    assert {name: array.shape for name, array in found.items()} == {"mean": (36,), "covariance": (36, 36)}
    assert weights_state("tiny") == "ready"
    assert content_sha256(found) == weights_sha256("tiny")


def test_a_set_that_is_here_needs_no_network(cache, online):
    fetch_weights("tiny")
    online.requests.clear()
    load_weights("tiny")
    fetch_weights("tiny")
    assert online.requests == []


def test_arrays_are_read_only_and_the_dictionary_is_the_callers_own(cache, online):
    first = load_weights("tiny")
    with pytest.raises(ValueError, match="read-only"):
        first["mean"][0] = 1
    first.clear()
    assert load_weights("tiny")


def test_progress_is_handed_on(cache, online, tiny):
    seen = []
    fetch_weights("tiny", progress=lambda *step: seen.append(step))
    assert seen[-1] == (tiny.artifact.file_name, len(tiny.wheel), len(tiny.wheel))


def test_an_unknown_set_is_an_error():
    with pytest.raises(UnknownNameError):
        load_weights("vgg19")


def test_offline_a_missing_set_is_answered_with_the_command(cache, online, monkeypatch):
    monkeypatch.setenv("RAIM_OFFLINE", "1")
    with pytest.raises(WeightsMissingError, match=r"run `raim weights fetch tiny`"):
        load_weights("tiny")
    assert online.requests == []


def test_offline_an_artifact_in_the_cache_is_enough(cache, online, monkeypatch):
    fetch_weights("tiny")
    tensors(cache).unlink()
    assert weights_state("tiny") == "fetched"
    monkeypatch.setenv("RAIM_OFFLINE", "1")
    assert load_weights("tiny")


@pytest.mark.parametrize("kind", ["artifact", "tensors"])
def test_the_users_folder_serves_a_machine_without_a_network(cache, online, tmp_path, monkeypatch, kind):
    fetch_weights("tiny")
    folder = tmp_path / "carried"
    folder.mkdir()
    source = artifact(cache) if kind == "artifact" else tensors(cache)
    shutil.copy(source, folder / ("tiny.safetensors" if kind == "tensors" else source.name))
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("RAIM_WEIGHTS_DIR", str(folder))
    online.requests.clear()
    assert load_weights("tiny")
    assert online.requests == []


def test_the_users_folder_without_the_file_says_which_one(cache, online, tmp_path, monkeypatch, tiny):
    monkeypatch.setenv("RAIM_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsMissingError, match=f"put {tiny.artifact.file_name} into {tmp_path}"):
        load_weights("tiny")
    assert online.requests == []


def test_a_tampered_file_in_the_users_folder_is_refused_and_named(cache, tmp_path, monkeypatch, tiny):
    path = tmp_path / tiny.artifact.file_name
    path.write_bytes(tiny.wheel)
    damage(path)
    monkeypatch.setenv("RAIM_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsTamperedError, match=re.escape(str(path))):
        load_weights("tiny")


def test_a_tampered_converted_set_is_refused_and_named(cache, online):
    fetch_weights("tiny")
    damage(tensors(cache))
    with pytest.raises(WeightsTamperedError, match=f"{re.escape(str(tensors(cache)))}.*delete it"):
        load_weights("tiny")


@pytest.mark.parametrize("is_truncated", [True, False])
def test_a_wrong_artifact_in_the_cache_is_refused_and_named(cache, online, is_truncated):
    fetch_weights("tiny")
    tensors(cache).unlink()
    if is_truncated:
        artifact(cache).write_bytes(artifact(cache).read_bytes()[:-1])
    else:
        damage(artifact(cache))
    with pytest.raises(WeightsTamperedError, match=re.escape(str(artifact(cache)))):
        load_weights("tiny")


def test_after_deleting_what_the_message_names_it_works_again(cache, online):
    fetch_weights("tiny")
    damage(tensors(cache))
    with contextlib.suppress(WeightsTamperedError):
        load_weights("tiny")
    tensors(cache).unlink()
    assert load_weights("tiny")


def test_a_conversion_with_another_outcome_is_refused(cache, online, tiny, monkeypatch):
    monkeypatch.setattr(table, "WEIGHTS", {"tiny": replace(tiny.weights, content_sha256="0" * 64)})
    with pytest.raises(WeightsTamperedError, match="other arrays than the pinned ones"):
        load_weights("tiny")
    assert not (cache / "tensors").exists()


def test_without_a_writable_cache_the_users_folder_still_serves(cache, tmp_path, monkeypatch, tiny):
    folder = tmp_path / "carried"
    folder.mkdir()
    (folder / tiny.artifact.file_name).write_bytes(tiny.wheel)
    (tmp_path / "file").touch()
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("RAIM_WEIGHTS_DIR", str(folder))
    found = load_weights("tiny")
    assert content_sha256(found) == weights_sha256("tiny")
    assert not found["mean"].flags.writeable


@pytest.mark.parametrize("ask", [load_weights, fetch_files])
def test_a_cache_that_cannot_be_written_to_is_named(cache, online, tmp_path, monkeypatch, ask):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(WeightsMissingError, match=r"cannot write to .*file.*RAIM_CACHE_DIR"):
        ask("tiny")


CHILD = """
import sys
from pathlib import Path
from raim.weights import load_weights, table
from raim.weights.table import WeightSet, Artifact, ArtifactMember
table.WEIGHTS = {"tiny": eval(sys.argv[1])}
print(float(load_weights("tiny")["mean"].sum()))
"""


def test_processes_at_once_download_once_and_all_succeed(cache, online, tiny):
    online.cut_after = [150_000]
    command = [sys.executable, "-c", CHILD, repr(tiny.weights)]
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    answers = [child.communicate(timeout=PATIENCE_S) for child in children]
    assert {(child.returncode, error) for child, (_, error) in zip(children, answers, strict=True)} == {
        (0, "")
    }
    assert len({out for out, _ in answers}) == 1
    assert online.downloads == 2  # one broke off
    assert sorted(path.suffix for path in (cache / "artifacts").iterdir()) == [".lock", ".whl"]
    assert len(list((cache / "tensors").iterdir())) == 1


def test_what_a_killed_download_has_left_is_no_matter(cache, online, tiny):
    (cache / "artifacts").mkdir(parents=True)
    (cache / "artifacts" / f"{tiny.artifact.file_name}.part").write_bytes(tiny.wheel[:200_000])
    assert load_weights("tiny")
    assert sorted(path.suffix for path in (cache / "artifacts").iterdir()) == [".lock", ".whl"]


def test_published_files_are_given_unpacked(cache, online, tiny):
    files = fetch_files("tiny")
    assert {name: path.read_bytes() for name, path in files.items()} == {"model.npz": tiny.member}
    online.requests.clear()
    assert fetch_files("tiny") == files
    assert online.requests == []


def test_a_tampered_published_file_is_refused_and_named(cache, online):
    (path,) = fetch_files("tiny").values()
    damage(path)
    with pytest.raises(WeightsTamperedError, match=re.escape(str(path))):
        fetch_files("tiny")


def test_verifying_names_the_files_that_were_read(cache, online):
    fetch_weights("tiny")
    assert verify_weights("tiny").paths == (tensors(cache), artifact(cache))
    assert verify_weights("tiny").error is None


@pytest.mark.parametrize("which", [artifact, tensors])
def test_verifying_finds_a_changed_byte_in_either_file(cache, online, which):
    fetch_weights("tiny")
    damage(which(cache))
    assert which(cache).name in str(verify_weights("tiny").error)


def test_verifying_a_missing_set_says_missing_and_asks_nobody(cache, online):
    assert isinstance(verify_weights("tiny").error, WeightsMissingError)
    assert online.requests == []


def test_importing_and_loading_use_no_network_library_and_no_torch(cache, online):
    fetch_weights("tiny")
    code = (
        "import sys; import raim.weights\n"
        "heavy = {'torch', 'requests', 'pypi_simple', 'safetensors', 'rich'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_arrays_of_two_loads_share_their_memory(cache, online):
    assert np.shares_memory(load_weights("tiny")["mean"], load_weights("tiny")["mean"])
