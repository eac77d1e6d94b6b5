from datetime import timedelta

import pytest

from desk_world import NOON, make_world
from raim.errors import UnknownNameError
from raim.server.actions.checklist import BY_HAND, tick
from raim.server.actions.fact_sheets import FIELDS
from raim.server.actions.finalists import answer_invitation, invite_finalists
from raim.server.database import Challenge, ChecklistTick, FactSheet, Study, Submission
from raim.server.queries.checklist import computed_points, manual_points
from raim.server.study.publication import hide

AFTER = NOON + timedelta(days=20)
NEEDED = {each.key: "stated" for each in FIELDS if each.is_needed}


@pytest.fixture
def world(database):
    made = make_world(database)
    made.team("Ada")
    return made


def left(world, now=AFTER, *, n_unseen_flags=0):
    challenge = world.challenge()
    with world.database.reading() as session:
        points = computed_points(session, now, challenge, n_unseen_flags=n_unseen_flags)
    return {each.key: each.left for each in points if not each.is_done}


def make_finalist(world, name, *, accepts=True, **stated):
    team_id, _, user_id = world.teams[name]
    with world.database.writing() as session:
        row = invite_finalists(session, NOON, world.challenge(), [team_id], actor_id=world.organiser)[0]
        if accepts is not None:
            answer_invitation(session, NOON, row, accepts=accepts, actor_id=user_id)
        if stated:
            session.add(FactSheet(team_id=team_id, fields=stated, updated_at=NOON, updated_by=user_id))


def finish(world):
    """Do everything that the server can know."""
    world.submission("Ada")
    world.submission("Ada", kind="final", phase="last", state="accepted")
    make_finalist(world, "Ada", **NEEDED, code="https://example.org", licence="MIT")
    with world.database.writing() as session:
        session.get_one(Challenge, world.challenge().id).results_published_at = AFTER


def test_when_everything_is_done_nothing_is_left(world):
    finish(world)
    assert left(world) == {}


def test_an_empty_challenge_misses_finalists_and_publication(world):
    none = ("no team is invited",)
    assert left(world) == {
        "finalists": none,
        "fact_sheets": none,
        "code": none,
        "final_submissions": none,
        "published": ("ranking and gallery are not public",),
    }


def test_a_study_that_is_under_way_is_named_until_it_is_revealed(world):
    finish(world)
    challenge = world.challenge()
    with world.database.writing() as session:
        session.add(
            Study(
                challenge_id=challenge.id,
                phase_id=challenge.phase_ids["last"],
                data_set_id=challenge.data_set_ids["pairs"],
                title="By night",
                state="closed",
                design={},
                created_at=NOON,
            )
        )
    assert left(world) == {"study": ("By night: closed",)}
    with world.database.writing() as session:
        session.get_one(Study, 1).state = "revealed"
    assert left(world) == {}
    with world.database.writing() as session:
        session.get_one(Study, 1).state = "discarded"
    assert left(world) == {"study": ("no study was made",)}


def test_phases_that_are_open_are_named_with_their_end(world):
    finish(world)
    assert left(world, NOON + timedelta(days=10)) == {"phases": ("Last closes at 2026-03-16 12:00 UTC",)}
    assert len(left(world, NOON)["phases"]) == 2


@pytest.mark.parametrize("state", ["receiving", "checking", "queued", "scoring"])
def test_work_under_way_is_counted(world, state):
    finish(world)
    world.submission("Ada", state=state)
    assert left(world) == {"queue": (f"1 {state}",)}


def test_a_failure_and_an_old_version_are_shown(world):
    finish(world)
    world.submission("Ada", state="failed")
    number = world.submission("Ada", score=1.0)
    with world.database.writing() as session:
        session.get_one(Challenge, world.challenge().id).scorer_version = "raim-2024-2"
        world.add_results(
            session, world.challenge(), session.get_one(Submission, number), 1.0, scorer_version="raim-2024-2"
        )
    found = left(world)
    assert set(found) == {"failures", "versions"}
    assert found["failures"][0].startswith("1 submission;")
    assert found["versions"] == (
        "1 of 2 entries on pairs are scored under raim-2024-2, which is not in force yet",
    )


def test_entries_of_a_suspended_team_hold_nothing_up(world):
    finish(world)
    world.team("Bob", state="suspended")
    world.submission("Bob", score=2.0)
    with world.database.writing() as session:
        session.get_one(Challenge, world.challenge().id).scorer_version = "raim-2024-2"
    assert left(world)["versions"] == (
        "0 of 1 entries on pairs are scored under raim-2024-2, which is not in force yet",  # Ada's alone
    )


def test_unseen_flags_are_listed(world):
    finish(world)
    assert left(world, n_unseen_flags=3) == {"flags": ("3 submissions",)}


def test_finalists_are_asked_for_answers_sheets_code_and_final_sets(world):
    finish(world)
    world.team("Bob")
    world.team("Cleo")
    make_finalist(world, "Bob", accepts=None, **{**NEEDED, "runtime": " "}, code="https://example.org")
    make_finalist(world, "Cleo", accepts=False)  # who declined misses nothing
    assert left(world) == {
        "finalists": ("Bob",),
        "fact_sheets": ("Bob: Runtime",),
        "code": ("Bob",),
        "final_submissions": ("Bob",),
    }


def test_a_challenge_without_a_final_has_no_points_about_finalists(database):
    world = make_world(database, finalists=None)
    assert set(left(world)) == {"published"}


def test_hiding_the_results_brings_the_point_back(world):
    finish(world)
    with world.database.writing() as session:
        hide(session, AFTER, world.challenge(), actor_id=world.organiser)
    assert set(left(world)) == {"published"}
    assert world.actions()[-1] == "hide results"


def test_a_tick_has_a_name_and_a_time_and_can_be_taken_back(world):
    challenge = world.challenge()

    def set_tick(*, is_done):
        with world.database.writing() as session:
            tick(session, AFTER, challenge, "prizes", is_done=is_done, actor_id=world.organiser)
        with world.database.reading() as session:
            points = manual_points(session, challenge)
        return [(each.key, each.ticked_by, each.ticked_at) for each in points if each.is_done]

    assert set_tick(is_done=False) == []
    for _ in range(2):
        assert set_tick(is_done=True) == [("prizes", "olga", AFTER)]
    assert set_tick(is_done=False) == []
    assert world.actions()[-2:] == ["tick checklist", "untick checklist"]


def test_an_unknown_point_is_refused_with_the_nearest_one(world):
    with world.database.writing() as session, pytest.raises(UnknownNameError, match="did you mean 'prizes'"):
        tick(session, AFTER, world.challenge(), "prices", is_done=True, actor_id=world.organiser)
    assert all(len(key) <= ChecklistTick.item.type.length for key in BY_HAND)
