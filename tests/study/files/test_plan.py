import json

import pytest

from raim.errors import InputError, UnknownNameError, VotesError
from raim.study import BLURRED, StudyDesign, plan_judge
from raim.study.files import format_plan, format_sheet, make_plan, parse_plan, write_plan

ENTRIES = ("a", "b", "c")


def design(**changes):
    images = {"1": "moire", "2": "", "3": ""}
    return StudyDesign(**{"seed": 1, "entries": ENTRIES, "images": images, "n_judges": 3, **changes})


def test_json_and_back_is_the_same_plan():
    plan = make_plan(design(conflicts="hide-tile"), ties={"J02": ["a"]})
    assert parse_plan(format_plan(plan)) == plan


def test_a_plan_holds_what_every_judge_sees():
    plan = make_plan(design())
    assert [each.trials for each in plan.judges] == [plan_judge(design(), index) for index in range(3)]
    assert plan.find("J02", "voting", 1) == plan.judges[1].trials[0]
    assert plan.find("J02", "training", 1) == plan.judges[1].training[0]
    assert plan.find("J02", "voting", 99) is plan.find("J09", "voting", 1) is None


def test_a_tied_judge_does_not_vote_or_does_not_see_the_entry_by_rule():
    out = make_plan(design(conflicts="exclude-judge"), ties={"J02": ["a"]})
    assert (out.excluded, [each.judge for each in out.judges]) == (("J02",), ["J01", "J03"])
    assert out.judges[1].trials == plan_judge(design(), 2)
    hidden = make_plan(design(conflicts="hide-tile"), ties={"J02": ["a"]})
    seen = {tile for trial in hidden.judges[1].trials for tile in trial.tiles}
    assert seen <= {"b", "c", BLURRED}


def test_ties_of_nobody_and_to_nobody_are_refused():
    with pytest.raises(UnknownNameError, match="no judge named 'J9'"):
        make_plan(design(), ties={"J9": ["a"]})
    with pytest.raises(UnknownNameError, match="no entry named 'z'"):
        make_plan(design(), ties={"J01": ["z"]})
    with pytest.raises(InputError, match="nobody is left"):
        make_plan(design(), names=["Ann"], ties={"Ann": ["a"]})
    with pytest.raises(InputError, match="the same name"):
        make_plan(design(), names=["Ann", "Ann"])


def test_a_sheet_tells_neither_entries_nor_kinds():
    named = design(entries=("Nightingale", "Sparrow", "Starling"), n_traps=2)
    plan = make_plan(named)
    text = format_sheet(named, plan.judges[0])
    assert not any(word in text for word in (*named.entries, "blurred", "trap", "repeat", "counted", "moire"))
    trials = (*plan.judges[0].training, *plan.judges[0].trials)
    assert len(text.splitlines()) == 1 + sum(len(trial.tiles) for trial in trials)


def test_with_ratings_a_sheet_asks_for_grades():
    rated = design(mode="rating", points=(), criteria=())
    assert format_sheet(rated, make_plan(rated).judges[0]).startswith(
        "judge,part,position,image,label,grade\n"
    )


def test_files_are_the_plan_and_a_sheet_for_each_judge_and_never_replace_others(tmp_path):
    plan = make_plan(design(), names=["Ann", "Bob"])
    files = write_plan(plan, tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in files] == [
        "plan.json", "sheets/01.csv", "sheets/02.csv",
    ]  # fmt: skip
    with pytest.raises(InputError, match="there already"):
        write_plan(plan, tmp_path / "out")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("schema", "raim-study/9", "schema is 'raim-study/9'"),
        ("design", None, "design is missing"),
        ("judges", {}, "judges is {}; expected a list"),
        ("judges", [{"judge": 7}], "judge is 7; expected a text"),
        ("judges", [{"judge": "J", "trials": [{"position": 2}]}], "image is missing"),
    ],
)
def test_what_is_no_plan_is_refused(key, value, message):
    plain = json.loads(format_plan(make_plan(design())))
    plain[key] = value
    with pytest.raises(VotesError, match=message):
        parse_plan(json.dumps(plain))
