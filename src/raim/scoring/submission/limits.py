"""How much a submission may hold before it is refused unread.

Images hardly compress: a member over `ratio_from_bytes` that claims to unpack to more than `max_ratio` times its
packed size is not one. Deflate itself reaches 1032 at most. Declared sizes are only what decides early: the same
limits are counted again while a member is unpacked.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Limits on a submission.

    Attributes:
        max_members: Files and folders together, junk included.
        max_member_bytes: One file, unpacked (120 megapixels of 16-bit RGB are 720 MB).
        max_total_bytes: All files, unpacked.
        max_ratio: Unpacked over packed size of one member.
        ratio_from_bytes: Unpacked size from which the ratio counts; a small flat image packs very well.
        max_readme_bytes: The readme.txt.
        max_pixels: Width times height of one image.
    """

    max_members: int = 10_000
    max_member_bytes: int = 800_000_000
    max_total_bytes: int = 64 * 2**30
    max_ratio: int = 100
    ratio_from_bytes: int = 2**20
    max_readme_bytes: int = 2**16
    max_pixels: int = 120_000_000


DEFAULT_LIMITS = Limits()
