import pytest

from desk_world import CountedQueries, make_world
from raim.server.database import User
from raim.server.queries.hints import find_hints

SHA = "a" * 64


@pytest.fixture
def world(database):
    return make_world(database)


def hints(world):
    with world.database.reading() as session:
        return [
            (each.shared, each.value, list(each.teams.values()), each.people)
            for each in find_hints(session, world.challenge().id)
        ]


def test_teams_that_share_nothing_give_no_hint(world):
    world.team("Ada", email="ada@example.org", address="192.0.2.1")
    world.team("Bob", email="bob@example.org", address="192.0.2.2")
    world.submission("Ada", committed_sha256=SHA)
    world.submission("Ada", committed_sha256=SHA)  # the same file twice by one team is no hint
    assert hints(world) == []


def test_what_teams_share_is_listed_with_the_strongest_hint_first(world):
    world.team("Bob", email="One@Example.org", address="192.0.2.1")
    world.team("Ada", email="one@example.org", address="192.0.2.1")
    world.team("Cleo", address="192.0.2.9")
    first = world.submission("Ada", committed_sha256=SHA)
    second = world.submission("Cleo", committed_sha256=SHA, state="refused")
    assert hints(world) == [
        ("file", SHA, ["Ada", "Cleo"], [f"submission {first}", f"submission {second}"]),
        ("e-mail", "one@example.org", ["Ada", "Bob"], ["of Ada", "of Bob"]),
        ("address", "192.0.2.1", ["Ada", "Bob"], ["of Ada", "of Bob"]),
    ]


def test_addresses_that_people_of_two_teams_have_verified_come_first(world):
    world.team("Ada", email="a@example.org")
    world.team("Bob", email="a@example.org")
    world.team("Cleo", email="b@example.org")
    world.team("Dora", email="b@example.org")
    world.team("Emil", email="b@example.org")
    with world.database.writing() as session:
        for name in ("Ada", "Cleo", "Dora"):
            session.get_one(User, world.teams[name][2]).email_verified_at = world.now
    with world.database.reading() as session:
        found = find_hints(session, world.challenge().id)
    assert [(each.value, each.is_verified, each.people) for each in found] == [
        ("b@example.org", True, ["of Cleo (verified)", "of Dora (verified)", "of Emil"]),
        ("a@example.org", False, ["of Ada (verified)", "of Bob"]),
    ]


def test_people_of_one_team_and_people_without_a_team_share_nothing(world):
    world.team("Ada", address="192.0.2.1")
    world.user("guest", address="192.0.2.1")
    assert hints(world) == []


def test_the_number_of_queries_does_not_depend_on_the_number_of_teams(world):
    for number in range(12):
        world.team(f"Team {number}", email="same@example.org", address="192.0.2.1")
    with world.database.reading() as session, CountedQueries(world.database) as queries:
        found = find_hints(session, 1)
    assert [len(each.teams) for each in found] == [12, 12]
    assert len(queries) == 3
