"""sRGB is told by primaries and curves. Oracle: Little CMS's profiles, and profiles made from the definitions."""

import struct

import numpy as np
import pytest

from raim.images.colour_profile import describe_profile, is_srgb

SRGB = [(0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)]
# Adapted to D50: Adobe RGB (1998), and Display P3 as in the profile that Apple ships.
ADOBE = [(0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)]
P3 = [(0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)]


def parametric(function, *numbers):
    fixed = [round(number * 65536) for number in numbers]
    return b"para\0\0\0\0" + struct.pack(f">HH{len(fixed)}i", function, 0, *fixed)


def sampled(values):
    codes = np.round(np.asarray(values) * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", len(codes)) + codes.tobytes()


def gamma(value):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


SRGB_CURVE = parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def tone(n):
    codes = np.linspace(0, 1, n)
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def test_the_srgb_profile_of_little_cms_is_srgb(forge):
    assert is_srgb(forge.profile())
    assert "sRGB" in describe_profile(forge.profile())


@pytest.mark.parametrize("curve", [SRGB_CURVE, sampled(tone(1024)), sampled(tone(4096))])
def test_srgb_is_known_by_its_content_without_a_name(forge, curve):
    assert is_srgb(forge.matrix_profile(SRGB, curve))


@pytest.mark.parametrize("primaries", [ADOBE, P3])
def test_other_primaries_are_not_srgb_even_with_its_name(forge, primaries):
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"sRGB\0"
    profile = forge.matrix_profile(primaries, SRGB_CURVE, extra=[(b"desc", name)])
    assert describe_profile(profile) == "sRGB"
    assert not is_srgb(profile)


@pytest.mark.parametrize("curve", [gamma(1.0), gamma(1.8), gamma(2.2), b"curv" + bytes(8)])
def test_other_tone_curves_are_not_srgb(forge, curve):
    assert not is_srgb(forge.matrix_profile(SRGB, curve))


def test_a_look_up_table_overrides_curves_so_it_is_not_srgb(forge):
    assert not is_srgb(forge.matrix_profile(SRGB, SRGB_CURVE, extra=[(b"A2B0", bytes(32))]))


def test_a_grey_profile_needs_only_the_curve(forge):
    assert is_srgb(forge.matrix_profile(ADOBE, SRGB_CURVE, space=b"GRAY"))
    assert not is_srgb(forge.matrix_profile(SRGB, gamma(2.2), space=b"GRAY"))


def test_other_colour_spaces_are_not_srgb(forge):
    assert not is_srgb(forge.matrix_profile(SRGB, SRGB_CURVE, space=b"CMYK"))
    assert not is_srgb(forge.profile("LAB"))


def test_a_damaged_profile_is_not_srgb_and_never_raises(forge):
    whole = forge.profile()
    rng = np.random.default_rng(3)
    for length in range(0, len(whole), 7):
        assert not is_srgb(whole[: min(length, 132)])
        describe_profile(whole[:length])
    for _ in range(500):
        mutated = bytearray(whole)
        for place in rng.integers(0, len(whole), 6):
            mutated[place] = rng.integers(256)
        is_srgb(bytes(mutated))
        describe_profile(bytes(mutated))
