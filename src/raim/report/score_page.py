"""The score page: one self-contained HTML file with ranking, distributions, pictures, definition and provenance.

It opens from disk and loads nothing: styles, script and pictures are within, and its Content-Security-Policy allows
just these (by their hashes), so nothing that a name or a warning says can run.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from raim.report.case_views import view_cases
from raim.report.cases import choose_cases
from raim.report.columns import find_columns
from raim.report.definition import describe_measures, write_formula
from raim.report.distribution import draw_distributions
from raim.report.embedding import Embedded, embed_photographs
from raim.report.messages import collect_notes, collect_warnings
from raim.report.pages import load_template, read_asset, write_page
from raim.report.photographs import PictureFolders, read_photographs
from raim.report.policy import write_policy
from raim.report.ranking import count_reasons, make_ranking, make_scenario_rankings
from raim.scoring.records import SCORES_SCHEMA, ScoreTable


def write_score_page(
    table: ScoreTable,
    path: Path,
    *,
    pictures: PictureFolders | None = None,
    title: str = "Scores",
    note: str | None = None,
    created: datetime | None = None,
) -> None:
    """Write the score page of a table to one HTML file.

    Args:
        table: What was scored.
        path: The file to write; it appears whole or not at all.
        pictures: Where the pictures lie; None writes the page without any.
        title: Its heading.
        note: A paragraph below the heading, such as how the images were made.
        created: When it was scored, as an aware time; None leaves it out.

    Raises:
        InputError: If an entry has no folder, the pictures do not fit or the file cannot be written.
        ImageError: If a reference that was scored cannot be read any more.
        SubmissionError: If a folder or zip of pictures is unsafe or holds no image.

    Example:
        >>> import tempfile
        >>> from raim.scoring import PROFILES
        >>> table = ScoreTable(profile=PROFILES["raim-2024"], entries=(), raim_version="1.0")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_score_page(table, Path(folder, "scores.html"), title="<b>Hostile</b>")
        ...     "<h1>&lt;b&gt;Hostile&lt;/b&gt;</h1>" in Path(folder, "scores.html").read_text()
        True
    """
    text = render_score_page(table, pictures=pictures, title=title, note=note, created=created)
    write_page(path, text)


def render_score_page(
    table: ScoreTable,
    *,
    pictures: PictureFolders | None = None,
    title: str = "Scores",
    note: str | None = None,
    created: datetime | None = None,
) -> str:
    """Return the text of the page; see `write_score_page`."""
    style, script = read_asset("score_page.css"), read_asset("score_page.js")
    cases = choose_cases(table, per_entry=pictures.per_entry) if pictures is not None else ()
    embedded = _embed(cases, pictures)
    return load_template("score_page.html.jinja").render(
        title=title,
        note=note,
        created=_format_time(created),
        policy=write_policy(style=style, script=script),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        uris=_as_json(embedded.uris),
        entries=view_cases(cases, embedded, table.profile) if pictures is not None else (),
        pictures=pictures,
        **_describe(table),
    )


def _embed(cases: Sequence[Any], pictures: PictureFolders | None) -> Embedded:
    if pictures is None or not cases:
        return Embedded(photographs=(), uris={}, keys={})
    return embed_photographs(tuple(read_photographs(cases, pictures)), max_bytes=pictures.max_bytes)


def _describe(table: ScoreTable) -> dict[str, Any]:
    """Return everything of the page that stems from the table alone."""
    return {
        "table": table,
        "schema": SCORES_SCHEMA,
        "columns": find_columns(table.profile),
        "ranking": make_ranking(table),
        "scenarios": make_scenario_rankings(table),
        "n_images": max((len(entry.images) for entry in table.entries), default=0),
        "not_expected": [
            image.name for entry in table.entries[:1] for image in entry.images if not image.is_expected
        ],
        "reasons": [(entry.name, count_reasons(entry)) for entry in table.entries],
        "charts": draw_distributions(table),
        "formula": write_formula(table.profile),
        "measures": describe_measures(table.profile),
        "warnings": collect_warnings(table),
        "notes": collect_notes(table),
    }


def _format_time(created: datetime | None) -> str | None:
    return None if created is None else created.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _as_json(uris: Mapping[str, str]) -> Markup:
    """Write data for a script element; no "<" is left in it that could end the element."""
    return Markup(json.dumps(dict(uris)).replace("<", "\\u003c"))  # noqa: S704 - hexadecimal keys and base64
