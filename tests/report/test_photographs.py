import numpy as np
import pytest

from raim.errors import ImageError, InputError
from raim.report.cases import choose_cases
from raim.report.crop import Crop
from raim.report.photographs import PictureFolders, read_photographs
from score_tables import entry, noise, table_of


def read(table, paths, **more):
    pictures = PictureFolders(
        reference=paths["reference"], restored={"a": paths["a"]}, inputs=paths.get("input"), **more
    )
    return list(read_photographs(choose_cases(table, per_entry=2), pictures))


def test_all_panels_show_the_place_where_the_restoration_differs_most(folders):
    reference = noise(60, 80, 1)
    restored = reference.copy()
    restored[40:50, 60:70] ^= 255
    degraded = noise(60, 80, 3)
    paths = folders({"reference": {"x": reference}, "a": {"x": restored}, "input": {"x": degraded}})
    (photograph,) = read(table_of(entry("a", x=1)), paths, crop_px=10)
    assert photograph.crop == Crop(x=60, y=40, width=10, height=10)
    for key, pixels in (("reference", reference), ("restored:a", restored), ("input", degraded)):
        assert np.array_equal(photograph.panels[key].pixels, pixels[40:50, 60:70])


def test_a_smaller_input_is_enlarged_and_says_so(folders):
    small = noise(10, 10, 1)
    big = noise(20, 20, 2)
    paths = folders({"reference": {"x": big}, "a": {"x": big}, "input": {"x": small}})
    panel = read(table_of(entry("a", x=1)), paths)[0].panels["input"]
    assert np.array_equal(panel.pixels, small.repeat(2, axis=0).repeat(2, axis=1))
    assert panel.note == "it is 10x10, brought to 20x20 by repeating pixels"


def test_a_missing_input_is_a_note_instead_of_a_picture(folders):
    big = noise(20, 20, 2)
    paths = folders({"reference": {"x": big}, "a": {"x": big}, "input": {"other": big}})
    panel = read(table_of(entry("a", x=1)), paths)[0].panels["input"]
    assert panel.pixels is None
    assert panel.note == "cannot be shown: there is no file of this name"


def test_a_restoration_of_another_size_is_a_note(folders):
    paths = folders({"reference": {"x": noise(20, 20, 2)}, "a": {"x": noise(10, 20, 2)}})
    panel = read(table_of(entry("a", x=1)), paths)[0].panels["restored:a"]
    assert panel.note == "cannot be shown: it is 20x10, its reference 20x20"


def test_a_reference_that_has_gone_since_the_scoring_is_an_error(folders):
    paths = folders({"reference": {"other": noise(8, 8, 1)}, "a": {"x": noise(8, 8, 2)}})
    with pytest.raises(ImageError, match="the reference of x cannot be shown any more"):
        read(table_of(entry("a", x=1)), paths)


def test_an_entry_without_a_folder_is_an_error(folders):
    paths = folders({"reference": {"x": noise(8, 8, 1)}, "a": {"x": noise(8, 8, 2)}})
    with pytest.raises(InputError, match="no folder of restored images was given for b"):
        read(table_of(entry("b", x=1)), paths)
