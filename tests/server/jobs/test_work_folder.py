"""Files of work: brought once, whole, checked, and pruned."""

import hashlib
import os
import time

import pytest

from raim.errors import ContentMismatchError, InputError, StorageError
from raim.files import hash_file
from raim.server.database import DataSet
from raim.server.jobs import work_folder
from raim.server.jobs.work_folder import (
    SetFile,
    SetFiles,
    bring_data_set,
    bring_submission,
    prune_work,
    read_set_files,
)
from raim.server.jobs.worker import do_housekeeping
from raim.server.storage import delete_file, local_path, open_storage, put_file


def files_of(world, slug="feedback-pairs"):
    with world.database.reading() as session:
        return read_set_files(session, session.query(DataSet).filter_by(slug=slug).one().id)


def copy_to_memory(world, name):
    """Put all files of the data set where no local path leads."""
    far = open_storage(f"memory://{name}")
    for each in files_of(world).files:
        content = local_path(world.storage, each.sha256).read_bytes()
        put_file(far, [content], n_bytes=len(content), sha256=each.sha256)
    return far


@pytest.mark.parametrize("is_far", [False, True])
def test_a_data_set_is_brought_once_whole_and_right(world, is_far, tmp_path):
    if is_far:
        world.storage = copy_to_memory(world, tmp_path.name)
    context, files = world.context(), files_of(world)
    place = bring_data_set(context, files)
    assert place == context.work / "data-sets" / files.version
    assert {hash_file(place / each.part / each.name) for each in files.files} == {
        each.sha256 for each in files.files
    }
    assert sorted(path.name for path in place.parent.iterdir()) == [files.version]
    before = (place / "input").stat().st_ino
    assert bring_data_set(context, files) == place
    assert (place / "input").stat().st_ino == before


def test_a_damaged_file_is_not_taken(world):
    files = files_of(world)
    path = local_path(world.storage, files.files[0].sha256)
    path.write_bytes(b"rot")
    with pytest.raises(ContentMismatchError, match="bring it back from a backup"):
        bring_data_set(world.context(), files)
    assert list((world.context().work / "data-sets").iterdir()) == []


@pytest.mark.parametrize("name", ["../x.png", "a/b.png", "", "..", "a\\b.png"])
def test_a_name_that_leads_elsewhere_is_refused(world, name):
    sha256 = files_of(world).files[0].sha256
    odd = SetFiles(
        version="0" * 64, manifest="", scenarios={}, files=(SetFile(part="input", name=name, sha256=sha256),)
    )
    with pytest.raises(InputError, match="cannot be called"):
        bring_data_set(world.context(), odd)


def test_a_far_submission_is_brought_once_and_stays_for_a_day_after_its_last_use(world, tmp_path):
    content = b"a submission"
    sha256 = hashlib.sha256(content).hexdigest()
    world.storage = open_storage(f"memory://{tmp_path.name}-submissions")
    put_file(world.storage, [content], n_bytes=len(content), sha256=sha256)
    path = bring_submission(world.context(), sha256)
    assert path.read_bytes() == content
    delete_file(world.storage, sha256)
    for age_s, n_pruned in ((0, 0), (work_folder.UNUSED_S + 10, 1)):
        assert bring_submission(world.context(), sha256) == path
        os.utime(path, (time.time() - age_s, time.time() - age_s))
        assert prune_work(world.context(), set()) == n_pruned
    assert list(path.parent.iterdir()) == []
    with pytest.raises(StorageError, match="there is no file"):
        bring_submission(world.context(), sha256)


def test_only_old_versions_that_are_not_used_are_pruned(world):
    context, files = world.context(), files_of(world)
    bring_data_set(context, files)
    for name in ("old", "recent"):
        (context.work / "data-sets" / name).mkdir()
    long_ago = time.time() - work_folder.UNUSED_S - 10
    for name in ("old", files.version):
        os.utime(context.work / "data-sets" / name, (long_ago, long_ago))
    assert prune_work(context, {files.version}) == 1
    assert sorted(path.name for path in (context.work / "data-sets").iterdir()) == sorted(
        ["recent", files.version]
    )


def test_keeping_house_twice_is_no_harm(world):
    do_housekeeping(world.context())
    do_housekeeping(world.context())
