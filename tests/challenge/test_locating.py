import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.challenge.locating import find_line, locate_keys

AWKWARD = '''# a comment with [brackets] and "quotes"
title = "a # no comment" # a comment
'quoted key' = 1
"with \\" quote".sub = 2

[owner] # [not] a table
dotted.key.path = 1979-05-27 07:32:00Z
text = """
[[phase]]
opens = "not a key"
quotes ""at the end"""""
literal = \'\'\'
[x]
it''s\'\'\'
windows = 'C:\\temp\\'

[[phase]]
id = "one"
scored = { on = "x", tries = { per_day = 3 } } # inline
many = [
  # a comment, with ]
  "a", "b]",
  { name = "c", deep = [1, [2, 3]] },
]

[phase.extra]
key = true

[[phase.judge]]
name = "A"

[[phase.judge]]
name = "B"

[[phase]]
id = "two"
[[phase.judge]]
name = "C"
'''


def paths_of(value, path=()):
    """Every path in what tomllib reads: the independent account of which keys there are."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths_of(each, (*path, key))
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from paths_of(each, (*path, index))


def test_exactly_the_keys_that_tomllib_reads_are_located():
    assert set(locate_keys(AWKWARD)) == set(paths_of(tomllib.loads(AWKWARD)))


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
def test_a_key_is_located_on_its_line(newline):
    text = AWKWARD.replace("\n", newline)
    lines = locate_keys(text)
    for path, start in {
        ("title",): "title",
        ("owner", "dotted", "key", "path"): "dotted.key",
        ("owner", "windows"): "windows",
        ("phase", 0, "scored", "tries", "per_day"): "scored",
        ("phase", 0, "many", 2, "deep", 1, 1): "  { name",
        ("phase", 0, "judge", 1, "name"): 'name = "B"',
        ("phase", 1, "judge", 0, "name"): 'name = "C"',
        ("phase", 1, "id"): 'id = "two"',
    }.items():
        assert text.split(newline)[lines[path] - 1].startswith(start)


NAMES = st.text("abc-_1", min_size=1, max_size=4)
SCALARS = st.sampled_from(["1", "true", "2026-01-01T00:00:00Z", '"x # [y]"', "'''\nz = [1]\n'''", "-1.5e3"])


def render_inline(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {render_inline(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[\n # ] no\n " + ",\n ".join(map(render_inline, value)) + "]"
    return value


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=3)))
def test_any_arrays_of_tables_are_located_as_tomllib_reads_them(tables):
    text = ""
    for name, each in tables.items():
        for table in each:
            text += f"\n[[{name}]] # x\n" + "".join(f"{k} = {render_inline(v)}\n" for k, v in table.items())
    lines = locate_keys(text)
    assert set(lines) == set(paths_of(tomllib.loads(text)))
    for path, line in lines.items():
        if isinstance(path[-1], str):
            assert path[-1] in text.splitlines()[line - 1]


def test_a_missing_key_is_located_at_the_table_where_it_is_missing():
    lines = locate_keys("a = 1\n[[phase]]\nid = 'x'\n")
    assert find_line(lines, ("phase", 0, "scored", "on")) == 2
    assert find_line(lines, ("nothing",)) == 1
