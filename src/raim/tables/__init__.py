"""The one reader and the one writer of tables (CSV): docs/tables.md."""

from raim.tables.cells import escape_cell, parse_moment, parse_number, parse_whole, read_cell
from raim.tables.decoding import decode_table, find_workbook, read_content
from raim.tables.names import NameMatch, clean_name, match_names, rename_known, say_none_known
from raim.tables.problems import (
    Problems,
    by_name,
    list_columns,
    list_shortly,
    name_alike,
    read_moment,
    read_number,
    read_rows,
    take_rows,
)
from raim.tables.reading import Row, Table, parse_table, read_table
from raim.tables.writing import Digits, format_cell, format_html, format_rows, format_table, json_value

__all__ = [
    "Digits",
    "NameMatch",
    "Problems",
    "Row",
    "Table",
    "by_name",
    "clean_name",
    "decode_table",
    "escape_cell",
    "find_workbook",
    "format_cell",
    "format_html",
    "format_rows",
    "format_table",
    "json_value",
    "list_columns",
    "list_shortly",
    "match_names",
    "name_alike",
    "parse_moment",
    "parse_number",
    "parse_table",
    "parse_whole",
    "read_cell",
    "read_content",
    "read_moment",
    "read_number",
    "read_rows",
    "read_table",
    "rename_known",
    "say_none_known",
    "take_rows",
]
