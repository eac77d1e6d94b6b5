"""Several small challenges on one server, and people who use them at their real addresses."""

import re

import numpy as np
from sqlalchemy import select
from starlette.testclient import TestClient

from raim.challenge import write_example
from raim.server.actions.accounts import appoint
from raim.server.actions.challenge_folders import load_challenge
from raim.server.database import User
from server_site import ADDRESS, FIRST_DAY, PASSWORD

IDS = ("denoising", "moire", "night")


def write_challenges(folder, ids=IDS, *, first_day=FIRST_DAY):
    for each in ids:
        write_example(folder / each, first_day=first_day, rng=np.random.default_rng(7))
        file = folder / each / "challenge.toml"
        text = file.read_text(encoding="utf-8").replace('id = "my-challenge"', f'id = "{each}"')
        name = re.search(r'^name = "(.*)"$', text, flags=re.MULTILINE)[1]
        file.write_text(text.replace(f'name = "{name}"', f'name = "Challenge {each}"', 1), encoding="utf-8")


def demand(site, challenge, old, new):
    """Change a challenge's file, and have it read again."""
    file = site.folder / challenge / "challenge.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    site.server.host(challenge, load_challenge(site.folder / challenge))


class Somebody:
    """A browser, with real addresses."""

    def __init__(self, site):
        self.client = TestClient(site.app, base_url=ADDRESS, raise_server_exceptions=False)
        self.token = ""

    def get(self, path):
        return self.client.get(path, follow_redirects=False)

    def post(self, path, **fields):
        return self.client.post(path, data=fields, follow_redirects=False)

    def registers(self, login, *, on="/"):
        answer = self.post("/register", login=login, password=PASSWORD, consent="yes", following=on)
        assert answer.status_code == 303, answer.text
        return self

    def makes_team(self, challenge, name):
        answer = self.post(f"/c/{challenge}/team/new", name=name, consent="yes")
        assert answer.status_code == 303, answer.text
        return self


def office(site, login, challenge, name="organiser"):
    with site.server.database.writing() as session:
        user = session.scalars(select(User).where(User.login == login)).one()
        challenge = site.server.challenge(session, challenge)
        appoint(session, site.clock(), challenge.id, user, name, actor_id=user.id)
