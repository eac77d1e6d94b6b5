"""Whether an ICC profile is sRGB: its primaries and its tone curves are compared with sRGB's, not its name.

Many profiles are sRGB under many names (HP's of 1998, those of cameras, browsers, Little CMS), so bytes and names
tell nothing. A profile with look-up tables (A2B0) is never taken for sRGB: they override the curves.

Source: ICC.1:2022, sections 7.2 (header), 7.3 (tag table), 10.6 (curveType), 10.18 (parametricCurveType),
10.31 (XYZType); IEC 61966-2-1 for sRGB.
"""

import struct

import numpy as np
from jaxtyping import Float64

N_HEADER = 128
MAX_TAGS = 200  # real profiles have about 20

# sRGB's primaries adapted to D50 (Bradford), as in the profile of the ICC and in Little CMS.
SRGB_PRIMARIES = {
    b"rXYZ": (0.4361, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}
# Rounded and differently adapted sRGB profiles stay below 0.0015; Display P3's primaries are off by 0.08.
PRIMARY_TOLERANCE = 0.003
# A step of 8 bits at mid grey is 0.0034 in linear light; a plain gamma of 2.2 is off by up to 0.0085.
CURVE_TOLERANCE = 0.003

Curve = Float64[np.ndarray, " _"]
CODES = np.linspace(0.0, 1.0, 256)


def is_srgb(profile: bytes) -> bool:
    """Say whether an ICC profile, of colour or grey, means what sRGB means.

    Example:
        >>> is_srgb(b"not a profile")
        False
    """
    try:
        tags = read_tags(profile)
        space = profile[16:20]
        if b"A2B0" in tags or space not in (b"RGB ", b"GRAY"):
            return False
        curves = (b"kTRC",) if space == b"GRAY" else (b"rTRC", b"gTRC", b"bTRC")
        has_primaries = space == b"GRAY" or _has_srgb_primaries(tags)
        return has_primaries and all(_is_srgb_curve(tags[name]) for name in curves)
    except (KeyError, ValueError, struct.error):
        return False


def describe_profile(profile: bytes) -> str:
    """Give the name that a profile carries, as far as it is printable ASCII; else its colour space.

    Example:
        >>> describe_profile(b"not a profile")
        'unreadable'
    """
    try:
        text = _decode_text(read_tags(profile)[b"desc"])
    except (KeyError, ValueError, struct.error):
        return "unreadable"
    printable = "".join(letter for letter in text if " " <= letter <= "~").strip()
    return printable[:60] or "unnamed"


def read_tags(profile: bytes) -> dict[bytes, bytes]:
    """Read the table of tags, signature -> content.

    Raises:
        ValueError: It is no ICC profile.
        struct.error: It ends early.
    """
    if profile[36:40] != b"acsp":
        raise ValueError("no ICC profile")
    count = struct.unpack_from(">I", profile, N_HEADER)[0]
    if count > MAX_TAGS:
        raise ValueError("too many tags")
    entries = (struct.unpack_from(">4sII", profile, N_HEADER + 4 + 12 * i) for i in range(count))
    return {name: profile[offset : offset + n_bytes] for name, offset, n_bytes in entries}


def _has_srgb_primaries(tags: dict[bytes, bytes]) -> bool:
    for name, expected in SRGB_PRIMARIES.items():
        kind, *fixed = struct.unpack_from(">4s4x3i", tags[name])
        values = [number / 65536 for number in fixed]  # s15Fixed16
        differences = [abs(a - b) for a, b in zip(values, expected, strict=True)]
        if kind != b"XYZ " or max(differences) > PRIMARY_TOLERANCE:
            return False
    return True


def _is_srgb_curve(tag: bytes) -> bool:
    linear = np.where(CODES <= 0.04045, CODES / 12.92, ((CODES + 0.055) / 1.055) ** 2.4)
    return bool(np.abs(_evaluate_curve(tag) - linear).max() <= CURVE_TOLERANCE)


def _evaluate_curve(tag: bytes) -> Curve:
    kind, count = struct.unpack_from(">4s4xI", tag)
    if kind == b"para":
        return _evaluate_parametric(tag)
    if kind != b"curv":
        raise ValueError("unknown kind of curve")
    if count == 0:
        return CODES
    if count == 1:
        return CODES ** (struct.unpack_from(">H", tag, 12)[0] / 256)  # u8Fixed8
    samples = np.frombuffer(tag, ">u2", count, 12).astype(np.float64) / 65535
    return np.interp(CODES, np.linspace(0.0, 1.0, count), samples)


def _evaluate_parametric(tag: bytes) -> Curve:
    """Evaluate the form (a x + b)^g above d and c x below it; sRGB profiles use no other."""
    function = struct.unpack_from(">H", tag, 8)[0]
    if function != 3:
        raise ValueError("another parametric curve than sRGB's")
    g, a, b, c, d = (number / 65536 for number in struct.unpack_from(">5i", tag, 12))
    power = np.maximum(a * CODES + b, 0.0) ** min(max(g, 0.0), 10.0)
    return np.where(d <= CODES, power, c * CODES)


def _decode_text(tag: bytes) -> str:
    if tag[:4] == b"mluc":
        n_bytes, offset = struct.unpack_from(">II", tag, 20)
        return tag[offset : offset + min(n_bytes, 200)].decode("utf-16-be", "replace")
    n_letters = struct.unpack_from(">I", tag, 8)[0]
    return tag[12 : 12 + min(n_letters, 200)].decode("ascii", "replace")
