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
from raim.server.web.context import RequestContext

THEMES: dict[str, Literal["light", "dark"]] = {"light": "light", "dark": "dark"}
_lock = threading.Lock()


def list_charts(context: RequestContext, study: Study) -> Mapping[str, Any]:
    """Return the charts that a revealed study has (`raim.report.closed.charts.Chart`), by name.

    Raises:
        StateError: The study is not revealed.
    """
    from raim.report.closed.charts import available_charts

    return describe_charts(available_charts(read_material(context, context.session, study)))


def describe_charts(names: Iterable[str]) -> Mapping[str, Any]:
    """Return title and text of charts (`raim.report.closed.charts.Chart`), by name."""
    from raim.report.closed.charts import CHARTS

    return {name: CHARTS[name] for name in names}


def answer_with_chart(context: RequestContext, study: Study, name: str, theme: str) -> Response:
    """Return a chart of a revealed study; it is drawn while no connection is held.

    Raises:
        StateError: The study is not revealed.
        UnknownNameError: There is no such chart or theme.
    """
    from raim.report.closed.charts import available_charts

    if theme not in THEMES:
        raise unknown_name("theme", theme, THEMES)
    key = ("chart", study.id, context.challenge.version, name, theme)
    material = read_material(context, context.session, study)
    if name not in available_charts(material):
        raise unknown_name("chart", name, available_charts(material))
    return as_svg(context.aside(context.server.keep, key, lambda: _draw(material, name, theme)))


def draw_all(material: Material) -> dict[str, dict[str, str]]:
    """Draw every chart of a revealed study as SVG, by name and theme."""
    from raim.report.closed.charts import available_charts

    return {
        name: {theme: _draw(material, name, theme).decode() for theme in THEMES}
        for name in available_charts(material)
    }


def _draw(material: Material, name: str, theme: str) -> bytes:
    from raim.report.closed.charts import draw_chart

    with _lock:  # drawing is not for many threads at once
        return draw_chart(name, material, format="svg", theme=THEMES[theme])


def as_svg(drawn: str | bytes) -> Response:
    """Return a chart as a picture, never as a page of our site."""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    return Response(drawn, media_type="image/svg+xml", headers=headers)


def read_material(context: RequestContext, session: Session, study: Study) -> Material:
    """Return what charts of a revealed study are made of.

    Raises:
        StateError: The study is not revealed.
    """
    server = context.server
    results = server.results.get(
        session, context.challenge, study, standings=server.standings, profile=context.challenge.profile
    )

    def collect() -> Material:
        return collect_material(
            session,
            server.storage,
            context.challenge,
            standings=server.standings,
            profile=context.challenge.profile,
            results=results,
        )

    return server.keep(("material", study.id, context.challenge.version), collect)
