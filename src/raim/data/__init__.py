"""Data sets: the manifest, and what the names of images mean."""

from raim.data.manifest import (
    Manifest,
    ManifestRow,
    format_manifest,
    parse_manifest,
    read_manifest,
    write_manifest,
)
from raim.data.names import IMAGE_SUFFIXES, PHOTOGRAPH_SUFFIXES, collision_key, has_image_suffix, image_stem

__all__ = [
    "IMAGE_SUFFIXES",
    "PHOTOGRAPH_SUFFIXES",
    "Manifest",
    "ManifestRow",
    "collision_key",
    "format_manifest",
    "has_image_suffix",
    "image_stem",
    "parse_manifest",
    "read_manifest",
    "write_manifest",
]
