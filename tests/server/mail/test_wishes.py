"""What people want: said on the account's page, or by one click in a mail, which nobody can forge."""

import pytest

from mail_world import ADA, SECRET
from raim.errors import UnknownNameError
from raim.server.database import User
from raim.server.mail import CHOSEN, MAIL_KINDS, choose_kinds, read_reader, read_refused, refuse_kind
from raim.server.mail.wishes import sign_reader


def choose(outbox, user_id, *wanted):
    with outbox.database.writing() as session:
        choose_kinds(session, outbox.now, session.get_one(User, user_id), wanted)


def verified(outbox, login="ada", email=ADA):
    user_id = outbox.world.user(login, email=email)
    with outbox.database.writing() as session:
        session.get_one(User, user_id).email_verified_at = outbox.now
    return user_id


def refuse(outbox, kind, reader):
    with outbox.database.writing() as session:
        refuse_kind(session, outbox.now, kind, reader)


@pytest.mark.parametrize("reader", [7, "ada@example.org", "o'neil+x@example.org"])
def test_a_token_says_what_it_was_made_for_and_nothing_else_is_one(reader):
    token = sign_reader(SECRET, "result", reader)
    assert read_reader(SECRET, token) == ("result", reader)
    payload, _, signature = token.partition(".")
    other = sign_reader(SECRET, "announcement", reader).partition(".")[0]
    mixed = [payload, f"{payload}.", f"{other}.{signature}", f"{payload}.{signature[:-2]}"]
    wrong = ["", ".", "x", "a.b.c", "ä.ö", *mixed]
    for each in wrong:
        with pytest.raises(UnknownNameError, match="not copied whole"):
            read_reader(SECRET, each)
    with pytest.raises(UnknownNameError):
        read_reader(b"another server", token)


def test_what_a_person_does_not_want_is_not_written_and_what_waits_is_dropped(outbox):
    ada = verified(outbox)
    assert outbox.write("announcement 1")
    choose(outbox, ada, "result")
    assert not outbox.write("announcement 2")
    assert [(each.state, each.text, each.user_id) for each in outbox.rows()] == [("dropped", "", ada)]
    assert outbox.write("announcement 2", "bob@example.org")
    choose(outbox, ada, *CHOSEN)
    assert outbox.write("announcement 3", ADA.upper())
    with pytest.raises(UnknownNameError, match="kind of mail"):
        choose(outbox, ada, "password")


def test_what_was_asked_for_comes_whatever_is_wished(outbox):
    ada = verified(outbox)
    choose(outbox, ada)
    assert outbox.write("link 1", kind="password", token="t", login="ada")
    assert set(CHOSEN) == {name for name, kind in MAIL_KINDS.items() if not kind.is_needed}


def test_an_address_without_an_account_refuses_for_itself(outbox):
    refuse(outbox, "announcement", ADA)
    refuse(outbox, "announcement", ADA)
    assert not outbox.write(to="Ada@Example.org")
    assert outbox.write(to="bob@example.org")
    ada = verified(outbox)
    with outbox.database.reading() as session:
        assert read_refused(session, session.get_one(User, ada)) == {"announcement"}
    choose(outbox, ada, *CHOSEN)
    assert outbox.write(to=ADA)


def test_who_types_anothers_address_wishes_nothing_in_their_name(outbox):
    eve = outbox.world.user("eve", email=ADA)  # not verified
    choose(outbox, eve)
    assert outbox.write()
    refuse(outbox, "announcement", ADA)
    choose(outbox, eve, *CHOSEN)
    assert not outbox.write("announcement 2")


def test_each_mail_that_one_may_not_want_says_how_to_end_it(outbox, mail_server):
    ada = verified(outbox)
    outbox.write()
    outbox.write("announcement 1", "bob@example.org")
    outbox.write("link 1", kind="password", token="t", login="ada")
    outbox.send()
    ends = [each for each in mail_server.handler.lines if each.startswith(b"List-Unsubscribe:")]
    assert [each.rpartition(b"/")[0] for each in ends] == [
        b"List-Unsubscribe: <https://raim.example.org/unsubscribe"
    ] * 2
    assert all(each.endswith(b">") for each in ends)
    by_reader = {(reader, "account" in message["Subject"]): message for reader, message in mail_server.taken}
    for key, reader in (((ADA, False), ada), (("bob@example.org", False), "bob@example.org")):
        message = by_reader[key]
        end = message["List-Unsubscribe"][1:-1]
        assert end.startswith("https://raim.example.org/unsubscribe/")
        assert read_reader(SECRET, end.rpartition("/")[2]) == ("announcement", reader)
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert all(end in message.get_body([kind]).get_content() for kind in ("plain", "html"))
    assert by_reader[ADA, True]["List-Unsubscribe"] is None
