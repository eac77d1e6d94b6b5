"""Charts of a study's results as SVG files of their own, light and dark: pages show them as pictures."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import unknown_name
from raim.report.closed.material import Material
from raim.server.database import Study
from raim.server.study.material import collect_material
from raim.server.web.context import Context

THEMES: dict[str, Literal["light", "dark"]] = {"light": "light", "dark": "dark"}
_lock = threading.Lock()


def list_charts(context: Context, session: Session, study: Study) -> Mapping[str, Any]:
    """Give the charts that a revealed study has (`raim.report.closed.charts.Chart`), by name.

    Raises:
        StateError: The study is not revealed.
    """
    from raim.report.closed.charts import available_charts

    with _lock:
        material = _material(context, session, study)
    return describe_charts(available_charts(material))


def describe_charts(names: Iterable[str]) -> Mapping[str, Any]:
    """Give title and text of charts (`raim.report.closed.charts.Chart`), by name."""
    from raim.report.closed.charts import CHARTS

    return {name: CHARTS[name] for name in names}


def give_chart(context: Context, session: Session, study: Study, name: str, theme: str) -> Response:
    """Give a chart of a revealed study.

    Args:
        context: The request.
        session: Any session.
        study: The study.
        name: Of `list_charts`.
        theme: "light" or "dark".

    Raises:
        StateError: The study is not revealed.
        UnknownNameError: There is no such chart or theme.
    """
    from raim.report.closed.charts import available_charts, draw_chart

    if theme not in THEMES:
        raise unknown_name("theme", theme, THEMES)
    with _lock:  # drawing is not for many threads at once
        material = _material(context, session, study)
        if name not in available_charts(material):
            raise unknown_name("chart", name, available_charts(material))
        drawn = context.server.keep(
            ("chart", study.id, context.contest.version, name, theme),
            lambda: draw_chart(name, material, format="svg", theme=THEMES[theme]),
        )
    return as_svg(drawn)


def draw_all(context: Context, session: Session, study: Study) -> dict[str, dict[str, str]]:
    """Give every chart of a revealed study as SVG, by name and theme."""
    return {
        name: {
            theme: bytes(give_chart(context, session, study, name, theme).body).decode() for theme in THEMES
        }
        for name in list_charts(context, session, study)
    }


def as_svg(drawn: str | bytes) -> Response:
    """Give a chart as a picture, never as a page of our site."""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    return Response(drawn, media_type="image/svg+xml", headers=headers)


def _material(context: Context, session: Session, study: Study) -> Material:
    server = context.server
    results = server.results.get(
        session, context.contest, study, standings=server.standings, profile=server.profile
    )

    def collect() -> Material:
        return collect_material(
            session,
            server.storage,
            context.contest,
            standings=server.standings,
            profile=server.profile,
            results=results,
        )

    return server.keep(("material", study.id, context.contest.version), collect)
