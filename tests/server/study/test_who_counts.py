import pytest

from desk_world import make_world
from raim.challenge.settings import LeaderboardRule, Weights
from raim.errors import StateError
from raim.scoring.profiles import PROFILES
from raim.server import database as tables
from raim.server.standings import StandingsCache
from raim.server.study.ballots import collect_ballots
from raim.server.study.judges import revoke_judge
from raim.server.study.progress import judge_progress
from raim.server.study.results import deciding_standings, make_results
from raim.server.study.ties import ties_of
from study_world import StudyWorld

EMAIL = "ada@example.org"


def make_study(database, *teams, challenge=None, step=1.0, **rule):
    world = make_world(database, **(challenge or {}))
    world.images(*(f"i{number}" for number in range(6)))
    made = StudyWorld(world=world, phase="last", data_set="pairs", board_phase="first")
    for place, team in enumerate(teams or ("Alpha", "Beta")):
        made.finalist(team, score=70.0 + step * place)
    return made.build(**{"judges": 2, "traps": 0, "training": 0, "repeats_share": 0.0, **rule})


def by_name(_place, _image, _kind, shown):
    return sorted(shown)[:3]


def ballots_of(study):
    with study.world.database.reading() as session:
        return collect_ballots(session, session.get_one(tables.Study, study.study_id))


def results_of(study):
    challenge = study.world.challenge()
    with study.world.database.reading() as session:
        row = session.get_one(tables.Study, study.study_id)
        board = deciding_standings(
            session, challenge, StandingsCache(), PROFILES[challenge.definition.profile]
        )
        return make_results(session, challenge, row, board, n_draws=20)


def revoke(study, place):
    with study.writing() as session:
        judge = session.get_one(tables.Judge, study.judges[place][0])
        revoke_judge(session, study.world.now, judge, actor_id=None)


# ---- A judge who is invited again


@pytest.mark.parametrize("options", [{"email": EMAIL}, {}], ids=["by e-mail", "by name"])
@pytest.mark.parametrize("revoke_first", [True, False], ids=["revoked first", "revoked after"])
def test_a_judge_who_is_invited_again_votes_once(database, options, revoke_first):
    study = make_study(database).invite("Ada", **options).invite("Bob").open()
    study.vote(by_name, only={0, 1})
    if revoke_first:
        revoke(study, 0)
    study.invite("Ada", **({"email": EMAIL.upper()} if options else {}))
    if not revoke_first:
        revoke(study, 0)
    with study.world.database.reading() as session:
        states = [each.state for each in judge_progress(session, study.row())]
    assert states == ["invited again", "finished", "invited"]
    study.vote(by_name, only={2}).step("close").step("reveal")
    ballots = ballots_of(study)
    assert ballots.judges == ("J01", "J02")
    assert len(ballots.votes) == 2 * 6


def test_the_votes_of_a_judge_who_is_only_revoked_count(database):
    study = make_study(database).invite("Ada", "Bob").open().vote(by_name)
    revoke(study, 0)
    study.step("close").step("reveal")
    assert len(ballots_of(study).votes) == 2 * 6


# ---- Addresses, verified or not


def has_address(study, team, *, verified):
    with study.writing() as session:
        user = session.get_one(tables.User, study.world.teams[team][2])
        user.email, user.email_verified_at = EMAIL, study.world.now if verified else None


def test_an_account_with_a_judges_address_keeps_nobody_from_judging(database):
    study = make_study(database, "Alpha", "Beta")
    has_address(study, "Beta", verified=False)
    study.invite("Ada", email=EMAIL)
    with study.world.database.reading() as session:
        row = session.get_one(tables.Study, study.study_id)
        (judge,) = judge_progress(session, row)
        assert ties_of(session, row) == {}
    assert "of Beta" in judge.flags[0]
    assert "not verified" in judge.flags[0]
    has_address(study, "Alpha", verified=True)
    with study.world.database.reading() as session:
        (judge,) = judge_progress(session, row)
    assert judge.flags == ["an account of Alpha has this e-mail address, verified: a tie"]


def test_a_member_who_has_verified_their_address_does_not_judge(database):
    study = make_study(database, "Alpha", "Beta")
    has_address(study, "Beta", verified=True)
    with pytest.raises(StateError, match=r"Ada has a tie to Beta \(a member of the team has verified"):
        study.invite("Ada", email=EMAIL.upper())
    study.invite("Ada")


def test_a_tie_that_an_organiser_states_rules_a_judge_out(database):
    study = make_study(database)
    with pytest.raises(StateError, match="has a tie to Alpha"):
        study.invite("Ada", ties={study.world.teams["Alpha"][0]: ""})


@pytest.mark.parametrize("verified", [True, False])
def test_a_tile_is_hidden_by_a_verified_address_until_the_organiser_says_otherwise(database, verified):
    study = make_study(
        database, "Alpha", "Beta", "Gamma", conflicts="hide-tile", challenge={"finalists": None}
    )
    has_address(study, "Beta", verified=verified)
    study.invite("Ada", email=EMAIL)
    with study.world.database.reading() as session:
        row = session.get_one(tables.Study, study.study_id)
        found = [list(each) for each in ties_of(session, row).values()]
    assert found == ([[study.world.teams["Beta"][0]]] if verified else [])


# ---- A team that is called as the tile of a trap


@pytest.mark.parametrize("name", ["blurred copy", "Blurred Copy"])
def test_a_team_called_blurred_copy_is_no_trap(database, name):
    study = (
        make_study(database, name, "Beta", traps=2, challenge={"finalists": None}).invite("Ada", "Bob").open()
    )
    entries = {}

    def honest(_place, _image, kind, shown):
        entries.setdefault(kind, shown)
        return sorted((each for each in shown if kind != "trap" or each != "blurred copy"), reverse=True)

    study.vote(honest).step("close").step("reveal")
    results = results_of(study)
    assert [each.n_trapped for each in results.analysis.judges] == [0, 0]
    assert set(results.ballots.entries) == {"Beta", f"{name} (team)"}
    assert results.scores == {"Beta": 71.0, f"{name} (team)": 70.0}


# ---- Digits


@pytest.mark.parametrize(("decimals", "ranks"), [(0, [1, 1]), (2, [1, 2])])
def test_the_ranking_of_a_study_compares_as_many_digits_as_the_leaderboard(database, decimals, ranks):
    changes = {
        "leaderboard": LeaderboardRule(decimals=decimals),
        "weights": Weights(score=0.999, study=0.001),
    }
    study = make_study(database, challenge=changes, step=0.2).invite("Ada").open()
    study.vote(by_name).step("close").step("reveal")
    results = results_of(study)
    assert [row.rank for row in results.ranking.rows] == ranks
    assert sorted(each.final_rank.value for each in results.analysis.entries) == ranks
