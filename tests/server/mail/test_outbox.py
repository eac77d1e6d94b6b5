"""What is written, when it is due, and what becomes of it: each mail once, people's limit, the newest joined."""

import threading
from email.headerregistry import Address

import pytest
from hypothesis import given
from hypothesis.strategies import text

from mail_world import ADA
from raim.errors import StateError
from raim.server.database import Mail
from raim.server.mail import retry_mail, write_mail
from raim.server.mail.outbox import LEASE, PER_HOUR, WAITS, begin_sending, end_mail, forget_mail, take_mail
from raim.server.settings import MAILABLE


def take(outbox):
    with outbox.database.writing() as session:
        row = take_mail(session, outbox.now)
        return None if row is None else (row.id, row.tries)


def end(outbox, taken, state, why=""):
    with outbox.database.writing() as session:
        end_mail(session, outbox.now, *taken, state=state, why=why)


def begin(outbox, taken):
    with outbox.database.writing() as session:
        return begin_sending(session, outbox.now, *taken)


def test_without_a_mail_server_nothing_is_written_and_what_waited_is_dropped(outbox):
    assert outbox.write()
    outbox.set_up(smtp_url="")
    assert not outbox.write("announcement 2")
    assert [(each.state, each.why) for each in outbox.rows()] == [("dropped", "mail was turned off")]


def test_the_same_mail_is_written_once_and_its_action_goes_on(outbox):
    assert outbox.write()
    assert not outbox.write()
    assert outbox.write(to="bob@example.org")
    assert len(outbox.rows()) == 2


def test_a_mail_is_undone_with_the_action_that_it_tells_of(outbox):
    with pytest.raises(RuntimeError), outbox.database.writing() as session:
        assert write_mail(
            session, outbox.now, "announcement", "announcement 1", ADA, title="News", text="None."
        )
        raise RuntimeError
    assert outbox.rows() == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        None,
        "ada",
        "ada@example.org, eve@example.org",
        "ada@example.org\nBcc: x@y",
        "ä@example.org",
        "a..b@x.org",
        ".a@x.org",
        "a.@x.org",
        "a@x..y",
        "a@x.",
        "a@-x",
        "a@x-.y",
        "a@x.org\n",
        f"{'a' * 250}@x.org",
    ],
)
def test_what_is_no_address_is_not_written_to(outbox, address):
    assert not outbox.write(to=address)


@given(text("ab.-_@+'1", max_size=12))
def test_every_address_that_is_taken_can_stand_in_a_mail(address):
    if MAILABLE.fullmatch(address):
        assert str(Address(addr_spec=address)) == address


def test_an_address_of_the_usual_forms_is_taken():
    usual = ("a.b+c@d-e.org", "o'neil@x.co", "root@localhost", "a_b@xn--mnchen-3ya.de", "1@2.3")
    assert all(MAILABLE.fullmatch(each) for each in usual)


def test_two_workers_take_different_mails(outbox):
    outbox.write(to=ADA)
    outbox.write(to="bob@example.org")
    found = []
    threads = [threading.Thread(target=lambda: found.append(take(outbox))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(filter(None, found)) == [(1, 1), (2, 1)]


def test_a_mail_that_a_worker_has_lost_before_it_was_given_is_taken_again(outbox):
    outbox.write()
    first = take(outbox)
    assert take(outbox) is None
    outbox.now += LEASE * 1.1
    second = take(outbox)
    assert second == (1, 2)
    assert not begin(outbox, first)  # the lost worker comes back
    assert begin(outbox, second)
    end(outbox, first, "failed", "late")
    assert outbox.states() == ["sending"]
    end(outbox, second, "sent")
    assert outbox.states() == ["sent"]
    assert outbox.row().text == ""


def test_a_mail_that_was_being_given_is_unclear_and_sent_again_by_an_organiser_only(outbox):
    outbox.write()
    taken = take(outbox)
    assert begin(outbox, taken)
    outbox.now += LEASE * 1.1
    assert take(outbox) is None
    assert outbox.states() == ["unclear"]
    organiser = outbox.world.user("otto")
    with outbox.database.writing() as session:
        retry_mail(session, outbox.now, session.get_one(Mail, 1), actor_id=organiser)
    assert take(outbox) == (1, 3)
    end(outbox, taken, "sent")  # of the first worker, too late
    assert outbox.states() == ["taken"]
    with outbox.database.writing() as session, pytest.raises(StateError, match="this mail is taken"):
        retry_mail(session, outbox.now, session.get_one(Mail, 1), actor_id=organiser)


def test_waits_between_tries_grow_until_it_is_given_up(outbox):
    outbox.write()
    waited = []
    for _ in WAITS:
        end(outbox, take(outbox), "waiting", "451 later")
        waited.append((outbox.row().due_at - outbox.now).total_seconds() / 60)
        assert take(outbox) is None
        outbox.now = outbox.row().due_at
    assert waited == list(WAITS) == sorted(waited)
    end(outbox, take(outbox), "waiting", "451 later")
    assert (outbox.row().state, outbox.row().why) == ("failed", "given up after 8 tries: 451 later")


def test_what_is_over_a_persons_limit_waits_and_what_they_asked_for_does_not(outbox):
    result = {"kind": "result", "ending": "is scored", "error": "", "team": "A", "submission": 1}
    for number in range(PER_HOUR + 1):
        outbox.write(f"submission {number}", **result)
    outbox.write("submission 0", "bob@example.org", **result)
    for _ in range(PER_HOUR + 1):
        end(outbox, take(outbox), "sent")
    assert take(outbox) is None
    assert outbox.states() == ["sent"] * PER_HOUR + ["waiting", "sent"]
    outbox.write("link 1", kind="password", token="t", login="ada")
    asked = take(outbox)
    assert asked[0] == PER_HOUR + 3
    end(outbox, asked, "sent")
    outbox.move(minutes=61)
    assert take(outbox)[0] == PER_HOUR + 1


def test_announcements_that_wait_for_one_reader_go_as_one(outbox):
    for number in (1, 2, 3):
        outbox.write(f"announcement {number}", text=f"Text {number}.")
    outbox.write("announcement 1", "bob@example.org")
    end(outbox, take(outbox), "sent")
    assert outbox.states() == ["sent", "joined", "joined", "waiting"]
    assert outbox.rows()[0].subject == "RAIM: News (and 2 more)"
    assert outbox.rows()[1].why == "in mail 1"


def test_what_ended_long_ago_is_deleted_and_what_waits_is_not(outbox):
    outbox.write()
    outbox.write("announcement 1", "bob@example.org")
    end(outbox, take(outbox), "failed", "550 no")
    outbox.move(days=91)
    with outbox.database.writing() as session:
        forget_mail(session, outbox.now)
    assert [each.address for each in outbox.rows()] == ["bob@example.org"]
