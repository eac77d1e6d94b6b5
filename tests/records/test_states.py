import re
from pathlib import Path

import pytest

import raim
from raim.records import STATES, named

SOURCE = Path(raim.__file__).parent
# Kinds of submissions and jobs share two of the words, so those are looked for beside the word "state" only.
WORD = "|".join(STATES)
COMPARED = re.compile(rf"""state\w*\s*(==|!=|in|not in)\s*[({{\[]?\s*["']({WORD})["']""")


def test_what_may_follow_a_state_is_a_state_and_a_good_end_was_checked():
    for name, state in STATES.items():
        assert state.following <= set(STATES), name
        assert not state.is_good or state.is_checked, name
    assert named("is_under_way") == ("receiving", "checking", "queued", "scoring")
    assert named("is_taken") == ("checking", "queued", "scoring", "scored", "accepted")
    with pytest.raises(AttributeError):
        named("is_nothing")


def test_nobody_but_the_table_compares_the_words_of_states():
    assert COMPARED.search("if row.state == 'scoring':")
    assert COMPARED.search('{% if submission.state in ("queued", "scored") %}')
    paths = [path for ext in ("py", "jinja") for path in SOURCE.rglob(f"*.{ext}")]
    found = [
        f"{path.relative_to(SOURCE)}: {match[0]}"
        for path in paths
        for match in COMPARED.finditer(path.read_text(encoding="utf-8"))
    ]
    assert len(paths) > 500
    assert found == []
