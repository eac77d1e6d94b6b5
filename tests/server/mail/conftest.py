"""A mail server, and an outbox of a server that sends by it."""

from dataclasses import replace

import pytest

from desk_world import make_world
from mail_server import SENDER, MailServer
from mail_world import MailWorld
from raim.server.settings import read_settings


@pytest.fixture
def mail_server():
    """Start a mail server that takes everything until it is set otherwise."""
    with MailServer() as started:
        yield started


@pytest.fixture
def outbox(database, mail_server, tmp_path):
    """Give the outbox of a server that sends."""
    settings = read_settings({}, folder=tmp_path)
    settings = replace(
        settings, smtp_url=mail_server.url, mail_from=SENDER, public_url="https://raim.example.org"
    )
    return MailWorld(world=make_world(database), settings=settings)
