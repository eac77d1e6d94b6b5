"""The one reader and the one writer of tables (CSV): docs/tables.md."""

from raim.tables.cells import clean_name, match_names, parse_number, parse_whole, rename_known, say_none_known
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
from raim.tables.reading import Row, decode_table, find_workbook, parse_table, read_content, read_table
from raim.tables.writing import Digits, format_html, format_rows, format_table, json_value

__all__ = [
    "Digits",
    "Problems",
    "Row",
    "by_name",
    "clean_name",
    "decode_table",
    "find_workbook",
    "format_html",
    "format_rows",
    "format_table",
    "json_value",
    "list_columns",
    "list_shortly",
    "match_names",
    "name_alike",
    "parse_number",
    "parse_table",
    "parse_whole",
    "read_content",
    "read_moment",
    "read_number",
    "read_rows",
    "read_table",
    "rename_known",
    "say_none_known",
    "take_rows",
]
