import json
import warnings
import zipfile
from dataclasses import replace

import pytest

from fake_server import ENDLESS, FakeServer, Reply, refusal
from raim.cli import submit as submit_command
from raim.client import Patience


@pytest.fixture
def fake(monkeypatch):
    with FakeServer() as server:
        monkeypatch.setenv("RAIM_SERVER", server.url)
        monkeypatch.setenv("RAIM_TOKEN", server.token)
        yield server


@pytest.fixture
def waits(monkeypatch):
    """Let no pause be waited; give those that were asked for, in seconds."""
    made = []
    name_server = submit_command.name_server

    def impatient(url, token):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a second one, of the copy
            return replace(name_server(url, token), patience=Patience(sleep=made.append))

    monkeypatch.setattr(submit_command, "name_server", impatient)
    return made


@pytest.fixture
def run(fake, waits, tmp_path, monkeypatch, run_raim):
    """Run `raim submit` on a small zip; give its exit code and outputs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    with zipfile.ZipFile("team.zip", "w") as archive:
        archive.writestr("a.png", b"x" * 5000)
    return lambda *arguments: run_raim("submit", *(arguments or ["team.zip"]))


def test_a_scored_submission_ends_with_its_measures(run, fake):
    code, out, err = run("team.zip", "--note", "our best")
    assert code == 0
    assert out.startswith(f"submission 1 is scored: {fake.url}/submissions/1\n")
    rows = [line.split() for line in out.splitlines()]
    assert ["PSNR", "SSIM", "SCORE"] in rows
    assert ["all", "images", "inf", "0.9000", "71.25"] in rows
    assert ["denoising", "31.50", "0.8000", "70.00"] in rows
    assert "submission 1 has arrived" in err
    assert fake.submissions[1]["note"] == "our best"


def test_where_there_are_several_challenges_the_address_names_one(run, fake):
    fake.challenges = ["night", "raim"]
    code, _, err = run()
    assert code == 2
    assert f"give the address of a challenge; {fake.url} has: {fake.url}/c/night, {fake.url}/c/raim" in err
    assert fake.submissions == {}
    code, out, err = run("team.zip", "--server", f"{fake.url}/c/raim/")
    assert (code, len(fake.submissions)) == (0, 1), err
    assert out.startswith(f"submission 1 is scored: {fake.url}/")


def test_each_state_is_printed_in_a_line(run):
    _, _, err = run()
    assert err.splitlines() == [
        "submission 1 has arrived",
        "queued, place 2, its score is expected at 2026-03-01 12:05 UTC",
        "scoring 37/100",
    ]


def test_the_same_command_goes_on_without_a_second_try(run, fake):
    fake.fail("PATCH", "/uploads/", "cut")
    fake.fail("HEAD", "/uploads/", refusal(403, "forbidden", "not now"))
    assert run()[0] == 2
    assert run()[0] == 0
    code, out, err = run()
    assert code == 0
    assert "71.25" in out
    assert "this file is there already as submission 1 of 2026-03-01 12:00 UTC; nothing was sent" in err
    assert len(fake.submissions) == 1
    fake.life = [{"state": "scored"}]
    assert run("team.zip", "--again")[0] == 0
    assert len(fake.submissions) == 2


def test_interrupting_says_how_to_go_on(run, fake, monkeypatch):
    def interrupt(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("raim.client.submitting.send_file", interrupt)
    code, _, err = run()
    assert code == 130
    assert "run the same command again to go on where it stopped" in err


def test_a_refused_submission_lists_all_problems_and_exits_2(run, fake):
    problems = ["a.png is missing", "[b.png] is 8x8, expected 20x10"]
    fake.life = [
        {"state": "refused", "error": "2 problems", "problems": problems, "notes": ["an old readme"]}
    ]
    code, out, _ = run()
    assert code == 2
    assert out.splitlines()[1:] == [
        "2 problems",
        "  - a.png is missing",
        "  - [b.png] is 8x8, expected 20x10",
        "note: an old readme",
    ]


def test_a_failure_of_the_server_exits_2_with_its_reason(run, fake):
    fake.life = [{"state": "failed", "error": "the worker ran out of memory"}]
    code, out, _ = run()
    assert code == 2
    assert "has failed through the server's fault, and takes no try" in out
    assert "the worker ran out of memory" in out


def test_json_is_the_whole_submission(run):
    code, out, _ = run("team.zip", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["state"], found["score"], found["measures"]["psnr"]) == ("scored", 71.25, "inf")
    assert found["received_at"] == "2026-03-01T12:00:00Z"


def test_without_waiting_it_ends_when_the_file_is_there(run, fake):
    code, out, _ = run("team.zip", "--no-wait")
    assert code == 0
    assert out == f"submission 1 is there: checking: {fake.url}/submissions/1\n"


def test_progress_is_shown_on_a_terminal(run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    code, _, err = run()
    assert code == 0
    assert "team.zip" in err


def test_a_wrong_token_exits_2_without_a_traceback(run, fake):
    code, out, err = run("team.zip", "--token", "raim_api_other")
    assert (code, out) == (2, "")
    assert "takes no token as yours: make one on your account's page" in err
    assert "raim_api_other" not in err


def test_what_is_missing_is_named_with_its_variable(run, monkeypatch):
    monkeypatch.delenv("RAIM_TOKEN")
    code, _, err = run()
    assert code == 2
    assert "--token" in err
    assert "RAIM_TOKEN" in err


def test_the_help_warns_of_tokens_on_the_command_line(run):
    _, out, _ = run("--help")
    assert "can see it on the command line" in " ".join(out.split())


def test_a_token_over_plain_http_to_elsewhere_is_a_warning(run, fake, monkeypatch):
    monkeypatch.setattr("raim.client.server._is_local", lambda _host: False)
    _, _, err = run("team.zip", "--no-wait")
    assert err.startswith(f"warning: {fake.url} is plain http: your token")


@pytest.mark.parametrize("name", ["no.zip", "text.zip", "cut.zip"])
def test_what_is_no_zip_is_refused_before_asking(run, fake, tmp_path, name):
    (tmp_path / "text.zip").write_text("a text")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "team.zip").read_bytes()[:-30])
    code, _, err = run(name)
    assert code == 2
    assert f"there is no file {name}" in err or f"{name} is no zip, or not a whole one" in err
    assert fake.requests == []


def test_what_is_too_large_is_refused_before_it_is_hashed(run, fake, monkeypatch):
    from fake_server import PLAIN

    small = {**PLAIN["/challenge"], "max_bytes": 1000}
    fake.fail("GET", "/api/v1/challenge", Reply(200, small), times=ENDLESS)
    code, _, err = run()
    assert code == 2
    assert "RAIM takes 1000" in err
    assert fake.submissions == {}


def test_a_passed_deadline_is_reported(run, fake):
    fake.fail("POST", "/", refusal(409, "not_possible", "Feedback closed on 2026-03-10 12:00 UTC"))
    code, _, err = run()
    assert code == 2
    assert "Feedback closed on 2026-03-10 12:00 UTC" in err


def test_being_asked_to_wait_is_waited(run, fake, waits):
    fake.fail("POST", "/", refusal(429, "too_many_requests", "too often", Retry_After="11"))
    assert run()[0] == 0
    assert waits[0] == 11
