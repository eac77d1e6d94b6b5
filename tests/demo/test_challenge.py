import importlib.util

import numpy as np
import pytest

from score_tables import noise

pytest.importorskip("cv2", reason="the extra `demo` is not installed")

from raim.data import read_manifest
from raim.demo import challenge, photographs
from raim.demo.challenge import copy_challenge, make_challenge
from raim.demo.workplace import open_workplace
from raim.errors import InputError, MissingExtraError
from raim.images import read_image, write_image


def ignore(done: int, total: int) -> None:
    assert 0 <= done <= total


@pytest.fixture
def place(tmp_path):
    return open_workplace(tmp_path / "demo")


@pytest.fixture
def pairs(tmp_path):
    """Write pairs {scenario/name: (input, reference)} below one folder."""

    def write(pairs):
        for path, pictures in pairs.items():
            scenario, name = path.split("/")
            for kind, pixels in zip(("input", "reference"), pictures, strict=True):
                folder = tmp_path / "data" / scenario / kind
                folder.mkdir(parents=True, exist_ok=True)
                write_image(folder / f"{name}.png", pixels)
        return tmp_path / "data"

    return write


def test_each_photograph_is_degraded_in_every_way_and_listed(place, tmp_path, monkeypatch):
    for name in ("one", "two"):
        write_image(tmp_path / f"{name}.png", noise(30, 40, 1))
    monkeypatch.setattr(challenge, "find_photographs", lambda: (tmp_path / "one.png", tmp_path / "two.png"))
    made = make_challenge(place, on_progress=ignore)
    rows = read_manifest(place.manifest).rows
    assert [row.name for row in rows] == list(made.names)
    assert {row.scenario for row in rows} == {"noise", "blur", "jpeg"}
    assert {(row.width, row.height) for row in rows} == {(40, 30)}
    reference = read_image(place.references / "one_noise.png").pixels
    assert np.array_equal(reference, noise(30, 40, 1))
    first, second = (read_image(place.inputs / f"{name}_noise.png").pixels for name in ("one", "two"))
    assert not np.array_equal(first, second)  # alike photographs, each with its own noise
    assert "seed 2024" in made.note


def test_the_photographs_of_the_wheel_are_colour_photographs():
    pytest.importorskip("skimage", reason="the extra `demo` is not installed")
    for path in photographs.find_photographs():
        pixels = read_image(path, purpose="restore").pixels
        assert pixels.ndim == 3
        assert min(pixels.shape[:2]) >= 300


def test_without_scikit_image_the_way_out_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'raim\[demo\]'"):
        photographs.find_photographs()
    with pytest.raises(MissingExtraError, match="the demo needs cv2"):
        photographs.require_opencv()


def test_pairs_are_copied_byte_for_byte(place, pairs):
    data = pairs({"noise/a": (noise(8, 9, 1), noise(16, 18, 2))})
    made = copy_challenge(place, data, on_progress=ignore)
    assert made.names == ("a",)
    for kind, folder in (("input", place.inputs), ("reference", place.references)):
        assert (folder / "a.png").read_bytes() == (data / "noise" / kind / "a.png").read_bytes()
    (row,) = read_manifest(place.manifest).rows
    assert (row.scenario, row.width, row.height) == ("noise", 18, 16)  # the reference's size is asked for


def test_a_pair_that_cannot_be_used_is_left_out_with_the_reason(place, pairs):
    data = pairs(
        {
            "noise/a": (noise(8, 9, 1), noise(8, 9, 2)),
            "noise/b": (noise(8, 9, 1)[..., 0].copy(), noise(8, 9, 2)),
        }
    )
    (data / "noise" / "input" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(InputError, match="none of the 2 pairs"):
        copy_challenge(place, data, on_progress=ignore)
    write_image(data / "noise" / "input" / "a.png", noise(8, 9, 1))
    made = copy_challenge(place, data, on_progress=ignore)
    assert made.left_out == ("noise/b: one of input and reference is grey, the other in colour",)
