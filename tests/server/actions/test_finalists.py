from datetime import timedelta
from types import SimpleNamespace

import pytest

from raim.challenge import BoardEntry, rank_entries
from raim.errors import InputError, StateError
from raim.server.actions.accounts import register
from raim.server.actions.finalists import (
    answer_invitation,
    invite_finalists,
    is_finalist,
    list_finalists,
    propose_finalists,
    replace_finalist,
)
from raim.server.actions.teams import make_team
from raim.server.standings import Standing, Standings


@pytest.fixture
def final(imported):
    """Four teams, ranked in the order of their names, and an organiser."""
    with imported.database.writing() as session:
        organiser = register(session, imported.now, login="olga", password_hash="x", is_administrator=True)
        teams = []
        for number in range(4):
            user = register(session, imported.now, login=f"u{number}", password_hash="x")
            member = make_team(
                session,
                imported.now,
                challenge_id=imported.challenge.id,
                name=f"T{number}",
                user=user,
                is_approved=True,
            )
            teams.append(member.team_id)
        entries = [
            BoardEntry(id=str(place), team=str(team), submitted_at=imported.now, score=90.0 - place)
            for place, team in enumerate(teams)
        ]
        rows = tuple(
            Standing.of(row, team=row.entry.team, submission_id=1, is_verified=False, scenarios={})
            for row in rank_entries(entries)
        )
        standings = Standings(rows=rows, scenarios=(), history={}, version=1, scorer_version="1")
        yield SimpleNamespace(
            session=session,
            challenge=imported.challenge,
            now=imported.now,
            teams=teams,
            standings=standings,
            actor=organiser.id,
        )


def proposed(final, n):
    found = propose_finalists(final.session, final.challenge, final.standings, n=n)
    return [int(each.team) for each in found.invited]


def test_the_first_teams_are_proposed_and_invited_once(final):
    assert proposed(final, 2) == final.teams[:2]
    for _ in range(2):
        invite_finalists(final.session, final.now, final.challenge, final.teams[:2], actor_id=final.actor)
    assert [each.position for each in list_finalists(final.session, final.challenge)] == [1, 2]
    assert is_finalist(final.session, final.challenge, final.teams[0])
    assert not is_finalist(final.session, final.challenge, final.teams[2])


def test_a_place_that_is_declined_goes_to_the_next_team(final):
    first, _ = invite_finalists(
        final.session, final.now, final.challenge, final.teams[:2], actor_id=final.actor
    )
    answer_invitation(final.session, final.now, first, accepts=False, actor_id=final.actor)
    assert sorted(proposed(final, 2)) == sorted(final.teams[1:3])
    new = replace_finalist(
        final.session, final.now, final.challenge, first, final.teams[2], actor_id=final.actor
    )
    assert (new.position, new.replaces_id) == (first.position, first.id)
    assert not is_finalist(final.session, final.challenge, final.teams[0])
    assert is_finalist(final.session, final.challenge, final.teams[2])
    with pytest.raises(StateError, match="was declined"):
        answer_invitation(final.session, final.now, first, accepts=True, actor_id=final.actor)
    with pytest.raises(InputError, match="is or was a finalist"):
        replace_finalist(final.session, final.now, final.challenge, new, final.teams[0], actor_id=final.actor)


def test_an_answer_is_written_down(final):
    first = invite_finalists(
        final.session, final.now, final.challenge, final.teams[:1], actor_id=final.actor
    )[0]
    later = final.now + timedelta(hours=1)
    answer_invitation(final.session, later, first, accepts=True, actor_id=final.actor)
    assert (first.accepted_at, first.declined_at) == (later, None)


def test_teams_that_cannot_be_invited_are_refused(final):
    for teams, words in (([final.teams[0]] * 2, "named twice"), ([999], "no approved team")):
        with pytest.raises(InputError, match=words):
            invite_finalists(final.session, final.now, final.challenge, teams, actor_id=final.actor)
