"""What all pages share: their templates, and the way they are written."""

import functools
from pathlib import Path
from typing import Any

from raim.errors import need_extra
from raim.files import place_file

TEMPLATES = Path(__file__).parent / "templates"


@functools.cache
def load_template(name: str) -> Any:
    """Load a template that escapes whatever is put into it, and refuses what it was not given."""
    need_extra("a page", "report", "jinja2")
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def read_asset(name: str) -> str:
    """Read a style sheet or a script.

    Example:
        >>> "{" in read_asset("score_page.css")
        True
    """
    return (TEMPLATES / name).read_text(encoding="utf-8")


def write_page(path: Path, text: str) -> None:
    """Write a page; it appears whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    # Names may hold lone surrogates (undecodable bytes of a file system); they are shown as "?".
    place_file(path, text.encode("utf-8", errors="replace"))
