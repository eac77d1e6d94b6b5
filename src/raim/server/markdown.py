"""Markdown of organisers and teams as safe HTML: nothing raw, no scripts, no images, headings that fit."""

import functools
import re

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").enable("strikethrough")
TAGS = frozenset(
    {
        *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
        *("h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
    }
)
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "th": {"align"}, "td": {"align"}}


@functools.lru_cache(maxsize=500)
def render_markdown(text: str, top: int = 2) -> Markup:
    r"""Return the HTML of a text; `top` is the level of its highest headings, so that they fit under the page's own.

    Example:
        >>> render_markdown("# A *title* <script>alert(1)</script>")
        Markup('<h2>A <em>title</em> &lt;script&gt;alert(1)&lt;/script&gt;</h2>\n')
        >>> render_markdown("## A title", top=3)
        Markup('<h3>A title</h3>\n')
    """
    html = _PARSER.render(text)
    lower = top - min(map(int, re.findall(r"<h([1-6])>", html)), default=top)
    html = re.sub(r"(</?h)([1-6])>", lambda found: f"{found[1]}{min(6, int(found[2]) + lower)}>", html)
    clean = nh3.clean(
        html,
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704 - cleaned just above
