"""Everybody looks everywhere, and finds nothing of a challenge in which they have no part.

Every text of one challenge is a secret word, in every table; so is the name of a draft. What a team is called and what
was announced is another word, which everybody may see on that challenge's own pages and in the list of challenges.
"""

import re

import pytest
from sqlalchemy import String, delete, select, update
from sqlalchemy.exc import IntegrityError

from many_site import Somebody, office, write_challenges
from page_crawl import crawl
from raim.server import database as t
from raim.server.auditing import challenge_of, record_event
from raim.server.database import Base, announce_change
from raim.server.tokens import hash_token
from raim.server.web.context import ROWS
from raim.server.web.routing import REGISTER
from server_case import fill_challenge
from server_site import Clock, Site

SECRET, SHOWN = "hush", "loud"
WORD = re.compile(f"{SECRET}|{SHOWN}", re.IGNORECASE)
TOKEN = "raim_judge_of_moire"
PUBLIC = {"team.name", "team.name_key", "announcement.title", "announcement.text", "extension.reason"}
# Tables that the challenge's file or the server itself fills; columns that programs read.
NOT_PEOPLES = {
    *("challenge", "data_set", "image", "phase", "server_folder"),
    *("mail_service", "worker_heartbeat", "request_rate", "audit_event"),
}
PROGRAMS = {
    "key",
    "kind",
    "part",
    "password_hash",
    "code",
    "design",
    "scenarios",
    "pack",
    "record",
    "charts",
    "scorer_version",
    "address",
}
MAIL = {"RAIM_SMTP_URL": "smtp://localhost", "RAIM_MAIL_FROM": "raim@example.org"}
TABLES = (
    *("teams.csv", "members.csv", "users.json", "submissions.json", "comments.csv", "audit.csv"),
    "everything.zip",
)
# A team or an office is wanted afterwards too.
ENDS = {"/team/leave", "/logout", "/account/delete", "/account/password"}


def stamp(session):
    """Put a word into every text that people have written; give the columns that have one."""
    stamped = set()
    for table in Base.metadata.sorted_tables:
        if table.name in NOT_PEOPLES:
            continue
        (key,) = table.primary_key.columns
        for row in session.execute(select(table)).mappings().all():
            for column in table.columns:
                name, value = f"{table.name}.{column.name}", row[column]
                word = f"{SHOWN if name in PUBLIC else SECRET}-{row[key]}"
                is_text = isinstance(column.type, String) and column.name not in PROGRAMS
                if isinstance(value, dict) and column.name not in PROGRAMS:
                    wanted = {**value, word: word}
                elif is_text:
                    wanted = word
                else:
                    continue
                try:
                    with session.begin_nested():
                        session.execute(update(table).where(key == row[key]).values({column: wanted}))
                except IntegrityError:
                    continue  # a word of raim's own, or a hash
                stamped.add(name)
    return stamped


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("leaks") / "all"
    write_challenges(folder, ("denoising", "moire", "night", "dusk"))
    draft = folder / "dusk" / "challenge.toml"
    text = draft.read_text(encoding="utf-8")
    draft.write_text(text.replace("Challenge dusk", f"Challenge {SECRET}"), encoding="utf-8")
    made = Site(folder, Clock(), **MAIL)
    with made.server.database.writing() as session:
        session.scalars(select(t.Challenge).where(t.Challenge.slug == "dusk")).one().status = "draft"
        announce_change(session, None)
    yield made
    made.server.database.engine.dispose()


@pytest.fixture(scope="module")
def numbers(site):
    """Fill "moire" with secrets; give what stands for its rows in addresses."""
    with site.server.database.writing() as session:
        session.execute(delete(t.MailService))  # it is filled too
    fill_challenge(site.server.database, site.server.storage, "moire")
    # Somebody of two challenges: the organisers of the one see nothing of the other.
    sam = Somebody(site).registers("sam", on="/c/denoising/").makes_team("denoising", "Both")
    sam.makes_team("moire", "Both")
    with site.server.database.writing() as session:
        moire = site.server.challenge(session, "moire").id
        session.execute(update(t.Mail).values(challenge_id=moire))
        for link in (t.JudgeLink, t.Invitation):
            session.execute(update(link).values(token_sha256=hash_token(TOKEN)))
        theirs = select(t.Member.user_id, t.Member.team_id).where(t.Member.challenge_id != moire)
        user_id, team_id = session.execute(theirs).one()
        stamped = stamp(session)
        # What is not of moire is as it was.
        session.execute(
            update(t.User)
            .where(t.User.id == user_id)
            .values(login="sam", login_key="sam", name="Sam", email=None)
        )
        session.execute(update(t.Team).where(t.Team.id == team_id).values(name="Both", name_key="both"))
        for table in {*ROWS.values(), t.Comment, t.PublishedRanking}:
            for row in session.scalars(select(table)).all():
                if challenge_of(session, row) == moire:
                    record_event(session, site.clock(), f"{SECRET} about", row, actor_id=user_id, note=SECRET)
        announce_change(session, None)
        of_moire = {
            name: session.scalars(select(table.id).order_by(table.id.desc()).limit(1)).one()
            for name, table in {**ROWS, "mail_id": t.Mail, "user_id": t.User}.items()
        }
        scored = session.scalars(select(t.Submission).where(t.Submission.state == "scored")).one()
        of_moire |= {"submission_id": scored.id, "team_id": scored.team_id}
        of_moire |= {
            "user_id": session.scalars(select(t.Member.user_id).where(t.Member.id == scored.member_id)).one()
        }
        of_moire["key"] = session.scalars(
            select(t.Upload.key).where(t.Upload.submission_id == scored.id)
        ).one()
    assert {"submission.note", "comment.text", "fact_sheet.fields", "judge.name", "outbox.text",
            "upload.file_name", "tie.reason", "log_line.text", "user_account.email", *PUBLIC} <= stamped  # fmt: skip
    return of_moire


def fill(path, numbers, table="teams.csv"):
    values = {"phase_id": "feedback", "data_set_id": "feedback-pairs", "name": "0001", "table": table,
              "token": TOKEN, "file": "votes.csv", "source": "1", "slug": "moire", **numbers}  # fmt: skip
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: str(values.get(found[1], "1")), path)


@pytest.fixture(scope="module")
def people(site, numbers):
    """Give one of each kind who has no part in "moire"."""
    found = {"visitor": Somebody(site)}
    for login in ("member", "organiser", "judge"):
        found[login] = Somebody(site).registers(login, on="/c/denoising/")
    found["member"].makes_team("denoising", "Others")
    office(site, "organiser", "denoising")
    office(site, "judge", "night", "judge")
    return found


def routes(methods):
    for route in REGISTER.values():
        if (route.method in methods) and route.path not in ENDS:
            for start in ("", "/api/v1"):
                if route.prefix:
                    yield route.method, start, f"/c/{{challenge_id}}{route.path}"
                elif start not in route.path or not start:
                    yield route.method, start, route.path


def look(person, method, path, pattern):
    """Return what of a word stands in an answer."""
    answer = person.client.request(method, path, follow_redirects=False)
    assert answer.status_code in {503, *range(500)}, (method, path, answer.text[:600])  # /health is honest
    text = answer.content.decode("utf-8", "replace") + str(answer.headers)
    found = pattern.search(text)
    return (
        [] if found is None else [f"{method} {path}: {text[max(0, found.start() - 60) : found.end() + 30]}"]
    )


@pytest.mark.parametrize("name", ["visitor", "member", "organiser", "judge"])
def test_nothing_of_a_challenge_is_seen_by_who_has_no_part_in_it(people, numbers, name):
    leaks, person = [], people[name]
    for method, start, path in routes({"GET"}):
        for here in ("denoising", "night") if "challenge_id" in path else ("",):
            is_list = path in {"/", "/challenges"} and not here  # with the tops of boards
            pattern = re.compile(SECRET) if is_list else WORD
            where = fill(start + path, {**numbers, "challenge_id": here})
            leaks += look(person, method, where, pattern)
        if "challenge_id" in path:
            own = fill(start + path, {**numbers, "challenge_id": "moire"})
            if "/judge/" not in own and "/judging" not in own:  # the link is a judge's, who has a part in it
                leaks += look(person, method, own, re.compile(SECRET))
            leaks += look(person, method, own.replace("/moire/", "/dusk/"), WORD)
    assert leaks == []


def test_nothing_of_a_challenge_is_done_exported_or_mailed_by_people_of_another(site, people, numbers):
    before = {path: people["organiser"].get(path).status_code for path in ("/c/denoising/desk",)}
    assert before == {"/c/denoising/desk": 200}
    leaks = []
    with site.server.database.writing() as session:
        session.execute(update(t.User).values(email_verified_at=site.clock()))
    for table in TABLES:
        leaks += look(people["organiser"], "GET", f"/c/denoising/desk/exports/{table}", WORD)
    n_mails = len(site.mails())
    people["organiser"].post("/c/denoising/desk/announcements", title="Of denoising", text="None.")
    for who in ("organiser", "member"):
        for method, start, path in routes({"POST", "PUT", "PATCH", "DELETE"}):
            if "challenge_id" in path:
                leaks += look(
                    people[who], method, fill(start + path, {**numbers, "challenge_id": "denoising"}), WORD
                )
    leaks += [mail.address + mail.subject + mail.text for mail in site.mails()[n_mails:]
              if WORD.search(mail.address + mail.subject + mail.text)]  # fmt: skip
    assert leaks == []
    with site.server.database.reading() as session:
        assert session.get(t.Submission, numbers["submission_id"]).state == "scored"
        assert session.get(t.Team, numbers["team_id"]).state == "approved"


def test_a_row_of_another_challenge_is_spoken_of_like_one_that_is_not_there(people, numbers):
    organiser = people["organiser"]
    other = {name: 900000 + place for place, name in enumerate(numbers)} | {"key": "0f" * 24}
    for method, start, path in routes({"GET", "POST"}):
        named = [each for each in numbers if f"{{{each}}}" in path]
        if "challenge_id" not in path or not named:
            continue
        there, not_there = (
            organiser.client.request(
                method, fill(start + path, {**values, "challenge_id": "denoising"}), follow_redirects=False
            )
            for values in (numbers, other)
        )
        text = not_there.text
        for each in named:
            text = text.replace(str(other[each]), str(numbers[each]))
        text = text.replace(not_there.headers["X-Request-ID"], there.headers["X-Request-ID"])
        assert (there.status_code, there.text) == (not_there.status_code, text), (method, path)


def test_no_link_that_people_can_follow_leads_to_a_secret(site, people):
    for name, start in (("organiser", "/c/denoising/desk"), ("member", "/c/denoising/")):
        seen = crawl(people[name], start, within=lambda path: not path.startswith(("/c/moire/", "/static/")))
        assert len(seen) > 10
        assert [path for path, (_, _, text) in seen.items() if re.search(SECRET, text)] == []
