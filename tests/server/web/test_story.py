"""A whole challenge in a real browser: organiser, two teams, good and broken zips, scores, phases, finalists.

With RAIM_SCREENSHOTS=FOLDER every page is photographed: light, dark, on a phone.
"""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from patience import PATIENCE_S
from raim.challenge import write_example
from raim.server.serving import take_port
from raim.weights import weights_folders
from visitor import Visitor, hand_in, make_zip

pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

PASSWORD = "correct horse battery"


@pytest.fixture
def served(tmp_path):
    """Serve the example challenge as people do; its phase of feedback is open."""
    folder = tmp_path / "challenge"
    first = datetime.now(UTC).date() - timedelta(days=31)
    write_example(folder, first_day=first, rng=np.random.default_rng(2024))
    with take_port("127.0.0.1", 0, default=8000) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "RAIM_WEIGHTS_DIR": str(weights_folders().cache),
        "RAIM_KEEP_FREE_BYTES": "0",
        "PATH": str(Path(sys.executable).parent),  # neither Node nor anything else of the machine
    }
    command = [sys.executable, "-m", "raim", "serve", str(folder), "--port", str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Ctrl-C"):
                break
        yield folder, f"http://127.0.0.1:{port}", re.search(r"http\S+/first/\S+", said)[0]
        process.terminate()
        process.wait(PATIENCE_S)


def register(visitor, login, team):
    visitor.open("/register").look("/register").open("/register")
    visitor.fill(login=login, password=PASSWORD, name=login.title())
    visitor.page.check("[name=consent]")
    visitor.press("Make my account").sees("Your account is made")
    visitor.open("/team/new").fill(name=team).press("Make the team").sees("Your team is made")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_challenge_from_its_first_link_to_its_finalists(served, chromium, tmp_path):
    folder, address, first_link = served
    organiser = Visitor(chromium, address, "organiser")
    organiser.open(first_link).fill(login="olga", password=PASSWORD).press("Make the account").sees("Desk")
    ada, bob, public = (Visitor(chromium, address, name) for name in ("ada", "bob", "public"))
    register(ada, "ada", "Alpha")
    register(bob, "bob", "Beta")

    inputs = folder / "data" / "feedback-pairs" / "input"
    good = make_zip(tmp_path / "good.zip", inputs)
    broken = make_zip(tmp_path / "broken.zip", inputs, leave_out={"0001.png"}, readme="")
    hand_in(bob, broken)
    bob.sees("2 problems").sees("0001.png").sees("readme.txt").sees("it takes no try")
    hand_in(ada, good)
    ada.sees("SCORE").sees("Images, worst first")
    ada.look("/submissions/2").look("/submissions/2/images/0001")
    restored = folder / "data" / "feedback-pairs" / "reference"
    hand_in(bob, make_zip(tmp_path / "reference.zip", restored))
    bob.sees("SCORE").sees("Images, worst first")

    for path in ("/", "/data", "/rules", "/leaderboard", "/announcements", "/login", "/api"):
        public.look(path)
    public.open("/leaderboard").sees("Alpha").sees("Beta")
    for path in ("/submit", "/submissions", "/team", "/team/fact-sheet", "/account"):
        ada.look(path)
    bob.look("/submissions/1")

    announce_and_comment(organiser)
    public.open("/").sees("The end is near")
    ada.open("/submissions/2").sees("Too smooth here").open("/submissions/2/images/0001").sees(
        "60×40 at 10, 20"
    )
    turn = move_the_final(organiser)
    look_at_the_desk(organiser)
    invite_to_the_final(organiser, turn)
    ada.open("/team").sees("You are invited to the final").look("/team").press("Accept").sees("has accepted")
    bob.open("/team").press("Decline").sees("Your team has declined")
    organiser.open("/desk/finalists").sees("accepted").sees("declined")
    hand_in(ada, make_zip(tmp_path / "final.zip", folder / "data" / "final-unpaired" / "input"), kind="final")
    ada.sees("It is complete and with the organisers").look("/submissions/4")
    organiser.open("/desk/checklist").press("Publish the results").sees("Public since")
    public.open("/gallery").sees("Alpha").look("/gallery")
    for visitor in (organiser, ada, bob, public):
        assert visitor.faults == []


def announce_and_comment(organiser):
    organiser.open("/desk/announcements").fill(title="The end is near", text="Of **phase 2**.")
    organiser.press("Publish").sees("The announcement is on the pages")
    organiser.open("/desk/submissions/2/images/0001").fill(text="Too smooth here")
    organiser.fill(region_x="10", region_y="20", region_width="60", region_height="40")
    organiser.press("Comment").sees("The comment is written")


def look_at_the_desk(organiser):
    for path in (
        *("/desk", "/desk/teams", "/desk/teams/1", "/desk/users", "/desk/submissions", "/desk/submissions/1"),
        *("/desk/submissions/2", "/desk/submissions/2/images/0001", "/desk/phases", "/desk/announcements"),
        *("/desk/finalists", "/desk/checklist", "/desk/exports", "/desk/audit"),
    ):
        organiser.look(path)
    organiser.open("/desk/submissions/3").sees("reference")  # it is the reference itself, and says so


def move_the_final(organiser):
    """Let the phase of feedback close and the final open at one of the next minutes; give when."""
    turn = (datetime.now(UTC) + timedelta(seconds=75)).replace(second=0, microsecond=0)
    organiser.open("/desk/phases")
    for phase, field in (("feedback", "closes"), ("final", "opens")):
        organiser.page.locator(f"#{field}-{phase}").fill(f"{turn:%Y-%m-%dT%H:%M}")
        organiser.page.locator(
            f"form[action='/c/my-challenge/desk/phases/{phase}']:has([name=opens]) button"
        ).click()
        organiser.sees("Saved")
    return turn


def invite_to_the_final(organiser, turn):
    organiser.open("/desk/finalists").press("Invite the teams that are ticked").sees(
        "The finalists are invited"
    )
    while datetime.now(UTC) < turn:
        organiser.page.wait_for_timeout(500)
