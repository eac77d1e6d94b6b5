"""What the name of an image means: its stem is its identity, its suffix only says how it is stored.

Inputs, references, restored images and manifest rows belong together by stem, never by order. Two stems are
the same when their NFC forms are equal (macOS stores a decomposed e-acute where others store one character).
Two names *collide* when some file system or reader could take one for the other: they are equal after NFKC
and case folding.

Source: Unicode Standard Annex 15 (normal forms) and section 3.13 of the Unicode Standard (caseless matching).
"""

import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import TypeVar

_Item = TypeVar("_Item")

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"})
# What `raim restore` takes of a folder, too: other names of JPEG, and formats of telephones and cameras.
PHOTOGRAPH_SUFFIXES = IMAGE_SUFFIXES | {".jfif", ".jpe", ".heic", ".heif", ".hif", ".avif", ".jxl"}


def image_stem(file_name: str) -> str:
    """Return the identity of an image from its file name: the NFC form of the name without its last suffix.

    Args:
        file_name: A file name or a path with forward slashes; only its last part counts.

    Returns:
        The stem, in NFC; case is kept.

    Example:
        >>> image_stem("results/IMG_0007.v2.PNG")
        'IMG_0007.v2'
    """
    return unicodedata.normalize("NFC", PurePosixPath(file_name).stem)


def has_image_suffix(file_name: str, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> bool:
    """Return whether a file name ends like an image that raim reads.

    Example:
        >>> has_image_suffix("0001.JPG"), has_image_suffix("readme.txt")
        (True, False)
    """
    return PurePosixPath(file_name).suffix.lower() in suffixes


def list_images(folder: Path) -> list[Path]:
    """Return the images of a folder by name; hidden files, and those of folders within it, do not count.

    Raises:
        OSError: The folder cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("b.png", "a.jpg", ".c.png", "readme.txt"):
        ...         _ = Path(folder, name).touch()
        ...     [path.name for path in list_images(Path(folder))]
        ['a.jpg', 'b.png']
    """
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and has_image_suffix(path.name) and not path.name.startswith(".")
    )


def collision_key(name: str) -> str:
    """Return the form in which two names that could be taken for each other are equal (NFKC, case folded).

    Example:
        >>> collision_key("IMAGE") == collision_key("image"), collision_key("a") == collision_key("b")
        (True, False)
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    # Folding can leave the normal form (Unicode 3.13, definition D146), so it is normalised again.
    return unicodedata.normalize("NFKC", folded)


def find_collisions(items: Iterable[_Item], name: Callable[[_Item], str]) -> list[tuple[_Item, _Item]]:
    """Return each item whose name could be taken for that of an earlier one, with that one.

    Example:
        >>> find_collisions(["a", "b", "A"], str)
        [('A', 'a')]
    """
    first: dict[str, _Item] = {}
    pairs = [(item, first.setdefault(collision_key(name(item)), item)) for item in items]
    return [(item, other) for item, other in pairs if item is not other]
