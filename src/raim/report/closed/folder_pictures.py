"""The pictures of a challenge that ran elsewhere: folders or zips named after the teams."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raim.errors import unknown_name
from raim.report.closed.material import Failures, ImageMaterial, PictureSource, attempt
from raim.scoring.submission import open_images
from raim.study import Ballots
from raim.tables import Problems, by_name, match_names, name_alike, read_rows, say_none_known

INPUT = "input"


def open_pictures(
    folder: Path, teams: Sequence[str], ballots: Ballots | None, problems: Problems
) -> PictureSource | None:
    """Open images/input and images/TEAM; None if there is no folder images.

    Args:
        folder: Holds images and, if wanted, images.csv with name and issue.
        teams: Whose folders are looked for.
        ballots: With them only images of the study are shown, with their issues.
        problems: Faults are added here; a folder or zip that cannot be read is none, but a failure of its team.
    """
    root = folder / "images"
    if not root.is_dir():
        return None
    opened: dict[str, Mapping[str, Any]] = {}
    unreadable: Failures = {}
    for path in sorted(root.iterdir()):
        name = path.stem if path.suffix.lower() == ".zip" else path.name
        name = match_names([name], teams).names.get(name, name)
        if path.name.startswith(".") or not (path.is_dir() or path.suffix.lower() == ".zip"):
            continue
        if name != INPUT and name not in teams:
            problems.add(str(path), str(unknown_name("team in scores.csv", name, [INPUT, *teams])))
            continue
        found = attempt(functools.partial(open_images, path, allow_links=True), name, unreadable)
        if found is not None:
            opened[name] = found
    if INPUT not in {*opened, *unreadable}:
        problems.add(str(root), f"there is no {INPUT}; expected a folder or zip of the inputs")
        return None
    inputs = opened.get(INPUT, {})
    return PictureSource(
        images=_list_images(folder, list(inputs), ballots, problems),
        read_input=lambda name: inputs[name].read_bytes(),
        read_restored=lambda team, name: (
            opened[team][name].read_bytes() if name in opened.get(team, {}) else None
        ),
        unreadable=unreadable,
    )


def _list_images(
    folder: Path, stems: list[str], ballots: Ballots | None, problems: Problems
) -> tuple[ImageMaterial, ...]:
    rows = by_name(read_rows(folder, "images.csv", ("name", "issue"), problems), "name", problems)
    stated = _name_alike(
        "images.csv", {name: row.cells["issue"] for name, row in rows.items()}, stems, problems
    )
    issues = {} if ballots is None else {name: ballots.issues.get(name, "") for name in ballots.images}
    voted = _name_alike("the votes", issues, stems, problems)
    shown = [name for name in stems if name in voted] if voted else stems
    return tuple(ImageMaterial(name=name, issue=stated.get(name) or voted.get(name, "")) for name in shown)


def _name_alike(
    where: str, found: Mapping[str, str], stems: Sequence[str], problems: Problems
) -> Mapping[str, str]:
    """Return what is said of images by their names; a table that names none of them is a problem."""
    named = name_alike(where, found, stems, problems)
    if found and not named.keys() & set(stems):
        problems.add(where, say_none_known(found, stems))
    return named
