import io
import json
import zipfile

import pytest
from PIL import Image

README = (
    "runtime per image [s] : 10.43\nCPU[1] / GPU[0] : 0\n"
    "Extra Data [1] / No Extra Data [0] : 1\nOther description : a test\n"
)


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (10, 200, 30)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def run(tmp_path, monkeypatch, run_raim):
    """Run `raim check` in a folder with inputs a and b; give its exit code and outputs."""
    monkeypatch.chdir(tmp_path)
    for stem in "ab":
        (tmp_path / "inputs").mkdir(exist_ok=True)
        (tmp_path / "inputs" / f"{stem}.png").write_bytes(png(20, 10))

    def start(*arguments: str, size=(20, 10), stems="ab"):
        with zipfile.ZipFile("team.zip", "w") as archive:
            archive.writestr("readme.txt", README)
            for stem in stems:
                archive.writestr(f"{stem}.png", png(*size))
        return run_raim("check", *arguments)

    return start


def test_a_fine_submission_exits_0(run):
    code, out, err = run("team.zip", "--input", "inputs")
    assert (code, err) == (0, "")
    assert out == "team.zip: fine, 2 of 2 images and readme.txt are as expected\n"


def test_every_problem_is_listed_and_the_exit_code_is_2(run):
    code, out, err = run("team.zip", "--input", "inputs", size=(8, 8), stems="ac")
    assert (code, err) == (2, "")
    for part in ("3 problems", "[missing]", "[unexpected]", "[wrong-size]"):
        assert part in out


def test_the_manifest_states_the_size(run, tmp_path):
    (tmp_path / "m.csv").write_text("name,scenario,width,height\na,sr,80,40\nb,sr,80,40\n")
    assert run("team.zip", "--input", "inputs", "--manifest", "m.csv", size=(80, 40))[0] == 0


def test_a_malformed_manifest_exits_2_without_a_traceback(run, tmp_path):
    (tmp_path / "m.csv").write_text("nmae\na\n")
    code, out, err = run("team.zip", "--input", "inputs", "--manifest", "m.csv")
    assert (code, out) == (2, "")
    assert err == "raim: m.csv, line 1: no column is named 'nmae'; did you mean 'name'?\n"


def test_json_on_standard_output_leaves_the_text_to_standard_error(run):
    code, out, err = run("team.zip", "--input", "inputs", "--json", "-", stems="a")
    assert code == 2
    assert [each["code"] for each in json.loads(out)["problems"]] == ["missing"]
    assert "1 problem" in err


def test_json_goes_into_a_file(run, tmp_path):
    code, out, _ = run("team.zip", "--input", "inputs", "--json", "report.json")
    assert code == 0
    assert "fine" in out
    assert json.loads((tmp_path / "report.json").read_text())["ok"] is True


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["none.zip", "--input", "inputs"], "there is no file or folder none.zip"),
        (["team.zip", "--input", "none"], "there is no file or folder none"),
        (["team.zip", "--input", "inputs", "--json", "no/such/folder.json"], "cannot write the report"),
        (["team.zip"], "--input"),
    ],
)
def test_wrong_arguments_exit_2_and_say_why(run, arguments, part):
    code, _, err = run(*arguments)
    assert code == 2
    assert part in err


def test_progress_is_shown_on_a_terminal(run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, _, err = run("team.zip", "--input", "inputs")
    assert "checking" in err
    assert "2/2" in err
