import csv
import io
import json
import zipfile

import pytest

from desk_world import HASH, NOON, CountedQueries, make_world
from raim.errors import UnknownNameError
from raim.records.submissions import Region
from raim.scoring.profiles import find_profile
from raim.server.actions.announcements import announce
from raim.server.actions.finalists import invite_finalists
from raim.server.actions.links import make_reset_link
from raim.server.actions.logins import open_session
from raim.server.actions.teams import invite
from raim.server.actions.tokens import make_api_token
from raim.server.database import Base, FactSheet, Image, Member, Submission, User
from raim.server.export_table import json_pieces
from raim.server.queries.exports import export_all, export_tables, find_table
from raim.server.submissions.comments import add_comment
from raim.server.submissions.states import change_state
from raim.server.tokens import hash_token

PROFILE = find_profile("raim-2024")


@pytest.fixture
def world(database):
    """Give a challenge with something in every table."""
    made = make_world(database)
    made.images("0001", "0002")
    for name in ("=Ada", "Bob"):
        made.team(name, email="one@example.org")
    first = made.submission("=Ada", score=70.0, flags={"same-file": "it is that of Bob"})
    made.submission("Bob", score=60.0)
    challenge = made.challenge()
    team_id, member_id, user_id = made.teams["=Ada"]
    with database.writing() as session:
        made.add_results(
            session,
            challenge,
            session.get_one(Submission, first),
            65.0,
            scorer_version="older",
            measures={"psnr": "inf", "clipiqa": 0.5},
        )
        author = session.get_one(User, made.organiser)
        add_comment(
            session,
            NOON,
            submission=session.get_one(Submission, first),
            author=author,
            text="@ the edge",
            image=session.get_one(Image, 1),
            region=Region(x=1, y=2, width=3, height=4),
        )
        announce(session, NOON, challenge_id=challenge.id, author=author, title="Welcome", text="*all*")
        invite_finalists(session, NOON, challenge, [team_id], actor_id=author.id)
        session.add(FactSheet(team_id=team_id, fields={"title": "+Net"}, updated_at=NOON, updated_by=user_id))
        user = session.get_one(User, user_id)
        member = session.get_one(Member, member_id)
        made.secrets = [
            make_api_token(session, NOON, user, name="laptop"),
            make_reset_link(session, NOON, user, actor_id=author.id),
            open_session(session, NOON, user, hours=1),
            invite(session, NOON, member),
        ]
    return made


def read(world):
    challenge = world.challenge()
    with world.database.reading() as session:
        tables = export_tables(session, challenge, PROFILE)
        return {each.name: json.loads("".join(json_pieces(each))) for each in tables}


def test_everything_that_reports_need_is_in_a_table(world):
    found = read(world)
    assert set(found) == {
        "teams", "members", "users", "submissions", "entry_results", "results", "leaderboards", "comments",
        "announcements", "finalists", "fact_sheets", "audit",
    }  # fmt: skip
    assert [each["name"] for each in found["teams"]] == ["=Ada", "Bob"]
    assert found["submissions"][0]["flags"] == {"same-file": "it is that of Bob"}
    assert (found["comments"][0]["region_width"], found["comments"][0]["is_of_team"]) == (3, False)
    assert found["finalists"][0]["team"] == "=Ada"
    assert found["fact_sheets"][0]["title"] == "+Net"
    assert found["announcements"][0]["author"] == "olga"
    assert found["audit"][-1]["action"] == "invite"


def test_results_of_all_versions_are_there_with_a_column_for_every_measure(world):
    found = read(world)
    assert [(each["scorer_version"], each["score"]) for each in found["entry_results"]] == [
        ("raim-2024-1", 70.0),
        ("raim-2024-1", 60.0),
        ("older", 65.0),
    ]
    assert found["entry_results"][2]["psnr"] == "inf"
    assert found["entry_results"][2]["clipiqa"] == 0.5
    assert found["entry_results"][0]["clipiqa"] is None
    assert [(each["submission"], each["image"]) for each in found["results"]] == [
        (1, "0001"), (1, "0002"), (2, "0001"), (2, "0002"), (1, "0001"), (1, "0002"),
    ]  # fmt: skip


def test_what_was_withdrawn_stays_in_the_exports_marked_and_is_on_no_board(world, database):
    with database.writing() as session:
        change_state(session, NOON, 1, "withdrawn")
    found = read(world)
    assert [(each["id"], each["state"]) for each in found["submissions"]] == [(1, "withdrawn"), (2, "scored")]
    means = {(each["submission"], each["state"], each["score"]) for each in found["entry_results"]}
    assert means == {(1, "withdrawn", 70.0), (1, "withdrawn", 65.0), (2, "scored", 60.0)}
    assert {each["state"] for each in found["results"] if each["submission"] == 1} == {"withdrawn"}
    assert [each["team"] for each in found["leaderboards"]] == ["Bob"]


def test_the_leaderboard_is_that_of_the_page(world):
    assert [(each["rank"], each["team"], each["score"]) for each in read(world)["leaderboards"]] == [
        (1, "=Ada", 70.0),
        (2, "Bob", 60.0),
    ]


def test_no_password_and_no_token_is_in_any_table(world):
    challenge = world.challenge()
    with world.database.reading() as session:
        packed = b"".join(export_all(export_tables(session, challenge, PROFILE), challenge, NOON))
    archive = zipfile.ZipFile(io.BytesIO(packed))
    text = "".join(archive.read(name).decode() for name in archive.namelist())
    for secret in (HASH, *world.secrets, *map(hash_token, world.secrets)):
        assert secret not in text
    columns = {name for table in read(world).values() for row in table for name in row}
    kept_back = {"password_hash", "token_sha256", "login_key", "key"}
    assert kept_back <= {column.name for table in Base.metadata.sorted_tables for column in table.columns}
    assert not columns & kept_back


def test_the_zip_has_each_table_twice_and_the_challenge(world):
    challenge = world.challenge()
    with world.database.reading() as session:
        tables = export_tables(session, challenge, PROFILE)
        packed = b"".join(export_all(tables, challenge, NOON))
    archive = zipfile.ZipFile(io.BytesIO(packed))
    names = {f"{each.name}.{suffix}" for each in tables for suffix in ("csv", "json")}
    assert set(archive.namelist()) == {"challenge.json", *names}
    assert json.loads(archive.read("challenge.json"))["name"] == "RAIM"
    for each in tables:
        rows = list(csv.reader(io.StringIO(archive.read(f"{each.name}.csv").decode(), newline="")))
        assert len(rows) == 1 + len(json.loads(archive.read(f"{each.name}.json")))
        assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_an_empty_challenge_has_empty_tables(database):
    world = make_world(database)
    found = read(world)
    assert {name for name, rows in found.items() if rows} == {"users", "audit"}


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(world):
    def count():
        challenge = world.challenge()
        with world.database.reading() as session, CountedQueries(world.database) as queries:
            b"".join(export_all(export_tables(session, challenge, PROFILE), challenge, NOON))
        return len(queries)

    before = count()
    for number in range(6):
        world.team(f"Team {number}")
        world.submission(f"Team {number}")
    assert count() == before < 30


def test_an_unknown_table_is_refused_with_the_nearest_one(world):
    with world.database.reading() as session, pytest.raises(UnknownNameError, match="did you mean 'teams'"):
        find_table(export_tables(session, world.challenge(), PROFILE), "team")
