"""When tokens were last used: many uses in one moment are few transactions."""

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import event, select

from raim.server.actions.accounts import register
from raim.server.actions.tokens import TokenUses, make_api_token
from raim.server.database import ApiToken

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


def test_thirty_uses_in_one_moment_are_two_transactions_and_all_are_written_down(database):
    with database.writing() as session:
        user = register(session, NOON, login="ada", password_hash="x")
        tokens = [make_api_token(session, NOON, user, name=f"token {n}") for n in range(30)]
    uses, begun, go_on, commits = TokenUses(), threading.Event(), threading.Event(), []

    def hold(_connection):
        commits.append(len(commits))
        begun.set()
        assert go_on.wait(60)

    event.listen(database.engine, "commit", hold)
    later = NOON + timedelta(hours=3)
    first = threading.Thread(target=uses.note, args=(database, later, tokens[0]))
    first.start()
    assert begun.wait(60)
    for token in tokens[1:]:
        uses.note(database, later, token)  # none of them waits
    go_on.set()
    first.join()
    event.remove(database.engine, "commit", hold)
    assert len(commits) == 2
    assert uses.noted == {}
    with database.reading() as session:
        assert set(session.scalars(select(ApiToken.last_used_at))) == {later}
