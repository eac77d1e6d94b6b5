"""sRGB is recognised by what colours become. Oracles: the definitions of spaces, curves and tables."""

import struct

import imagecodecs
import numpy as np
import pytest

from raim.errors import ImageError
from raim.images import encode_image, inspect_image, read_image
from raim.images.colour import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    convert_to_srgb,
    describe_profile,
    is_srgb,
    is_usable,
    make_profile,
)

PRIMARIES = [(0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)]
# Adapted to D50: Adobe RGB (1998), and Display P3 as in the profile that Apple ships.
ADOBE = [(0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)]
P3 = [(0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)]
RED = np.full((4, 5, 3), (200, 50, 50), np.uint8)


def parametric(function, *numbers):
    fixed = [round(number * 65536) for number in numbers]
    return b"para\0\0\0\0" + struct.pack(f">HH{len(fixed)}i", function, 0, *fixed)


def sampled(values):
    codes = np.round(np.asarray(values) * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", len(codes)) + codes.tobytes()


def gamma(value):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def tone(n):
    codes = np.linspace(0, 1, n)
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def table(primaries, n=17):
    """A table (mft2) of n^3 colours from codes to XYZ, with sRGB's curve in front of it."""
    steps = np.linspace(0, 1, n)
    colours = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    xyz = (colours @ np.array(primaries)).clip(0) / (1 + 32767 / 32768)  # XYZ of 16 bits reach 1.99997
    codes = lambda values: np.round(np.asarray(values) * 65535).astype(">u2").tobytes()  # noqa: E731
    header = (
        b"mft2\0\0\0\0" + bytes([3, 3, n, 0]) + struct.pack(">9i", *(np.eye(3).ravel() * 65536).astype(int))
    )
    return header + struct.pack(">HH", 4096, 2) + codes(tone(4096)) * 3 + codes(xyz) + codes([0, 1]) * 3


CURVE = parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
OF_TELEPHONES = parametric(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0, 0)
LINEAR = [b"curv" + bytes(8), parametric(0, 1.0), gamma(1.0)]


@pytest.mark.parametrize("curve", [CURVE, OF_TELEPHONES, *(sampled(tone(n)) for n in (26, 1024, 4096))])
def test_srgb_is_known_by_its_content_without_a_name(forge, curve):
    assert is_srgb(forge.matrix_profile(PRIMARIES, curve))
    assert is_srgb(forge.matrix_profile(ADOBE, curve, space=b"GRAY"))  # grey has no primaries


@pytest.mark.parametrize("primaries", [ADOBE, P3])
def test_other_primaries_are_not_srgb_even_with_its_name(forge, primaries):
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"sRGB\0" + bytes(79)
    profile = forge.matrix_profile(primaries, CURVE, extra=[(b"desc", name)])
    assert describe_profile(profile) == "sRGB"
    assert not is_srgb(profile)


@pytest.mark.parametrize(
    "curve", [*LINEAR, gamma(1.8), gamma(2.2), parametric(0, 2.2), sampled(tone(4096) ** 1.1)]
)
def test_other_tone_curves_are_not_srgb(forge, curve):
    assert not is_srgb(forge.matrix_profile(PRIMARIES, curve))
    assert not is_srgb(forge.matrix_profile(PRIMARIES, curve, space=b"GRAY"))


def test_a_table_overrides_curves_and_is_srgb_if_its_colours_are(forge):
    assert is_srgb(forge.matrix_profile(P3, gamma(1.0), extra=[(b"A2B0", table(PRIMARIES))]))
    assert not is_srgb(forge.matrix_profile(PRIMARIES, CURVE, extra=[(b"A2B0", table(ADOBE))]))
    assert not is_srgb(forge.matrix_profile(PRIMARIES, CURVE, extra=[(b"A2B0", bytes(32))]))


def test_other_kinds_of_colour_are_not_srgb(forge):
    assert not is_srgb(forge.matrix_profile(PRIMARIES, CURVE, space=b"CMYK"))
    assert not is_srgb(forge.profile("LAB"))


def test_a_damaged_profile_never_raises(forge):
    whole = forge.profile()
    rng = np.random.default_rng(3)
    for length in range(0, len(whole), 37):
        assert not is_srgb(whole[: min(length, 132)])
        describe_profile(whole[:length])
    for _ in range(200):
        mutated = bytearray(whole)
        for place in rng.integers(0, len(whole), 6):
            mutated[place] = rng.integers(256)
        is_srgb(bytes(mutated))
        is_usable(bytes(mutated), is_grey=False)
        describe_profile(bytes(mutated))


def test_profiles_that_raim_makes_say_their_space():
    assert is_srgb(make_profile(SRGB))
    assert [describe_profile(make_profile(space)) for space in (ADOBE_RGB, DISPLAY_P3)] == [
        "Adobe RGB",
        "Display P3",
    ]
    for space in (ADOBE_RGB, DISPLAY_P3):
        assert not is_srgb(make_profile(space))
        assert is_usable(make_profile(space), is_grey=False)
        assert not is_usable(make_profile(space), is_grey=True)


def adobe_to_srgb(colour):
    """Convert by the definitions of both spaces: AdobeRGB (1998) 4.3.4.2, IEC 61966-2-1."""
    linear = (np.array(colour) / 255) ** (563 / 256)
    to_xyz = [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    to_srgb = [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
    srgb = np.clip(np.array(to_srgb) @ to_xyz @ linear, 0, 1)
    return 255 * np.where(srgb <= 0.0031308, 12.92 * srgb, 1.055 * srgb ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("profile", [imagecodecs.cms_profile("adobergb"), make_profile(ADOBE_RGB)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_conversion_agrees_with_the_definitions_of_both_spaces(dtype, profile):
    scale = np.iinfo(dtype).max // 255
    converted = convert_to_srgb(RED.astype(dtype) * dtype(scale), profile)
    assert converted.dtype == dtype
    np.testing.assert_allclose(converted[0, 0] / scale, adobe_to_srgb((200, 50, 50)), atol=0.8)


def test_grey_stays_grey():
    converted = convert_to_srgb(np.full((4, 5), 55, np.uint8), imagecodecs.cms_profile("gray", gamma=1.0))
    assert converted.shape == (4, 5)
    np.testing.assert_allclose(converted, 255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055), atol=1)


@pytest.mark.parametrize("profile", [b"", b"no profile", imagecodecs.cms_profile("gray", gamma=2.2)])
def test_a_profile_that_does_not_fit_is_an_error_about_the_image(profile):
    with pytest.raises(ImageError, match="colour profile cannot be used"):
        convert_to_srgb(RED, profile)


def chrm(*values):
    return struct.pack(">8I", *(round(value * 100_000) for value in values))


D65 = (0.3127, 0.329)
WIDE = {
    "Adobe RGB": (0.64, 0.33, 0.21, 0.71, 0.15, 0.06),
    "Display P3": (0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}


def stated(forge, case):
    """A photograph that states its space without a profile."""
    png = encode_image(forge.rgb, ".png")
    match case:
        case name, "cHRM":
            return forge.insert(png, b"cHRM", chrm(*D65, *WIDE[name]))
        case "Display P3", "cICP":
            return forge.insert(png, b"cICP", bytes((12, 13, 0, 1)))
        case "Adobe RGB", suffix:
            return encode_image(forge.rgb, suffix, exif=forge.adobe_exif())


CASES = [("Adobe RGB", suffix) for suffix in (".jpg", ".png", ".webp", "cHRM")]
CASES += [("Display P3", "cHRM"), ("Display P3", "cICP")]


@pytest.mark.parametrize("case", CASES)
def test_a_space_that_is_stated_without_a_profile_counts_as_one(forge, case):
    content, name = stated(forge, case), case[0]
    assert inspect_image(content).has_icc
    with pytest.raises(ImageError, match=f"another colour space than sRGB .{name}"):
        read_image(content)
    picture = read_image(content, purpose="restore")
    assert describe_profile(picture.icc_profile) == name
    assert f"{name}, is stated without a profile" in picture.warnings[0]


def test_a_profile_counts_before_exif_and_the_chunk_srgb_before_primaries(forge):
    content = encode_image(forge.rgb, ".jpg", exif=forge.adobe_exif(), icc_profile=forge.profile())
    assert not inspect_image(content).has_icc
    png = forge.insert(encode_image(forge.rgb, ".png"), b"cHRM", chrm(*D65, *WIDE["Adobe RGB"]))
    assert not inspect_image(forge.insert(png, b"sRGB", b"\0")).has_icc
    assert inspect_image(forge.insert(png, b"gAMA", struct.pack(">I", 100_000))).has_icc


@pytest.mark.parametrize(
    "exif", [{"space": 1}, {"space": 65535, "index": b"R98\0"}, {"space": 65535, "index": b"THM\0"}]
)
def test_other_exif_is_read_as_srgb(forge, exif):
    content = encode_image(forge.rgb, ".jpg", exif=forge.adobe_exif(**exif))
    assert read_image(content).warnings == ()


def test_primaries_of_srgb_pass_and_unknown_ones_are_reported(forge):
    png = encode_image(forge.rgb, ".png")
    assert read_image(forge.insert(png, b"cHRM", chrm(*D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06))).warnings == ()
    warnings = read_image(forge.insert(png, b"cHRM", chrm(*D65, 0.7, 0.3, 0.2, 0.7, 0.1, 0.1))).warnings
    assert warnings == ("its cHRM chunk states primaries that are not known; it was taken as sRGB",)
