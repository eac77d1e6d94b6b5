"""The library of codecs, imported at first use: it takes longer to import than most images take to inspect."""

from typing import Any


def load_codecs() -> Any:
    """Give imagecodecs, without its type stubs: they leave out the arrays and views that its functions take."""
    import imagecodecs

    return imagecodecs
