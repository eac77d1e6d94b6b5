"""A real mail server (aiosmtpd) that tests tell what to answer, and that keeps what it has taken."""

import asyncio
import email
import socket
import ssl
import subprocess
import threading
from email import policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

SENDER = "Our challenge <challenge@example.org>"


class Handler:
    """Answers as it was set: a list of answers for each command, the last of which stays."""

    def __init__(self):
        self.answers, self.taken, self.lines, self.logins = {}, [], [], []
        self.reached, self.release = threading.Event(), threading.Event()

    def answer(self, command):
        given = self.answers.get(command, [None])
        return given[0] if len(given) == 1 else given.pop(0)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        answer = self.answer("RCPT")
        if answer == "hold":
            answer = await self.hold()
        if answer is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802
        answer = self.answer("DATA")
        if answer not in {None, "drop", "hold"}:
            return answer
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        self.taken.append((envelope.rcpt_tos[0], message))
        self.lines += envelope.content.splitlines()
        if answer == "drop":
            server.transport.abort()
        if answer == "hold":
            await self.hold()
        return "250 OK"

    async def hold(self):
        """Say that a command has come, and answer once the test says so."""
        self.reached.set()
        while not self.release.is_set():  # noqa: ASYNC110 - it is set by another thread
            await asyncio.sleep(0.01)

    def log_in(self, _server, _session, _envelope, _mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"s e/cret", handled=False)


class MailServer:
    """One that listens at a free port of this machine."""

    def __init__(self, *, certificate=None):
        self.handler = Handler()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = {}
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*certificate)
            options = {
                "tls_context": context,
                "require_starttls": True,
                "auth_required": True,
                "authenticator": self.handler.log_in,
            }
        self.controller = Controller(self.handler, hostname="127.0.0.1", port=port, **options)
        self.url = f"smtp://127.0.0.1:{port}"
        self.port = port

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *_):
        self.controller.stop()

    @property
    def taken(self):
        return self.handler.taken

    def answer(self, command, *answers):
        self.handler.answers[command] = list(answers)


def make_certificate(folder):
    """Make a certificate of its own for this machine; give its paths."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key
