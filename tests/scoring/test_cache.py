import sqlite3

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


def test_a_file_that_is_no_cache_is_not_overwritten(tmp_path):
    path = tmp_path / "c.sqlite"
    path.write_text("my notes, longer than a header of SQLite is" * 50)
    with pytest.raises(sqlite3.DatabaseError):
        ValueCache(path)
    assert path.read_text().startswith("my notes")
