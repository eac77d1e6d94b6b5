"""Pages from templates: what every page has, and how times, numbers and states are written."""

import functools
import hashlib
import math
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse

from raim import __version__
from raim.challenge.modes import MODES
from raim.files import say_size
from raim.records import STATES
from raim.records.record import Record
from raim.scoring import DECIMALS, TITLES
from raim.server.markdown import render_markdown
from raim.server.web.context import RequestContext
from raim.server.web.history_chart import draw_history
from raim.server.web.notes import PAGE_NOTES

STATIC = Path(str(files("raim.server.web").joinpath("static")))


@functools.cache
def environment() -> jinja2.Environment:
    """Return the environment of all templates."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("raim.server.web", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # or each use of each template looks whether its file has changed
    )
    made.filters["markdown"] = render_markdown
    made.filters["number"] = show_number
    made.filters["bytes"] = say_size
    made.filters["as_number"] = as_number
    made.globals.update(
        asset=asset,
        MEASURES=TITLES,
        MODES=MODES,
        STATES=STATES,
        version=__version__,
        badge=badge,
        NOTES=PAGE_NOTES,
        draw_history=draw_history,
        names_of=lambda each: list(type(each).model_fields) if isinstance(each, Record) else [],
    )
    return made


def render_page(
    context: RequestContext, template: str, /, *, status: int = 200, **shown: Any
) -> HTMLResponse:
    """Return the page of a template, which knows the request as `context`."""
    return HTMLResponse(render_text(context, template, **shown), status_code=status)


def render_text(context: RequestContext, template: str, /, **shown: Any) -> str:
    """Return the HTML of a template."""
    chosen = context.chosen
    zone = ZoneInfo("UTC") if chosen is None else chosen.definition.timezone

    def make(name: str) -> str:
        return environment().get_template(name).render(variables)

    def kept(name: str) -> Markup:
        """Return a part of the page that says nothing but its record, as long as the record itself is kept."""
        record = variables["record"]
        key = name, context.here, id(record)  # nobody else's while the record is kept beside the part
        return Markup(context.server.keep(key, lambda: (record, make(name)))[1])  # noqa: S704 - of a template, which escapes

    variables: dict[str, Any] = {
        "context": context,
        "here": context.here,
        "viewer": context.viewer,
        "challenge": chosen,
        "definition": None if chosen is None else chosen.definition,
        "hosted": context.hosted,
        "site": _name_site(context),
        "now": context.now,
        "moment": functools.partial(show_moment, zone=zone),
        "kept": kept,
        **shown,
    }
    return make(template)


def _name_site(context: RequestContext) -> str:
    if context.chosen is not None:
        return context.chosen.definition.name
    return "Restoration challenges" if context.hosted.series is None else context.hosted.series.name


def show_moment(moment: datetime | None, *, zone: ZoneInfo, countdown: bool = False) -> Markup:
    """Return a time in the challenge's zone, marked up so that the page adds the reader's own.

    Example:
        >>> from datetime import UTC
        >>> show_moment(datetime(2026, 3, 1, 12, tzinfo=UTC), zone=ZoneInfo("Asia/Tokyo"))
        Markup('<time datetime="2026-03-01T12:00:00+00:00" data-local>2026-03-01 21:00 Asia/Tokyo</time>')
    """
    if moment is None:
        return Markup("-")
    extra = Markup(" data-countdown") if countdown else ""
    return Markup('<time datetime="{}" data-local{}>{} {}</time>').format(
        moment.isoformat(timespec="seconds"), extra, f"{moment.astimezone(zone):%Y-%m-%d %H:%M}", zone.key
    )


def show_number(value: float | None, measure: str = "score") -> str:
    """Return a value of a measure with its digits.

    Example:
        >>> show_number(0.12345, "lpips"), show_number(None), show_number(math.inf, "psnr")
        ('0.1235', '-', '∞')
    """
    if value is None:
        return "-"
    return f"{value:.{DECIMALS.get(measure, 4)}f}" if math.isfinite(value) else "∞"


def as_number(value: float | str | None) -> float | None:
    """Read a number as results keep it, where an infinite one is a word.

    Example:
        >>> as_number("inf"), as_number(1.5), as_number(None)
        (inf, 1.5, None)
    """
    return None if value is None else float(value)


def badge(state: str) -> Markup:
    """Return the badge of a submission's state."""
    facts = STATES[state]
    return Markup('<span class="badge badge-{}">{}</span>').format(facts.badge, facts.label)


@functools.cache
def asset(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    path = STATIC / name
    tag = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else __version__
    return f"/static/{name}?v={tag}"
