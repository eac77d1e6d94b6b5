"""Nobody finds out by the time of an answer whether a name, link or draft is there: the same work is done for all.

Counted is every statement that the database gets, with its text, and every password that is hashed or compared, up to
the last byte of the answer. How long each takes is no business of ours.
"""

from types import SimpleNamespace

import pytest
from sqlalchemy import event, select

from many_site import Somebody, office, write_challenges
from raim.server.actions import passwords
from raim.server.database import Challenge, Invitation, User, announce_change
from server_site import PASSWORD, Clock, Site

MAIL = {"RAIM_SMTP_URL": "smtp://localhost", "RAIM_MAIL_FROM": "raim@example.org"}


class Counted:
    """An application that notes the work of each request until its answer is out."""

    def __init__(self, site, monkeypatch):
        self.app, self.done, self.until_answer = site.app, [], []
        event.listen(
            site.server.database.engine,
            "before_cursor_execute",
            lambda _connection, _cursor, statement, *_: self.done.append(statement),
        )
        hasher = passwords._HASHER

        def noted(what):
            def work(*given):
                self.done.append(what)
                return getattr(hasher, what)(*given)

            return work

        costs = ("time_cost", "memory_cost", "parallelism", "salt_len", "hash_len", "check_needs_rehash")
        fake = SimpleNamespace(**{each: getattr(hasher, each) for each in costs})
        fake.hash, fake.verify = noted("hash"), noted("verify")
        monkeypatch.setattr(passwords, "_HASHER", fake)

    async def __call__(self, scope, receive, send):
        async def send_noted(message):
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self.until_answer = list(self.done)

        self.done = []
        await self.app(scope, receive, send_noted)


@pytest.fixture
def site(tmp_path, database_url):
    write_challenges(tmp_path / "all", ("moire", "night"))
    made = Site(tmp_path / "all", Clock(), database_url, **MAIL)
    yield made
    made.server.database.engine.dispose()


@pytest.fixture
def counted(site, monkeypatch):
    site.app = Counted(site, monkeypatch)
    return site.app


def ask(counted, person, method, path, **fields):
    """Return status, text and work of an answer."""
    answer = person.client.request(method, path, data=fields, follow_redirects=False)
    assert answer.status_code < 500, answer.text
    text = answer.text.replace(answer.headers["X-Request-ID"], "")
    return answer.status_code, text + answer.headers.get("location", ""), counted.until_answer


def verify(site, login):
    with site.server.database.writing() as session:
        user = session.scalars(select(User).where(User.login == login)).one()
        user.email, user.email_verified_at = f"{login}@example.org", site.clock()


def test_a_login_and_a_forgotten_password_of_somebody_and_of_nobody(site, counted):
    Somebody(site).registers("ada")
    verify(site, "ada")
    visitor = Somebody(site)
    tries = [
        ask(counted, visitor, "POST", "/login", login=login, password="wrong horse battery")
        for login in ("nobody", "ada", "ada@example.org")
    ]
    assert [each[2].count("verify") for each in tries] == [1, 1, 1]
    assert [len(each[2]) > 5 for each in tries] == [True] * 3
    for each in tries[1:]:
        assert each[2] == tries[0][2]
    assert len({(status, text.replace("ada@example.org", "ada").replace("nobody", "ada"))
                for status, text, _ in tries}) == 1  # fmt: skip

    asked = [
        ask(counted, visitor, "POST", "/forgot", login=login)
        for login in ("nobody", "ada", "ada@example.org", "nobody@example.org")
    ]
    assert asked[0][:2] == (303, "/forgot?note=mailed")
    assert [each == asked[0] for each in asked] == [True] * 4
    assert len(site.mails(kind="password")) == 2  # all the same


def test_links_that_are_none_and_links_that_work_no_more(site, counted):
    ada = Somebody(site).registers("ada", on="/c/moire/").makes_team("moire", "Owls")
    page = ada.post("/c/moire/team/invitations").text
    used = page[page.index("/c/moire/join/") :].split("<")[0].split('"')[0]
    with site.server.database.writing() as session:
        session.scalars(select(Invitation)).one().revoked_at = site.clock()
    bob = Somebody(site).registers("bob", on="/c/moire/")
    unknown = used[:-6] + "abcdef"
    for method in ("GET", "POST"):
        one, other = (ask(counted, bob, method, path) for path in (used, unknown))
        assert (one[0], one[1].replace(used, unknown), one[2]) == other
    bob.get("/c/night/")  # the first reads it, once
    elsewhere, nowhere = (
        ask(counted, bob, "POST", path.replace("moire", "night"), consent="yes") for path in (used, unknown)
    )
    assert (elsewhere[0], elsewhere[1].replace(used[-12:], unknown[-12:]), elsewhere[2]) == nowhere


def test_drafts_and_names_that_nobody_has_given(site, counted):
    Somebody(site).registers("ada", on="/c/moire/")
    office(site, "ada", "moire")
    with site.server.database.writing() as session:
        session.scalars(select(Challenge).where(Challenge.slug == "night")).one().status = "draft"
        announce_change(session, None)
    member = Somebody(site).registers("bob", on="/c/moire/").makes_team("moire", "Owls")
    ada = Somebody(site)
    ada.post("/login", login="ada", password=PASSWORD)
    visitor = Somebody(site)
    visitor.client.cookies.set("raim_judge_night", "raim_judge_x")
    visitor.client.cookies.set("raim_judge_never", "raim_judge_x")
    visitor.get("/c/night/")  # the first after a change reads it, once
    for person in (visitor, member, ada):
        person.get("/account")  # the same of the others
        for method, path in (
            *(("GET", each) for each in ("/", "/rules", "/desk", "/team", "/judging", "/join/x", "/judge/x")),
            *(("POST", each) for each in ("/team/new", "/join/x", "/desk/announcements", "/judging/screen")),
            ("GET", "/submissions/1"),
            ("PATCH", "/uploads/x"),
        ):
            for start in ("", "/api/v1"):
                there, not_there = (
                    ask(counted, person, method, f"{start}/c/{name}{path}") for name in ("night", "never")
                )
                assert (there[0], there[1].replace("night", "never"), there[2]) == not_there, (method, path)
        for path in ("/login?next=/c/{}/", "/register?following=/c/{}/", "/account?following=/c/{}/"):
            there, not_there = (ask(counted, person, "GET", path.format(name)) for name in ("night", "never"))
            assert (there[0], there[1].replace("night", "never"), there[2]) == not_there, path
    made = [
        ask(counted, Somebody(site), "POST", "/register", login=login, password=PASSWORD, following=following)
        for login, following in (("cy", "/c/night/"), ("di", "/c/never/"))
    ]
    assert made[0][1:] == (made[1][1].replace("never", "night"), made[1][2])
