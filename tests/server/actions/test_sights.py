import threading
from datetime import timedelta

from sqlalchemy import select

from raim.server.actions.accounts import register
from raim.server.actions.sights import is_hidden, note_sight
from raim.server.database import AuditEvent, Challenge

DAY = timedelta(days=1)


def lines(imported):
    with imported.database.reading() as session:
        found = select(AuditEvent).where(AuditEvent.action.startswith("see ")).order_by(AuditEvent.id)
        return [(each.action, each.details["data_set"], each.happened_at) for each in session.scalars(found)]


def test_of_many_at_once_one_line_is_written_for_a_person_a_data_set_and_a_day(imported):
    with imported.database.writing() as session:
        olga = register(session, imported.now, login="olga", password_hash="x").id
    start, version = threading.Barrier(4), imported.challenge.version

    def see():
        start.wait()
        note_sight(
            imported.database, imported.challenge, imported.now, "feedback-pairs", "reference", user_id=olga
        )

    threads = [threading.Thread(target=see) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [("see hidden references", "feedback-pairs", imported.now)]
    assert lines(imported) == expected
    midnight = imported.now.replace(hour=0) + DAY
    for moment, data_set, part in (
        (midnight - timedelta(microseconds=1), "feedback-pairs", "reference"),  # the same day
        (midnight, "feedback-pairs", "reference"),
        (midnight, "feedback-pairs", "input"),
        (midnight, "final-unpaired", "input"),
    ):
        note_sight(imported.database, imported.challenge, moment, data_set, part, user_id=olga)
    assert lines(imported) == [
        *expected,
        ("see hidden references", "feedback-pairs", midnight),
        ("see hidden inputs", "feedback-pairs", midnight),
        ("see hidden inputs", "final-unpaired", midnight),
    ]
    with imported.database.reading() as session:
        assert (
            session.scalars(select(Challenge.version)).one() == version
        )  # nothing that is kept is made again


def test_what_teams_may_have_is_not_hidden_and_the_finals_inputs_are_until_it_opens(imported):
    challenge = imported.challenge
    final = challenge.definition.phase("final")
    assert not is_hidden(challenge, "tuning-pairs", "reference", imported.now)
    assert is_hidden(challenge, "feedback-pairs", "reference", final.opens)
    assert is_hidden(challenge, "final-unpaired", "input", final.opens - DAY)
    assert not is_hidden(challenge, "final-unpaired", "input", final.opens)
