import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.data import collision_key, has_image_suffix, image_stem


def test_a_stem_keeps_its_case_and_inner_dots():
    assert image_stem("Folder/IMG.v2.JPG") == "IMG.v2"


def test_a_decomposed_name_is_the_same_as_a_composed_one():
    assert image_stem(unicodedata.normalize("NFD", "été.png")) == image_stem("été.png") == "été"


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.jpg", "a.jpeg", "a.tif", "a.TIFF", "a.webp"])
def test_images_are_known_by_their_suffix(name):
    assert has_image_suffix(name)


@pytest.mark.parametrize("name", ["readme.txt", "png", ".png", "a.png.zip"])
def test_other_files_are_not_images(name):
    assert not has_image_suffix(name)


@pytest.mark.parametrize(
    ("one", "other"), [("A", "a"), ("straße", "STRASSE"), ("\ufb01le", "file"), ("é", "E\u0301")]
)
def test_names_that_a_reader_could_confuse_collide(one, other):
    assert collision_key(one) == collision_key(other)


@given(st.text())
def test_the_collision_key_does_not_depend_on_the_unicode_form(name):
    forms = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    assert len({collision_key(form) for form in forms}) == 1
