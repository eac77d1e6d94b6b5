import json

import pytest


@pytest.fixture
def run(tmp_path, monkeypatch, run_raim):
    """Run `raim challenge` in an empty folder; give its exit code and outputs."""
    monkeypatch.chdir(tmp_path)

    def start(*arguments: str):
        return run_raim("challenge", *arguments)

    return start


def spoil(tmp_path, old, new):
    file = tmp_path / "mine" / "challenge.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_new_challenge_validates_at_once(run):
    code, out, _ = run("new", "mine")
    assert code == 0
    assert "raim challenge validate mine" in out
    assert run("validate", "mine") == (0, "mine: fine\n", "")


@pytest.mark.parametrize(
    ("name", "challenge_id"), [("night-2026", "night-2026"), ("My Folder", "my-challenge")]
)
def test_a_new_challenge_is_named_after_its_folder_where_that_can_be(run, tmp_path, name, challenge_id):
    run("new", name)
    assert f'id = "{challenge_id}"' in (tmp_path / name / "challenge.toml").read_text(encoding="utf-8")
    code, _, _ = run("validate", name)
    assert code == 0


def test_a_new_challenge_opens_today(run, tmp_path):
    from datetime import UTC, datetime

    before = datetime.now(UTC).date()
    run("new", "mine")
    text = (tmp_path / "mine" / "challenge.toml").read_text()
    assert any(f"opens = {day}T12:00:00Z" in text for day in (before, datetime.now(UTC).date()))


def test_a_challenge_that_is_there_is_not_replaced(run):
    run("new", "mine")
    code, out, err = run("new", "mine")
    assert (code, out) == (2, "")
    assert "mine/challenge.toml is there already" in err


def test_all_problems_are_listed_with_file_and_line(run, tmp_path):
    run("new", "mine")
    spoil(tmp_path, "places = 2", "places = 0")
    spoil(tmp_path, "[finalists]", "[finalist]")
    (tmp_path / "mine/data/feedback-pairs/reference/0001.png").unlink()
    code, out, err = run("validate", "mine")
    assert (code, err) == (2, "")
    lines = out.splitlines()
    assert lines[0].startswith("mine/challenge.toml:51: places is 0")
    assert any("did you mean 'finalists'?" in line for line in lines)
    assert any("feedback-pairs/input/0001.png: the input '0001' has no reference" in line for line in lines)
    assert lines[-1] == f"mine: {len(lines) - 1} problems"


def test_notes_do_not_fail(run, tmp_path):
    run("new", "mine")
    for file in (tmp_path / "mine/data/final-unpaired").rglob("*.png"):
        file.unlink()
    spoil(tmp_path, 'folder = "data/final-unpaired"', 'folder = "data/final-unpaired"\nmanifest = ""')
    code, out, _ = run("validate", "mine")
    assert code == 0
    assert "note: there is no input yet" in out
    assert out.endswith("mine: fine, 1 note\n")


def test_json_holds_the_same(run, tmp_path):
    run("new", "mine")
    spoil(tmp_path, "schema = 1", "schema = 9")
    code, out, _ = run("validate", "mine/challenge.toml", "--json")
    report = json.loads(out)
    assert (code, report["is_fine"]) == (2, False)
    (problem,) = report["found"]
    assert (problem["file"], problem["severity"]) == ("mine/challenge.toml", "problem")
    assert problem["message"] == "schema is 9; this version of raim reads 1"


def test_the_current_folder_is_the_default(run, tmp_path, monkeypatch):
    run("new", "mine")
    monkeypatch.chdir(tmp_path / "mine")
    assert run("validate") == (0, ".: fine\n", "")


def test_hashes_can_be_left_out(run, tmp_path):
    run("new", "mine")
    file = tmp_path / "mine/data/final-unpaired/input/0001.png"
    other = tmp_path / "mine/data/final-unpaired/input/0002.png"
    file.write_bytes(other.read_bytes())
    assert run("validate", "mine")[0] == 2
    assert run("validate", "mine", "--no-hashes")[0] == 0


def test_show_says_phases_data_rules_and_awards(run, tmp_path):
    run("new", "mine")
    spoil(tmp_path, '\ntimezone = "UTC"', '\ntimezone = "Asia/Tokyo"')
    code, out, err = run("show", "mine")
    assert (code, err) == (0, "")
    for part in (
        "times in Asia/Tokyo",
        "Phase 2: online feedback (feedback): upcoming",
        "21:00 JST",
        "takes scored submissions on feedback-pairs, 5 per day and 60 in all",
        "An upload counts if it has begun before",
        "Feedback inputs (feedback-pairs): 2 images, paired: denoising 1, motion blur 1",
        "finalists: the first 10 of feedback",
        "final score: 0.4 SCORE + 0.6 study",
        "2 x Second-class award",
        "prize: A camera for the First-class award (champion), given by Example Cameras",
    ):
        assert part in out


def test_show_as_json_has_every_record(run):
    run("new", "mine")
    shown = json.loads(run("show", "mine", "--json")[1])
    assert [phase["id"] for phase in shown["phases"]] == ["tuning", "feedback", "final"]
    assert shown["weights"] == {"score": 0.4, "study": 0.6}


def test_show_of_a_broken_challenge_lists_its_problems(run, tmp_path):
    run("new", "mine")
    spoil(tmp_path, "places = 2", "places = 0")
    code, out, err = run("show", "mine")
    assert (code, out) == (2, "")
    assert err.startswith("raim: mine/challenge.toml:51: places is 0")


def test_a_folder_without_a_challenge_says_how_to_make_one(run):
    code, out, _ = run("validate", "nowhere")
    assert code == 2
    assert "`raim challenge new` makes an example" in out
