"""Figures that a script writes into a document, between two marks, so that no number in it is typed by hand."""

from pathlib import Path


def replace_section(text: str, name: str, content: str) -> str:
    r"""Replace what stands between the marks of a section.

    Raises:
        ValueError: If the text does not have both marks once, in order.

    Example:
        >>> replace_section("a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n", "x", "new")
        'a\n<!-- x:begin -->\n\nnew\n\n<!-- x:end -->\nb\n'
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(
            f"the document must hold the lines {begin!r} and {end!r}, once each and in this order"
        )
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    return f"{before}{begin}\n\n{content.strip()}\n\n{end}{after}"


def write_section(path: Path, name: str, content: str) -> None:
    """Replace a section of a file."""
    text = replace_section(path.read_text(encoding="utf-8"), name, content)
    path.write_text(text, encoding="utf-8")
