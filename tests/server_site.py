"""A server with the example challenge in a folder of its own, and people who use it through its real application."""

import hashlib
import io
import re
import threading
import zipfile
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import event, select
from starlette.testclient import TestClient

from patience import PATIENCE_S
from raim.server.actions.accounts import appoint
from raim.server.actions.challenge_folders import find_challenges
from raim.server.database import Mail, User
from raim.server.jobs.bundles import make_bundles
from raim.server.serving import open_server
from raim.server.settings import read_settings
from raim.server.web import watch
from raim.server.web.app import make_app

watch.PATIENCE_S = PATIENCE_S  # a busy machine is not unavailable
FIRST_DAY = date(2026, 3, 1)
OPENS = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
ADDRESS = "http://127.0.0.1:8000"
README = (
    "runtime per image [s] : 1.5\nCPU[1] / GPU[0] : 1\nExtra Data [1] / No Extra Data [0] : 0\n"
    "Other description : none\n"
)


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: datetime = OPENS + timedelta(days=31)

    def __call__(self):
        return self.now

    def move(self, **by):
        self.now += timedelta(**by)


HERE = "/c/my-challenge"
# What a server has once, whatever its challenges; every other address is within the challenge.
OF_SERVER = re.compile(
    r"/(c/|admin|enrol|series|account|login|logout|register|first/|reset/|forgot|verify/|unsubscribe/|health|ready|metrics|robots|static/|api$|api/v1/(c/|openapi|challenges|admin))|/$"
)


def place(path):
    """Give the address on the server of what tests name within the challenge."""
    if not path.startswith("/") or OF_SERVER.match(path):
        return path
    return f"/api/v1{HERE}{path[7:]}" if path.startswith("/api/v1") else HERE + path


class Browser(TestClient):
    """A browser whose addresses are those within the challenge, given and got."""

    def request(self, method, url, **options):
        answer = super().request(method, place(str(url)), **options)
        for each in (answer, *answer.history):
            if "location" in each.headers:
                each.headers["location"] = each.headers["location"].removeprefix(ADDRESS).removeprefix(HERE)
        return answer


class Held:
    """How many connections are held, now and at most."""

    def __init__(self, engine):
        self.now = self.most = 0
        self.lock = threading.Lock()
        event.listen(engine, "checkout", self.take)
        event.listen(engine, "checkin", self.give)

    def take(self, *_):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def give(self, *_):
        with self.lock:
            self.now -= 1


@dataclass
class Person:
    """Somebody with a browser."""

    client: TestClient
    login: str = ""
    token: str = field(default="")

    def post(self, path, *, follow=False, **fields):
        """Send a form."""
        return self.client.post(path, data=fields, follow_redirects=follow)

    def get(self, path, **options):
        return self.client.get(path, follow_redirects=False, **options)

    def api(self, method, path, **options):
        return self.client.request(
            method, f"/api/v1{path}", headers={"Authorization": f"Bearer {self.token}"}, **options
        )


class Site:
    """A running application and what tests do with it."""

    def __init__(self, folder, clock, database_url=None, **environment):
        environment["RAIM_KEEP_FREE_BYTES"] = "0"
        if database_url is not None:
            environment["RAIM_DATABASE_URL"] = database_url
        self.clock = clock
        opened = open_server(read_settings(environment, folder=folder), clock=clock)
        make_bundles(opened.server.database, opened.server.storage, folder)
        self.first_link = opened.first_link
        self.server = opened.server
        self.server.forecasts.lasts = timedelta(0)  # the clock of tests stands still
        self.app = make_app(opened.server)
        self.folder = folder

    @property
    def definition(self):
        """Give what the file of the first challenge says."""
        return next(iter(find_challenges(self.folder).challenges.values()))

    def change(self, **parts):
        """Let the challenge be as if its file said something else, and be read again."""
        self.server.host(".", replace(self.definition, **parts))

    def visitor(self):
        client = Browser(self.app, base_url=ADDRESS, raise_server_exceptions=False)
        return Person(client=client)

    def organiser(self, login="olga"):
        person = self.visitor()
        path = self.first_link.removeprefix(ADDRESS)
        answer = person.post(path, login=login, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        person.login = login
        return self.with_token(person)

    def user(self, login, **fields):
        person = self.visitor()
        answer = person.post("/register", login=login, password=PASSWORD, consent="yes", **fields)
        assert answer.status_code == 303, answer.text
        person.login = login
        return person

    def member(self, login, team=None):
        person = self.user(login)
        answer = person.post("/team/new", name=team or f"Team {login}")
        assert answer.status_code == 303, answer.text
        return self.with_token(person)

    def with_token(self, person):
        page = person.post("/account/tokens", name="tests", scope="all", days="366")
        person.token = re.search(r"raim_api_[\w-]+", page.text)[0]
        return person

    def with_office(self, login, office="organiser", *, challenge=None):
        """Give somebody with an office in the challenge, or in another one, which is there from then on."""
        person = self.user(login)
        if challenge is not None:
            self.server.host(challenge, replace(self.definition, id=challenge))
        with self.server.database.writing() as session:
            here = self.server.challenge(session, challenge or self.definition.id).id
            user = session.scalars(select(User).where(User.login == login)).one()
            appoint(session, self.clock(), here, user, office, actor_id=user.id)
        return self.with_token(person)

    def judge(self, login="jim"):
        return self.with_office(login, "judge")

    def verified(self, login, **fields):
        """Make an account whose address is verified by the link that was mailed."""
        person = self.user(login, email=f"{login}@example.org", **fields)
        person.post(self.link("verify", f"{login}@example.org"))
        return person

    def mails(self, **where):
        """Give the mails that were written, in their order."""
        with self.server.database.reading() as session:
            found = session.scalars(select(Mail).filter_by(**where).order_by(Mail.id)).all()
            session.expunge_all()
            return found

    def link(self, kind, address):
        """Give the path of the link in the newest mail of a kind to an address."""
        text = self.mails(kind=kind, address=address)[-1].text
        return re.search(rf"{ADDRESS}(/\S+_\S+)", text)[1]

    def zip_of(self, data_set="feedback-pairs", *, part="input", extra=None, leave_out=(), readme=README):
        """Make a submission out of a data set's own inputs (or references)."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path in sorted((self.folder / "data" / data_set / part).iterdir()):
                if path.name not in leave_out:
                    archive.writestr(path.name, path.read_bytes())
            if readme:
                archive.writestr("readme.txt", readme)
            for name, content in (extra or {}).items():
                archive.writestr(name, content)
        return packed.getvalue()

    def begin(self, person, content, *, phase="feedback", kind="scored"):
        wanted = {
            "phase": phase,
            "kind": kind,
            "file_name": "result.zip",
            "n_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        return person.api("POST", "/submissions", json=wanted)

    def send(self, person, url, content, *, offset=0):
        headers = {
            "Authorization": f"Bearer {person.token}",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
        }
        return person.client.patch(url, headers=headers, content=content)

    def submit(self, person, content, **where):
        started = self.begin(person, content, **where)
        assert started.status_code == 201, started.text
        sent = self.send(person, started.json()["upload"]["url"], content)
        assert sent.status_code == 204, sent.text
        return started.json()["submission"]["id"]
