"""Where a manifest's rows stand, and its reader's errors as problems with their lines."""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from raim.challenge.problem import Problem
from raim.errors import ManifestError

# (name, role) -> line; a name's first line stands under the role "" too.
ManifestLines = Mapping[tuple[str, str], int]

# How raim.data words a mistake: "FILE, line 3: what is wrong"; several stand on lines of their own.
_MISTAKE = re.compile(r"^ *(?P<file>.+), line (?P<line>[0-9]+): (?P<message>.+)$", re.MULTILINE)


def locate_rows(text: str) -> ManifestLines:
    r"""Give the line of each row of a manifest that has no mistakes.

    Example:
        >>> locate_rows("name,role\n0001,input\n0001,reference\n")
        {('0001', 'input'): 2, ('0001', ''): 2, ('0001', 'reference'): 3}
    """
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [column.strip().lower() for column in next(reader, [])]
    lines: dict[tuple[str, str], int] = {}
    for values in reader:
        row = dict(zip(header, values, strict=False))
        name = unicodedata.normalize("NFC", row.get("name", "").strip())
        lines.setdefault((name, row.get("role", "").strip().lower()), reader.line_num)
        lines.setdefault((name, ""), reader.line_num)
    return lines


def manifest_problems(error: ManifestError, path: Path) -> list[Problem]:
    """Give each mistake that the reader of manifests lists.

    Example:
        >>> print(manifest_problems(ManifestError("m.csv, line 2: the name is empty"), Path("m.csv"))[0])
        m.csv:2: the name is empty
    """
    found = [
        Problem(file=match["file"], line=int(match["line"]), message=match["message"])
        for match in _MISTAKE.finditer(str(error))
    ]
    return found or [Problem(file=str(path), message=str(error))]
