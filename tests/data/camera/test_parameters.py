import pytest

from raim.data.camera import Camera, Motion, Noise, build_camera, flatten_camera, parse_parameter
from raim.data.camera.parameters import TYPES, parse_value, write_value
from raim.errors import InputError, UnknownNameError


def test_a_camera_is_its_parameters():
    camera = Camera(noise=Noise(iso=812.3, seed=3), motion=Motion(length_px=1 / 3))
    assert build_camera(flatten_camera(camera)) == camera
    assert build_camera({}) == Camera()


def test_values_are_read_back_to_the_last_bit():
    for name, value in flatten_camera(Camera(motion=Motion(length_px=1 / 3))).items():
        again = parse_value(name, write_value(value))
        assert again == value
        assert type(again) is type(value)


def test_every_parameter_has_a_type_that_can_be_read():
    assert len(TYPES) > 50
    assert all(hint in {float, int, bool} or isinstance(hint.__args__[0], str) for hint in TYPES.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nose.iso=100", "no stage of the camera named 'nose'; did you mean 'noise'"),
        ("noise.isso=100", "no parameter of the stage 'noise' named 'isso'; did you mean 'iso'"),
        ("demosaic.method=malvr", "no value of demosaic.method named 'malvr'; did you mean 'malvar'"),
    ],
)
def test_an_unknown_name_has_its_nearest(text, message):
    with pytest.raises(UnknownNameError, match=message):
        parse_parameter(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("noise.iso", "sets nothing"),
        ("noise.iso=much", "expected a number"),
        ("banding.bits=5.5", "expected a whole number"),
        ("sampling.has_mosaic=maybe", "expected yes or no"),
        ("compression.quality=101", "compression.quality is 101; expected 0 to 100"),
    ],
)
def test_a_wrong_value_is_reported_with_what_was_expected(text, message):
    with pytest.raises(InputError, match=message):
        parse_parameter(text)
