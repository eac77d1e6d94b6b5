"""Texts in cells of CSV files, so that a spreadsheet takes none for a formula and every text comes back as it was.

Source: OWASP, "CSV Injection" (cells that begin with = + - @, tab or a line end).
"""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def escape_cell(text: str) -> str:
    """Put an apostrophe before what looks like a formula.

    Example:
        >>> escape_cell("@home"), escape_cell("Team 7"), unescape_cell(escape_cell("'=x"))
        ("'@home", 'Team 7', "'=x")
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unescape_cell(text: str) -> str:
    """Undo `escape_cell`."""
    is_escaped = text.startswith("'") and text.lstrip("'").startswith(FORMULA)
    return text[1:] if is_escaped else text
