"""Versions of what jobs compute: the scorer version that every result carries."""

import functools
import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType

from raim.scoring.cache import DEFINITIONS_VERSION, profile_weights
from raim.scoring.profiles import PROFILES, find_profile

DIGITS = 12


def scorer_version(profile_name: str) -> str:
    """Name everything that a score depends on besides the files: profile, weights and our definitions.

    The engine of the convolutions is left out: all engines agree to more digits than a leaderboard shows.

    Raises:
        UnknownNameError: There is no such profile; the nearest is named.

    Example:
        >>> version = scorer_version("raim-2024")
        >>> version.rpartition("-")[0], len(version.rpartition("-")[2])
        ('raim-2024', 12)
    """
    profile = find_profile(profile_name)
    parts = [profile.as_dict(), profile_weights(profile), DEFINITIONS_VERSION]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return f"{profile_name}-{digest[:DIGITS]}"


@functools.cache
def known_versions() -> Mapping[str, str]:
    """Return the name of the profile behind each scorer version that this version of raim computes.

    Example:
        >>> known_versions()[scorer_version("raim-2026-hdr")]
        'raim-2026-hdr'
    """
    return MappingProxyType({scorer_version(name): name for name in PROFILES})
