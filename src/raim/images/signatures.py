"""Which format a file has, from its first bytes; other kinds of file are named, so that the message helps."""

from raim.errors import ImageError
from raim.images.picture import Format, Purpose

N_SNIFFED = 64  # more than the longest signature below, and the compatible brands
MEND = "save it as PNG, JPEG, TIFF or WebP"

OTHER_SIGNATURES = (
    (b"GIF8", "a GIF, with a palette and perhaps several frames"),
    (b"BM", "a BMP image"),
    (b"8BPS", "a Photoshop document"),
    (b"%PDF", "a PDF document"),
    (b"v/1\x01", "an OpenEXR image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (b"OggS", "a video or sound (Ogg)"),
    (b"FLV\x01", "a video (Flash)"),
    (b"\0\0\x01\xba", "a video (MPEG)"),
    (b"\0\0\x01\xb3", "a video (MPEG)"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x93NUMPY", "a numpy array"),
)

# ISO base media files say what they are in their "major brand".
BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1"), "a HEIF image"),
    **dict.fromkeys((b"hevc", b"hevx", b"msf1"), "a HEIF image sequence"),
    b"avif": "an AVIF image",
    b"avis": "an AVIF image sequence",
    b"crx ": "a raw photograph (CR3)",
}


RESTORED: dict[str, Format] = {
    "a HEIF image": "HEIF",
    "a HEIF image sequence": "HEIF",
    "an AVIF image": "AVIF",
    "an AVIF image sequence": "AVIF",
    "a JPEG XL image": "JXL",
}


def find_format(start: bytes, purpose: Purpose = "score") -> Format:
    r"""Find the format of a file by its first bytes.

    Raises:
        ImageError: It is none of the four, or of the seven that are restored; the message says what it is.

    Example:
        >>> find_format(b"\xff\xd8\xff\xe0")
        'JPEG'
    """
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WEBP"
    name = _name_other(start)
    if purpose == "restore" and name in RESTORED:
        return RESTORED[name]
    raise ImageError(f"is {name}; {MEND}")


def _name_other(start: bytes) -> str:
    if not start:
        return "an empty file"
    if start[4:8] == b"ftyp":
        name = BRANDS.get(start[8:12], "a video (MP4 or QuickTime)")
        return "an AVIF image" if name == "a HEIF image" and b"avif" in start[16:] else name
    if start.startswith(b"RIFF"):
        return "a video (AVI)" if start[8:12] == b"AVI " else "a RIFF file of another kind"
    for signature, name in OTHER_SIGNATURES:
        if start.startswith(signature):
            return name
    return f"no image that raim reads (it begins with {start[:8]!r})"
