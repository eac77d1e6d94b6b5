"""The form of a page: what people who do not see it depend on, and what a strict policy forbids."""

import re
from html.parser import HTMLParser

VOID = frozenset({"input", "meta", "link", "br", "hr", "img", "source"})


class Page(HTMLParser):
    """What a page is made of, as far as people who do not see it depend on it."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.labels, self.fields, self.headings, self.tables = [], set(), [], [], []
        self.inline, self.buttons, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "label":
            self.labels.add(given.get("for"))
        if tag in {"input", "select", "textarea"} and given.get("type") != "hidden":
            self.fields.append(given.get("id"))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "table":
            self.tables.append({"caption": False, "scopes": True})
        if tag == "caption":
            self.tables[-1]["caption"] = True
        if tag == "th" and "scope" not in given:
            self.tables[-1]["scopes"] = False
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.inline += ["script"] * (tag == "script" and "src" not in given)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check_well_made(text, where, *, is_part=False):
    """Check that elements are closed, ids are one of a kind, fields have labels, tables captions, headings steps."""
    page = Page(text)
    assert page.open == [], where
    assert len(page.ids) == len(set(page.ids)), where
    assert set(page.fields) <= page.labels, where
    assert page.inline == [], where
    assert all(each["caption"] and each["scopes"] for each in page.tables), where
    if is_part:
        return
    assert page.headings[0] == 1, where
    assert page.headings.count(1) == 1, where
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert all(following - before <= 1 for before, following in steps), (where, page.headings)
