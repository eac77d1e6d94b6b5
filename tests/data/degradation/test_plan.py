import numpy as np
import pytest

from raim.data.camera import find_preset
from raim.data.degradation.plan import list_photographs, plan_pairs
from raim.errors import InputError, UnknownNameError
from raim.images import write_image

PRESETS = [find_preset("denoise"), find_preset("motion_blur")]


def plan(clean, presets=PRESETS, seed=3, variants=2, overrides=None):
    pairs = plan_pairs(
        list_photographs(clean), presets, seed=seed, variants=variants, overrides=overrides or {}
    )
    return {pair.name: pair for pair in pairs}


def test_each_photograph_preset_and_variant_has_its_own_camera(clean):
    pairs = plan(clean)
    assert list(pairs)[:4] == ["a_denoise", "a_denoise_2", "a_motion_blur", "a_motion_blur_2"]
    assert len(pairs) == len({pair.camera for pair in pairs.values()}) == 12


def test_neither_other_photographs_presets_nor_variants_change_a_camera(clean):
    whole = plan(clean)
    (clean / "b.png").unlink()
    fewer = plan(clean, PRESETS[1:], variants=1)
    assert set(fewer) == {"a_motion_blur", "grey_motion_blur"}
    assert all(whole[name].camera == pair.camera for name, pair in fewer.items())
    assert plan(clean, seed=4)["a_denoise"].camera != whole["a_denoise"].camera


def test_one_file_can_be_named(clean):
    assert list(plan(clean / "a.png", PRESETS[:1], variants=1)) == ["a_denoise"]


def test_every_photograph_that_cannot_be_used_is_listed(clean):
    (clean / "text.png").write_text("no picture")
    write_image(clean / "tiny.png", np.zeros((8, 90, 3), np.uint8))
    write_image(clean / "A.jpg", np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(InputError, match=r"3 photographs in .* cannot be used") as caught:
        list_photographs(clean)
    message = str(caught.value)
    assert "text.png" in message
    assert "tiny.png: it is 90x8; it must be at least 16 pixels" in message
    assert "a.png and A.jpg would give files of one name" in message


def test_photographs_that_are_too_small_for_their_reduction_are_listed(clean):
    with pytest.raises(
        InputError, match=r"a\.png is 48x36; with reduction 4 \(denoise\) it must be at least 64"
    ):
        plan(clean, overrides={"sampling.reduction": 4})


@pytest.mark.parametrize("content", [[], ["notes.txt"], [".hidden.png"]])
def test_a_folder_without_photographs_is_refused(tmp_path, content):
    for name in content:
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="there is no photograph in"):
        list_photographs(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        list_photographs(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed -1"),
        ({"variants": 0}, "variants 0"),
        ({"presets": []}, "name at least one"),
        ({"presets": PRESETS[:1] * 2}, "each once"),
    ],
)
def test_arguments_out_of_range_are_refused(clean, arguments, message):
    with pytest.raises(InputError, match=message):
        plan(clean, **arguments)


def test_an_unknown_override_is_refused(clean):
    with pytest.raises(UnknownNameError, match="did you mean 'iso'"):
        plan(clean, overrides={"noise.ios": 1.0})
