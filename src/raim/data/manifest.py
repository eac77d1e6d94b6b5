"""The manifest of a data set: one CSV that says, per image, its scenario and the size of a restored image.

Columns (any order; spaces around a value, letter case of a column name, a byte order mark do not matter):

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

import csv
import difflib
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from raim.data.names import collision_key, has_image_suffix, image_stem
from raim.errors import ManifestError

COLUMNS = ("name", "scenario", "issue", "label", "width", "height", "sha256", "role")
WRITTEN_COLUMNS = ("name", "scenario", "width", "height", "sha256", "role")
MISSPELT = 0.75  # similarity (difflib ratio) from which an unknown column is taken for a misspelt known one
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
    """A manifest: its rows in the file's order, and the columns that were not used."""

    rows: tuple[ManifestRow, ...]
    ignored_columns: tuple[str, ...] = ()

    def by_name(self) -> Mapping[str, ManifestRow]:
        """Give the rows by their name."""
        return {row.name: row for row in self.rows}

    def scenarios(self) -> tuple[str, ...]:
        """Name the scenarios (or issues) that occur, in the order of first occurrence."""
        return tuple(dict.fromkeys(row.scenario for row in self.rows if row.scenario is not None))

    def sha256(self) -> str:
        """Hash what the manifest says: the same for another order of rows or columns, or other line ends.

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
    """Read a manifest from a CSV file (UTF-8, comma-separated, first line the names of the columns).

    Raises:
        ManifestError: The file cannot be read or has mistakes; every one is listed with its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ManifestError(f"cannot read the manifest {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8 (byte {error.start}); save it as CSV UTF-8") from error
    return parse_manifest(text, file_name=str(path))


def parse_manifest(text: str, *, file_name: str = "manifest") -> Manifest:
    r"""Read a manifest from the text of a CSV file; `file_name` stands in messages.

    Raises:
        ManifestError: It has mistakes; every one is listed with its line.

    Example:
        >>> parse_manifest("name,issue,camera\n0001,moire,X100\n").rows[0].scenario
        'moire'
    """
    try:
        return _parse(text, file_name)
    except csv.Error as error:
        raise ManifestError(f"{file_name} is not a CSV file: {error}") from error


def format_manifest(rows: Iterable[ManifestRow]) -> str:
    r"""Write rows as the text of a manifest that `parse_manifest` reads back as the same rows.

    A row becomes one line without a role, or an input and a reference line where both hashes have to be kept.

    Example:
        >>> row = ManifestRow(name="0001", scenario="denoise", width=64, height=48)
        >>> print(format_manifest([row]), end="")
        name,scenario,width,height,sha256,role
        0001,denoise,64,48,,
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(WRITTEN_COLUMNS)
    for row in rows:
        writer.writerows(_lines_of(row))
    return text.getvalue()


def write_manifest(path: Path, rows: Iterable[ManifestRow]) -> None:
    """Write a manifest file.

    Raises:
        ManifestError: The file cannot be written.
    """
    try:
        path.write_text(format_manifest(rows), encoding="utf-8", newline="\n")
    except OSError as error:
        raise ManifestError(f"cannot write the manifest {path}: {error.strerror}") from error


def _lines_of(row: ManifestRow) -> Iterator[tuple[object, ...]]:
    scenario, size = row.scenario or "", (row.width or "", row.height or "")
    if row.reference_sha256 is None:
        yield (row.name, scenario, *size, row.input_sha256 or "", _NO_ROLE)
        return
    if row.input_sha256 is not None:
        yield (row.name, scenario, "", "", row.input_sha256, "input")
    yield (row.name, scenario, *size, row.reference_sha256, "reference")


def _parse(text: str, file_name: str) -> Manifest:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [column.strip().lower() for column in next(reader, [])]
    problems = _header_problems(header)
    if problems:
        raise _manifest_error(file_name, [(1, problem) for problem in problems])
    used = [column for column in COLUMNS if column in header and not _is_idle(column, header)]
    found: list[tuple[int, str]] = []
    lines = [line for line in _read_lines(reader, header, used, found) if line.name]
    rows = tuple(_merge(group, found) for group in _group_by_name(lines, found))
    if not rows and not found:
        found.append((1, "it has no rows; expected one line per image after the names of the columns"))
    if found:
        raise _manifest_error(file_name, found)
    ignored = tuple(column for column in header if column not in used)
    return Manifest(rows=rows, ignored_columns=ignored)


def _is_idle(column: str, header: list[str]) -> bool:
    """Say whether a known column is not read: `label` stands in only where scenario and issue are absent."""
    return column == "label" and ("scenario" in header or "issue" in header)


def _header_problems(header: list[str]) -> list[str]:
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        return ["the columns are not separated by commas; export the table as comma-separated CSV"]
    problems = [f"the column {name!r} stands twice" for name in sorted(set(header)) if header.count(name) > 1]
    absent = [column for column in COLUMNS if column not in header]
    for column in header:
        near = [] if column in COLUMNS else difflib.get_close_matches(column, absent, n=1, cutoff=MISSPELT)
        if near:
            problems.append(f"no column is named {column!r}; did you mean {near[0]!r}?")
    if "name" not in header and not problems:
        there = ", ".join(header) or "nothing"
        problems.append(
            f"the column 'name' is missing; the first line must name the columns and has: {there}"
        )
    return problems


def _read_lines(
    reader: Iterator[list[str]], header: list[str], used: list[str], found: list[tuple[int, str]]
) -> Iterator[_Line]:
    for values in reader:
        number = getattr(reader, "line_num", 0)
        if not any(value.strip() for value in values):
            continue
        if len(values) != len(header):
            found.append((number, f"it has {len(values)} values, the first line names {len(header)} columns"))
            continue
        row = {column: value.strip() for column, value in zip(header, values, strict=True) if column in used}
        yield _read_line(number, row, found)


def _read_line(number: int, row: dict[str, str], found: list[tuple[int, str]]) -> _Line:
    problems: list[str] = []
    width, height = _read_size(row.get("width", ""), row.get("height", ""), problems)
    line = _Line(
        number=number,
        role=row.get("role", _NO_ROLE).lower(),
        name=_read_name(row["name"], problems),
        scenario=_read_scenario(row, problems),
        width=width,
        height=height,
        sha256=_read_sha256(row.get("sha256", ""), problems),
    )
    found.extend((number, problem) for problem in problems)
    return line


def _read_name(name: str, problems: list[str]) -> str:
    if not name:
        problems.append("the name is empty; expected the stem of the image, such as 0001")
    elif "/" in name or "\\" in name or not name.isprintable():
        problems.append(f"the name {name!r} has a slash or an invisible character; expected only the stem")
    elif has_image_suffix(name):
        problems.append(f"the name {name!r} has a file suffix; expected the stem {image_stem(name)!r}")
    return image_stem(name + ".png") if name else ""


def _read_scenario(row: dict[str, str], problems: list[str]) -> str | None:
    stated = [row[column] for column in ("scenario", "issue", "label") if row.get(column)]
    if len(stated) > 1:
        problems.append(f"it has both the scenario {stated[0]!r} and the issue {stated[1]!r}; state one")
    return stated[0] if stated else None


def _read_size(width: str, height: str, problems: list[str]) -> tuple[int | None, int | None]:
    if not width and not height:
        return None, None
    if all(re.fullmatch(r"0*[1-9][0-9]{0,8}", side, re.ASCII) for side in (width, height)):
        return int(width), int(height)
    problems.append(f"the size is {width!r} by {height!r}; expected two whole numbers of pixels, or neither")
    return None, None


def _read_sha256(value: str, problems: list[str]) -> str | None:
    if value and not _SHA256.fullmatch(value.lower()):
        problems.append(f"the sha256 {value!r} is not 64 hexadecimal digits")
    return value.lower() or None


def _group_by_name(lines: list[_Line], found: list[tuple[int, str]]) -> Iterable[list[_Line]]:
    groups: dict[str, list[_Line]] = {}
    for line in lines:
        group = groups.setdefault(collision_key(line.name), [])
        group.append(line)
        if line.name != group[0].name:
            found.append((line.number, _collision(line, group[0])))
    return groups.values()


def _collision(line: _Line, earlier: _Line) -> str:
    return (
        f"the name {line.name!r} differs from {earlier.name!r} (line {earlier.number}) only in case or "
        "Unicode form; rename one"
    )


def _merge(group: list[_Line], found: list[tuple[int, str]]) -> ManifestRow:
    first = group[0]
    for index, line in enumerate(group[1:], start=1):
        found.extend((line.number, problem) for problem in _conflicts(line, group[:index]))
    by_role = {line.role: line for line in group}
    bare, reference = by_role.get(_NO_ROLE), by_role.get("reference")
    sized = reference or bare
    source = by_role.get("input") or bare
    return ManifestRow(
        name=first.name,
        scenario=next((line.scenario for line in group if line.scenario), None),
        width=sized.width if sized else None,
        height=sized.height if sized else None,
        input_sha256=source.sha256 if source else None,
        reference_sha256=reference.sha256 if reference else None,
    )


def _conflicts(line: _Line, earlier: list[_Line]) -> Iterator[str]:
    for other in earlier:
        if line.name != other.name:
            continue
        if line.role == other.role:
            what = f"the role {line.role!r}" if line.role else "no role"
            yield f"the name {line.name!r} with {what} stands in line {other.number} already; remove one"
        if line.scenario and other.scenario and line.scenario != other.scenario:
            yield (
                f"the name {line.name!r} has the scenario {line.scenario!r} here and {other.scenario!r} in "
                f"line {other.number}; an image belongs to one"
            )


def _manifest_error(file_name: str, found: list[tuple[int, str]]) -> ManifestError:
    ordered = sorted(set(found))
    if len(ordered) == 1:
        return ManifestError(f"{file_name}, line {ordered[0][0]}: {ordered[0][1]}")
    listed = "\n".join(f"  {file_name}, line {number}: {problem}" for number, problem in ordered)
    return ManifestError(f"{file_name} has {len(ordered)} mistakes:\n{listed}")
