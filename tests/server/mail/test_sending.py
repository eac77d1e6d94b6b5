"""Mails through a real mail server: taken once, put off, refused, cut off in the middle, encrypted."""

import subprocess
import sys
from pathlib import Path

import pytest

from mail_server import MailServer, make_certificate
from mail_world import ADA
from raim.server.database import Mail
from raim.server.mail.outbox import LEASE

SCRIPT = Path(__file__).parents[2] / "mail_sending.py"


def test_a_mail_arrives_once_as_text_and_as_html(outbox, mail_server):
    outbox.write(text="First **x** <b>.\n\n<https://raim.example.org/c/raim/>\n\n.\n.dots")
    outbox.send()
    outbox.send()
    ((reader, message),) = mail_server.taken
    assert reader == ADA
    assert message["From"].addresses[0].addr_spec == "challenge@example.org"
    assert (message["To"], message["Subject"]) == (ADA, "RAIM: News")
    assert message["Message-ID"].endswith("@raim.example.org>")
    text = message.get_body(["plain"]).get_content().replace("\r\n", "\n")
    page = message.get_body(["html"]).get_content()
    assert "News\n====\n\nFirst **x** <b>.\n" in text
    assert "\n.\n.dots\n" in text
    assert "you take part" in text
    assert "<h2>News</h2>" in page
    assert "First <strong>x</strong> &lt;b&gt;." in page
    assert '<a href="https://raim.example.org/c/raim/"' in page
    assert (outbox.row().state, outbox.row().text) == ("sent", "")


def test_a_server_that_puts_off_is_asked_again_later(outbox, mail_server):
    mail_server.answer("RCPT", "451 4.7.1 greylisted", None)
    outbox.write()
    outbox.send()
    assert (outbox.row().state, outbox.row().why) == ("waiting", "451 4.7.1 greylisted")
    outbox.send()
    assert mail_server.taken == []
    outbox.move(minutes=2)
    outbox.send()
    assert [reader for reader, _ in mail_server.taken] == [ADA]
    assert outbox.states() == ["sent"]


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_a_refusal_for_good_is_a_bounce_and_others_go_on(outbox, mail_server, command):
    mail_server.answer(command, "550 5.1.1 nobody\there", None)
    outbox.write()
    outbox.write(to="bob@example.org")
    outbox.send()
    outbox.move(days=3)
    outbox.send()
    assert [(each.state, each.why) for each in outbox.rows()] == [
        ("failed", "550 5.1.1 nobody here"),
        ("sent", ""),
    ]
    assert [reader for reader, _ in mail_server.taken] == ["bob@example.org"]


def test_a_mail_that_cannot_be_built_fails_and_others_go_on(outbox, mail_server, caplog):
    outbox.write()
    outbox.write(to="bob@example.org")
    with outbox.database.writing() as session:
        session.get_one(Mail, 1).address = "a..b@example.org"
    outbox.send()
    assert outbox.states() == ["failed", "sent"]
    assert "mail 1 cannot be built" in caplog.text


def test_a_mail_that_is_put_off_after_it_was_given_waits(outbox, mail_server):
    mail_server.answer("DATA", "452 4.3.1 full", None)
    outbox.write()
    outbox.send()
    assert outbox.states() == ["waiting"]
    outbox.move(minutes=2)
    outbox.send()
    assert len(mail_server.taken) == 1


def test_a_connection_that_breaks_after_the_mail_was_given_leaves_it_unclear(outbox, mail_server):
    mail_server.answer("DATA", "drop", None)
    outbox.write()
    outbox.write(to="bob@example.org")
    outbox.send()
    assert outbox.states() == ["unclear", "waiting"]
    assert "the connection broke" in outbox.rows()[0].why
    outbox.move(days=1)
    outbox.send()
    assert outbox.states() == ["unclear", "sent"]
    assert [reader for reader, _ in mail_server.taken] == [ADA, "bob@example.org"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "left", "after"), [("RCPT", "taken", "sent"), ("DATA", "sending", "unclear")]
)
def test_a_worker_killed_in_the_middle_leaves_a_mail_sent_at_most_once(
    outbox, mail_server, command, left, after
):
    mail_server.answer(command, "hold", None)
    outbox.write()
    url = outbox.database.engine.url.render_as_string(hide_password=False)
    arguments = [sys.executable, SCRIPT, url, mail_server.url, outbox.now.isoformat()]
    process = subprocess.Popen(arguments)
    assert mail_server.handler.reached.wait(60)
    process.kill()
    process.wait()
    mail_server.handler.release.set()
    outbox.send()
    assert outbox.states() == [left]
    outbox.now += LEASE * 1.1
    outbox.send()
    outbox.send()
    assert outbox.states() == [after]
    assert len(mail_server.taken) == 1


def test_a_mail_server_that_is_unavailable_is_asked_again_later(outbox, mail_server):
    outbox.write()
    outbox.write(to="bob@example.org")
    outbox.send("smtp://127.0.0.1:1")
    assert [each.tries for each in outbox.rows()] == [1, 0]  # it is not asked for each mail
    assert "refused" in outbox.rows()[0].why
    outbox.move(minutes=2)
    outbox.send()
    assert outbox.states() == ["sent", "sent"]


@pytest.mark.slow
def test_a_server_is_spoken_to_encrypted_and_logged_in(outbox, tmp_path, monkeypatch):
    certificate = make_certificate(tmp_path)
    with MailServer(certificate=certificate) as server:
        outbox.write()
        address = f"127.0.0.1:{server.port}?starttls"
        outbox.send(f"smtp://ada:s%20e%2Fcret@{address}")
        assert "certificate verify failed" in outbox.row().why
        assert server.handler.logins == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        outbox.move(minutes=2)
        outbox.send(f"smtp://ada:wrong@{address}")
        assert outbox.row().why.startswith("535")
        assert "wrong" not in outbox.row().why
        outbox.move(minutes=10)
        outbox.send(f"smtp://ada:s%20e%2Fcret@{address}")
        assert set(server.handler.logins) == {("ada", "wrong"), ("ada", "s e/cret")}
        assert [reader for reader, _ in server.taken] == [ADA]
        assert outbox.states() == ["sent"]
