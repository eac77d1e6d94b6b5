from datetime import timedelta

import pytest

from raim.errors import StateError
from raim.server.actions.accounts import register
from raim.server.database import Member, Team
from raim.server.submissions.choices import withdraw
from raim.server.submissions.input_entry import KeptFile, enter_input

HOUR = timedelta(hours=1)


def test_the_input_takes_no_try_is_one_entry_a_phase_and_can_be_entered_again_once_withdrawn(challenge):
    kept = KeptFile(sha256="e" * 64, n_bytes=9)
    with challenge.database.writing() as session:
        here = challenge.load(session)
        first, second = (
            register(session, challenge.now, login=login, password_hash="x").id for login in ("olga", "rita")
        )
        phase = here.definition.phase("first")
        with pytest.raises(StateError, match="enter its input after that"):
            enter_input(session, phase.opens - HOUR, here, phase, kept, actor_id=first)
        late = phase.closes  # whatever the deadline
        entry = enter_input(session, late, here, phase, kept, actor_id=first)
        assert (entry.state, entry.takes_try, entry.is_out_of_competition) == ("checking", False, True)
        assert session.get_one(Team, entry.team_id).is_baseline
        with pytest.raises(StateError, match=f"entered in First already, as submission {entry.id}"):
            enter_input(session, late, here, phase, kept, actor_id=second)
        member = session.get_one(Member, entry.member_id)
        assert member.user_id == first
        withdraw(session, late, entry.id, member)
        again = enter_input(session, late, here, phase, kept, actor_id=second)
        assert (again.team_id, again.member_id) == (entry.team_id, member.id)


def test_a_team_that_takes_part_under_that_name_is_not_used(challenge):
    with challenge.database.writing() as session:
        here = challenge.load(session)
        session.get_one(Team, session.get_one(Member, challenge.member).team_id).name_key = "the input"
        session.flush()
        user = register(session, challenge.now, login="olga", password_hash="x").id
        with pytest.raises(StateError, match="a team that takes part is named 'The input'"):
            enter_input(
                session,
                challenge.now,
                here,
                here.definition.phase("first"),
                KeptFile(sha256="e" * 64, n_bytes=9),
                actor_id=user,
            )
