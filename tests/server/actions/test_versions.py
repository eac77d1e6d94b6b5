"""A new scorer version is scored beside the old: the board stays on the old until the switch."""

from dataclasses import replace

import pytest

from desk_world import NOON, VERSION, make_world
from raim.challenge import LeaderboardRule
from raim.errors import StateError
from raim.scoring.profiles import find_profile
from raim.server.actions.challenge_import import import_challenge
from raim.server.actions.versions import list_new_versions, switch_versions
from raim.server.database import DataSet, Submission
from raim.server.standings import make_standings
from raim.server.storage import open_storage

NEW = "raim-2024-2"


@pytest.fixture
def world(database):
    """Give two teams with an entry each."""
    made = make_world(database)
    made.numbers = []
    for name, score in (("A", 50.0), ("B", 40.0)):
        made.team(name)
        made.numbers.append(made.submission(name, score=score))
    return made


def start_again(world, version=NEW, **rule):
    """Start the server with a raim that scores otherwise."""
    world.definition = replace(world.definition, leaderboard=LeaderboardRule(**rule))
    import_challenge(
        world.database, open_storage("memory://world"), NOON, world.definition, scorer_version=version
    )


def score_again(world, number, score):
    with world.database.writing() as session:
        row = session.get_one(Submission, number)
        world.add_results(session, world.challenge(), row, score, scorer_version=NEW)


def board(world):
    challenge = world.challenge()
    with world.database.reading() as session:
        phase = challenge.definition.phase("first")
        found = make_standings(session, challenge, phase, find_profile("raim-2024"))
    rows = [(each.row.rank, each.team, each.row.entry.score) for each in found.rows]
    return found.scorer_version, rows


def switch(world, **options):
    with world.database.writing() as session:
        return switch_versions(session, NOON, world.challenge(), actor_id=world.organiser, **options)


def waiting(world):
    with world.database.reading() as session:
        return [
            (each.data_set, each.n_scored, each.n_entries)
            for each in list_new_versions(session, world.challenge())
        ]


def test_an_upgrade_leaves_the_board_until_all_is_scored_anew_and_an_organiser_switches(world):
    before = board(world)
    start_again(world)
    assert board(world) == before == (VERSION, [(1, "A", 50.0), (2, "B", 40.0)])
    score_again(world, world.numbers[0], 51.0)
    assert (board(world), waiting(world)) == (before, [("pairs", 1, 2)])
    score_again(world, world.numbers[1], 52.0)
    assert (board(world), waiting(world)) == (before, [("pairs", 2, 2)])
    switch(world)
    assert board(world) == (NEW, [(1, "B", 52.0), (2, "A", 51.0)])
    assert waiting(world) == []
    assert world.actions()[-1] == "switch versions"


def test_a_switch_that_would_take_entries_off_the_board_is_refused_unless_it_is_wanted(world):
    start_again(world)
    score_again(world, world.numbers[1], 52.0)
    with pytest.raises(StateError, match="1 of 2 entries on pairs are scored under the new version"):
        switch(world)
    assert board(world)[0] == VERSION
    switch(world, even_incomplete=True)
    assert board(world) == (NEW, [(1, "B", 52.0), (None, "A", None)])
    with pytest.raises(StateError, match="in force already"):
        switch(world)


def test_an_entry_that_only_the_new_version_has_scored_says_why_it_has_no_rank(world):
    start_again(world)
    world.team("C")
    with world.database.writing() as session:
        row = session.get_one(Submission, world.submission("C", state="scoring"))
        world.add_results(session, world.challenge(), row, 90.0, scorer_version=NEW)
        row.state = "scored"
    challenge = world.challenge()
    with world.database.reading() as session:
        phase = challenge.definition.phase("first")
        found = make_standings(session, challenge, phase, find_profile("raim-2024"))
    assert found.rows[-1].row.why_unranked == "is scored under a new version, which is not in force yet"


def test_the_file_may_have_new_versions_in_force_at_once(world):
    start_again(world, new_versions="at-once")
    assert board(world) == (NEW, [(None, "A", None), (None, "B", None)])


def test_a_data_set_without_scores_takes_the_new_version_at_once(database):
    world = make_world(database)
    start_again(world)
    assert (board(world), waiting(world)) == ((NEW, []), [])


def test_corrected_references_wait_too(world):
    before = board(world)
    with world.database.writing() as session:
        session.query(DataSet).one().version = "9" * 64
    assert (board(world), waiting(world)) == (before, [("pairs", 0, 2)])


def test_the_way_back_to_the_old_raim_leaves_nothing_to_switch(world):
    start_again(world)
    start_again(world, VERSION)
    assert waiting(world) == []
