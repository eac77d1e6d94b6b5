import pytest

from raim.demo.workplace import open_workplace
from raim.errors import InputError


def test_an_earlier_demo_is_replaced_only_when_asked(tmp_path):
    place = open_workplace(tmp_path / "demo")
    (place.inputs / "a.png").touch()
    with pytest.raises(InputError, match="add --overwrite"):
        open_workplace(tmp_path / "demo")
    assert (place.inputs / "a.png").exists()
    open_workplace(tmp_path / "demo", overwrite=True)
    assert list(place.inputs.iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_somebody_else_is_never_emptied(tmp_path, overwrite):
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "holiday.png").touch()
    with pytest.raises(InputError, match="was not made by `raim demo`"):
        open_workplace(tmp_path, overwrite=overwrite)
    assert (tmp_path / "input" / "holiday.png").exists()


def test_pairs_within_the_folder_are_never_replaced(tmp_path):
    place = open_workplace(tmp_path / "demo")
    (place.inputs / "a.png").touch()
    for data in (place.folder, place.inputs):
        with pytest.raises(InputError, match="name another with --out"):
            open_workplace(place.folder, data=data, overwrite=True)
    assert (place.inputs / "a.png").exists()


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "a.png").touch()
    place = open_workplace(tmp_path / "demo")
    place.inputs.rmdir()
    place.inputs.symlink_to(kept)
    open_workplace(place.folder, overwrite=True)
    assert (kept / "a.png").exists()


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "demo").touch()
    with pytest.raises(InputError, match="is a file"):
        open_workplace(tmp_path / "demo")
    with pytest.raises(InputError, match="cannot make the folder"):
        open_workplace(tmp_path / "demo" / "deeper")
