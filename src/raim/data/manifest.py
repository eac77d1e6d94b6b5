"""The manifest of a data set: one CSV that says, per image, its scenario and the size of a restored image.

A table as `raim.tables` reads it (docs/tables.md). Columns:

| column | meaning |
|---|---|
| `name` | required: the stem that input, reference and restored image share |
| `scenario` or `issue` | of a pair, of an unpaired image; `label` is read where neither column exists |
| `width`, `height` | size of a restored image in pixels, both or none; none means the input's own size |
| `sha256` | SHA-256 of the file, 64 hexadecimal digits |
| `role` | `input` or `reference`, where the manifest has a row per file; rows of one name are merged |

Without `role` a row speaks of the restored image (its size) and of the input file (its SHA-256). With it,
only a `reference` row's size is the restored image's (an `input` row states the input's own); a row of
another role only has to name the same scenario. Other columns are ignored and listed in
`Manifest.ignored_columns`; one that looks like a misspelt known column is an error. All mistakes are reported
together, with their lines.
"""

import difflib
import hashlib
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from raim.data.names import find_collisions, has_image_suffix, image_stem
from raim.errors import InputError, ManifestError
from raim.files import place_file
from raim.tables import Row, format_table, match_names, parse_table, parse_whole, read_content, say_none_known

COLUMNS = ("name", "scenario", "issue", "label", "width", "height", "sha256", "role")
WRITTEN_COLUMNS = ("name", "scenario", "width", "height", "sha256", "role")
MISSPELT = 0.75  # similarity (difflib ratio) from which an unknown column is taken for a misspelt known one
MOST_PX = 999_999_999  # of a side
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_ROLE = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ManifestRow:
    """What a manifest says of one image.

    Attributes:
        name: Stem that input, reference and restored image share, in NFC.
        scenario: Scenario of a pair or issue of an unpaired image; None where the manifest says nothing.
        width: Width of the restored image in pixels; None (like `height`) means the input's size.
        height: Height of the restored image in pixels.
        input_sha256: SHA-256 of the input file, where stated.
        reference_sha256: SHA-256 of the reference file, where stated.
    """

    name: str
    scenario: str | None = None
    width: int | None = None
    height: int | None = None
    input_sha256: str | None = None
    reference_sha256: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A manifest.

    Attributes:
        rows: In the order of the file.
        ignored_columns: That were not used.
        notes: What to know of how it was read.
        lines: Where each (name, role) stands in the file; a name's first line stands under the role "" too.
    """

    rows: tuple[ManifestRow, ...]
    ignored_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict, compare=False)

    def by_name(self) -> Mapping[str, ManifestRow]:
        """Return the rows by their name."""
        return {row.name: row for row in self.rows}

    def match(self, stems: Collection[str]) -> "Manifest":
        """Return the manifest with the images' own names, where a spreadsheet has shortened them; its notes say so.

        Args:
            stems: Names of the images.

        Raises:
            ManifestError: No row names an image.

        Example:
            >>> Manifest(rows=(ManifestRow(name="1", scenario="denoise"),)).match(["0001"]).rows[0].name
            '0001'
        """
        match = match_names([row.name for row in self.rows], stems)
        if stems and not match.names:
            raise ManifestError(f"the manifest: {say_none_known(match.unknown, stems)}")
        return replace(
            self,
            rows=tuple(replace(row, name=match.names.get(row.name, row.name)) for row in self.rows),
            notes=(*self.notes, *filter(None, [match.note])),
            lines={(match.names.get(name, name), role): line for (name, role), line in self.lines.items()},
        )

    def scenarios(self) -> tuple[str, ...]:
        """Return the scenarios (or issues) that occur, in the order of first occurrence."""
        return tuple(dict.fromkeys(row.scenario for row in self.rows if row.scenario is not None))

    def sha256(self) -> str:
        """Return the SHA-256 of what it says: the same for another order of rows or columns, or other line ends.

        Example:
            >>> Manifest(rows=(ManifestRow(name="0001", scenario="denoise"),)).sha256()[:16]
            '0bb7a467d0de359d'
        """
        return hashlib.sha256(
            format_manifest(sorted(self.rows, key=lambda row: row.name)).encode()
        ).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    """One line of the file, its values checked."""

    number: int
    role: str
    name: str
    scenario: str | None
    width: int | None
    height: int | None
    sha256: str | None


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file.

    Raises:
        ManifestError: The file cannot be read or has mistakes; every one is listed with its line.
    """
    try:
        content = read_content(path)
    except InputError as error:
        raise ManifestError(str(error)) from error
    return parse_manifest(content, file_name=str(path))


def parse_manifest(content: bytes | str, *, file_name: str = "manifest") -> Manifest:
    r"""Return the manifest in the content of a file; `file_name` stands in messages.

    Raises:
        ManifestError: It has mistakes; every one is listed with its line.

    Example:
        >>> parse_manifest("name,issue,camera\n0001,moire,X100\n").rows[0].scenario
        'moire'
    """
    try:
        table = parse_table(content, file_name, known=COLUMNS)
    except InputError as error:
        raise ManifestError(str(error)) from error
    header = table.columns
    has_scenario = "scenario" in header or "issue" in header
    used = [each for each in COLUMNS if each in header and not (each == "label" and has_scenario)]
    found = [(table.header_line, problem) for problem in _list_header_problems(header)]
    wrong = [*found, *table.faults]
    lines = [] if found else [_read_line(row, used, wrong) for row in table.rows]
    rows = _merge_lines([line for line in lines if line.name], wrong)
    if not rows and not wrong:
        wrong.append((1, "it has no rows; expected one line per image after the names of the columns"))
    if wrong:
        raise _manifest_error(file_name, wrong)
    return Manifest(
        rows=rows,
        ignored_columns=tuple(column for column in header if column not in used),
        notes=table.notes,
        lines={(line.name, role): line.number for line in reversed(lines) for role in (line.role, _NO_ROLE)},
    )


def format_manifest(rows: Iterable[ManifestRow]) -> str:
    r"""Return rows as the text of a manifest that `parse_manifest` reads back as the same rows.

    A row becomes one line without a role, or an input and a reference line where both hashes have to be kept.

    Example:
        >>> row = ManifestRow(name="0001", scenario="denoise", width=64, height=48)
        >>> print(format_manifest([row]), end="")
        name,scenario,width,height,sha256,role
        0001,denoise,64,48,,
    """
    return format_table(WRITTEN_COLUMNS, (line for row in rows for line in _lines_of(row)))


def write_manifest(path: Path, rows: Iterable[ManifestRow]) -> None:
    """Write a manifest file.

    Raises:
        OutputError: The file cannot be written.
    """
    place_file(path, format_manifest(rows).encode())


def _lines_of(row: ManifestRow) -> Iterator[tuple[object, ...]]:
    scenario, size = row.scenario or "", (row.width or "", row.height or "")
    if row.reference_sha256 is None:
        yield (row.name, scenario, *size, row.input_sha256 or "", _NO_ROLE)
        return
    if row.input_sha256 is not None:
        yield (row.name, scenario, "", "", row.input_sha256, "input")
    yield (row.name, scenario, *size, row.reference_sha256, "reference")


def _list_header_problems(header: Collection[str]) -> list[str]:
    absent = [column for column in COLUMNS if column not in header]
    near = {
        column: difflib.get_close_matches(column.lower(), absent, n=1, cutoff=MISSPELT)
        for column in header
        if column not in COLUMNS
    }
    problems = [
        f"no column is named {column!r}; did you mean {known[0]!r}?"
        for column, known in near.items()
        if known
    ]
    if "name" not in header and not problems:
        there = ", ".join(header) or "nothing"
        return [f"the column 'name' is missing; the first line must name the columns and has: {there}"]
    return problems


def _read_line(found: Row, used: Collection[str], wrong: list[tuple[int, str]]) -> _Line:
    row = {column: found.cells[column] for column in used}
    problems: list[str] = []
    stated = [row[column] for column in ("scenario", "issue", "label") if row.get(column)]
    if len(stated) > 1:
        problems.append(f"it has both the scenario {stated[0]!r} and the issue {stated[1]!r}; state one")
    sha256 = row.get("sha256", "")
    if sha256 and not _SHA256.fullmatch(sha256.lower()):
        problems.append(f"the sha256 {sha256!r} is not 64 hexadecimal digits")
    width, height = _read_size(row, problems)
    line = _Line(
        number=found.line,
        role=row.get("role", _NO_ROLE).lower(),
        name=_read_name(row["name"], problems),
        scenario=stated[0] if stated else None,
        width=width,
        height=height,
        sha256=sha256.lower() or None,
    )
    wrong.extend((found.line, problem) for problem in problems)
    return line


def _read_name(name: str, problems: list[str]) -> str:
    if not name:
        problems.append("the name is empty; expected the stem of the image, such as 0001")
    elif "/" in name or "\\" in name or not name.isprintable():
        problems.append(f"the name {name!r} has a slash or an invisible character; expected only the stem")
    elif has_image_suffix(name):
        problems.append(f"the name {name!r} has a file suffix; expected the stem {image_stem(name)!r}")
    return image_stem(name + ".png") if name else ""


def _read_size(row: Mapping[str, str], problems: list[str]) -> tuple[int | None, int | None]:
    texts = [row.get(side, "") for side in ("width", "height")]
    try:
        width, height = map(parse_whole, texts)
    except InputError:
        width, height = 0, 0
    if (width is None) == (height is None) and all(
        side is None or 0 < side <= MOST_PX for side in (width, height)
    ):
        return width, height
    problems.append(
        f"the size is {texts[0]!r} by {texts[1]!r}; expected two whole numbers of pixels, or neither"
    )
    return None, None


def _merge_lines(lines: Sequence[_Line], wrong: list[tuple[int, str]]) -> tuple[ManifestRow, ...]:
    """Return a row for each name; what its lines say in contradiction, and names alike, are added to what is wrong."""
    for line, other in find_collisions(lines, lambda line: line.name):
        if line.name != other.name:
            text = f"the name {line.name!r} differs from {other.name!r} (line {other.number}) only in case or"
            wrong.append((line.number, f"{text} Unicode form; rename one"))
    groups: dict[str, list[_Line]] = {}
    for line in lines:
        groups.setdefault(line.name, []).append(line)
    for other, line in itertools.chain.from_iterable(
        itertools.combinations(each, 2) for each in groups.values()
    ):
        wrong.extend((line.number, conflict) for conflict in _list_conflicts(line, other))
    return tuple(_merge(group) for group in groups.values())


def _list_conflicts(line: _Line, other: _Line) -> Iterator[str]:
    if line.role == other.role:
        what = f"the role {line.role!r}" if line.role else "no role"
        yield f"the name {line.name!r} with {what} stands in line {other.number} already; remove one"
    if line.scenario and other.scenario and line.scenario != other.scenario:
        yield (
            f"the name {line.name!r} has the scenario {line.scenario!r} here and {other.scenario!r} in "
            f"line {other.number}; an image belongs to one"
        )


def _merge(group: Sequence[_Line]) -> ManifestRow:
    by_role = {line.role: line for line in group}
    bare, reference = by_role.get(_NO_ROLE), by_role.get("reference")
    sized, source = reference or bare, by_role.get("input") or bare
    return ManifestRow(
        name=group[0].name,
        scenario=next((line.scenario for line in group if line.scenario), None),
        width=sized.width if sized else None,
        height=sized.height if sized else None,
        input_sha256=source.sha256 if source else None,
        reference_sha256=reference.sha256 if reference else None,
    )


def _manifest_error(file_name: str, found: list[tuple[int, str]]) -> ManifestError:
    ordered = sorted(set(found))
    listed = [f"{file_name}, line {number}: {problem}" for number, problem in ordered]
    if len(listed) == 1:
        return ManifestError(listed[0], problems=ordered)
    text = "\n".join(f"  {each}" for each in listed)
    return ManifestError(f"{file_name} has {len(listed)} mistakes:\n{text}", problems=ordered)
