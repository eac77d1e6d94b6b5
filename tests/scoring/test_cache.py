import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from raim.scoring.cache import ValueCache, value_key

PARTS = {"measure": "psnr", "restored_sha256": "a", "reference_sha256": "b", "definition": {"border_px": 4}}


@pytest.mark.parametrize(
    "change",
    [
        {"measure": "ssim"},
        {"restored_sha256": "c"},
        {"reference_sha256": None},
        {"definition": {"border_px": 0}},
    ],
)
def test_whatever_a_number_depends_on_changes_its_key(change):
    assert value_key(**PARTS) != value_key(**(PARTS | change))


def test_the_order_of_options_does_not_change_a_key():
    one, other = ({"definition": dict(items)} for items in ((("a", 1), ("b", 2)), (("b", 2), ("a", 1))))
    assert value_key(**(PARTS | one)) == value_key(**(PARTS | other))


def test_a_value_is_kept_to_the_last_bit(tmp_path):
    value = 0.1 + 0.2
    with ValueCache(tmp_path / "folder" / "c.sqlite") as cache:
        cache.put({"k": {"value": value}})
    with ValueCache(tmp_path / "folder" / "c.sqlite") as cache:
        assert cache.get("k") == {"value": value}
        assert cache.get("other") is None


def keep(path, key="k"):
    with ValueCache(path) as cache:
        cache.put({key: {"value": 1.5}})
        return cache.trouble


def recall(path, key="k", **more):
    with ValueCache(path, **more) as cache:
        return cache.get(key)


def test_a_file_that_is_no_cache_is_put_aside_and_not_lost(tmp_path):
    path = tmp_path / "c.sqlite"
    notes = "my notes, longer than a header of SQLite is" * 50
    path.write_text(notes)
    assert "begun again" in keep(path)
    assert recall(path) == {"value": 1.5}
    assert (tmp_path / "c.sqlite.damaged").read_text() == notes
    assert keep(path) is None


@pytest.mark.parametrize("page", [1, 2], ids=["the schema", "the values"])
def test_a_damaged_database_is_begun_again(tmp_path, page):
    path = tmp_path / "c.sqlite"
    keep(path)
    content = bytearray(path.read_bytes())
    start = 4096 * (page - 1) + (100 if page == 1 else 0)
    content[start : start + 600] = b"\xff" * 600
    path.write_bytes(content)
    assert recall(path, is_read_only=True) is None  # a worker leaves it to the main process
    assert "begun again" in keep(path)
    assert recall(path) == {"value": 1.5}


def test_a_record_that_is_no_record_is_unknown(tmp_path):
    path = tmp_path / "c.sqlite"
    keep(path)
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO measured VALUES ('torn', '{\"value\": 1'), ('list', '[1]')")
    database.close()
    assert recall(path, "torn") is recall(path, "list") is None
    assert recall(path) == {"value": 1.5}


def test_two_that_find_it_damaged_begin_anew_once(tmp_path):
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: keep(path, str(number)), range(4)))
    assert [recall(path, str(number)) for number in range(4)] == [{"value": 1.5}] * 4
    assert (tmp_path / "c.sqlite.damaged").read_bytes().startswith(b"SQLite format 3\0\xff")


@pytest.mark.parametrize("name", ["folder", "file/c.sqlite", "other.sqlite"])
def test_a_cache_that_cannot_be_used_says_why_and_stops_nothing(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with sqlite3.connect(tmp_path / "other.sqlite") as database:
        database.execute("CREATE TABLE measured (something TEXT)")
    database.close()
    trouble = keep(tmp_path / name)
    assert trouble.startswith("measured values are not kept (")
    assert trouble.endswith("set RAIM_CACHE_DIR to a folder of yours, or use --no-cache")


def test_a_disk_that_is_full_only_costs_the_values(tmp_path):
    with ValueCache(tmp_path / "c.sqlite") as cache:
        cache._database.execute("PRAGMA max_page_count = 2")
        cache.put({str(number): {"value": number, "unscored": "x" * 500} for number in range(50)})
        assert "database or disk is full" in cache.trouble
        assert cache.get("1") is None
