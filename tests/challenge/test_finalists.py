import pytest
from hypothesis import given
from hypothesis import strategies as st

from challenge_case import utc
from raim.challenge import BoardEntry, choose_finalists, rank_entries
from raim.errors import InputError, UnknownNameError


def board(**scores):
    return rank_entries(
        BoardEntry(id=team, team=team, submitted_at=utc(3, 10, hour), score=score)
        for hour, (team, score) in enumerate(scores.items())
    )


FIVE = board(a=50.0, b=40.0, c=30.0, d=20.0, e=10.0)


def teams(finalists):
    return [each.team for each in finalists.invited]


def test_the_first_teams_are_invited_and_the_rest_wait():
    chosen = choose_finalists(FIVE, 3)
    assert (teams(chosen), chosen.waiting, chosen.n_vacant) == (["a", "b", "c"], ("d", "e"), 0)


def test_a_team_that_declines_leaves_its_place_to_the_next():
    chosen = choose_finalists(FIVE, 3, declined=["b"])
    assert [(each.place, each.team, each.replaces) for each in chosen.invited] == [
        (1, "a", None),
        (2, "d", "b"),
        (3, "c", None),
    ]
    assert [each.team for each in chosen.declined] == ["b"]


def test_a_replacement_can_decline_too():
    chosen = choose_finalists(FIVE, 3, declined=["b", "d"])
    assert [(each.team, each.replaces) for each in chosen.invited] == [("a", None), ("e", "d"), ("c", None)]


def test_a_team_without_a_place_that_declines_is_passed_over():
    chosen = choose_finalists(FIVE, 3, declined=["d", "b"])
    assert teams(chosen) == ["a", "e", "c"]
    assert [each.team for each in chosen.declined] == ["b"]


def test_places_stay_vacant_when_there_are_no_more_teams():
    assert choose_finalists(FIVE, 7).n_vacant == 2
    chosen = choose_finalists(FIVE, 4, declined=["a", "b"])
    assert (teams(chosen), chosen.n_vacant) == (["e", "c", "d"], 1)


def test_who_has_no_score_is_never_invited():
    assert teams(choose_finalists(board(a=None, b=1.0), 2)) == ["b"]


def test_the_earlier_of_two_equal_teams_goes_on_and_the_tie_is_reported():
    chosen = choose_finalists(board(late=20.0, x=30.0, early=20.0), 2)
    assert (teams(chosen), chosen.tied_out) == (["x", "late"], ("early",))


def test_an_unknown_team_cannot_decline():
    with pytest.raises(UnknownNameError, match="no ranked team named 'z'"):
        choose_finalists(FIVE, 3, declined=["z"])


def test_a_final_has_places():
    with pytest.raises(InputError, match="0 places"):
        choose_finalists(FIVE, 0)


@given(st.integers(1, 7), st.lists(st.sampled_from("abcde"), unique=True))
def test_the_invited_are_the_best_teams_that_have_not_declined(n, declined):
    chosen = choose_finalists(FIVE, n, declined=declined)
    willing = [team for team in "abcde" if team not in declined]
    assert sorted(teams(chosen)) == willing[:n]
    assert list(chosen.waiting) == willing[n:]
    assert chosen.n_vacant == n - len(willing[:n])
