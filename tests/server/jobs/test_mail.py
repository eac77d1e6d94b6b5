from dataclasses import replace

import pytest

from desk_world import make_world
from mail_server import SENDER, MailServer
from mail_world import ADA, MailWorld
from patience import wait_until
from raim.errors import SettingsError
from raim.server.jobs import mail
from raim.server.jobs.context import WorkerContext
from raim.server.jobs.mail import sending_mail
from raim.server.settings import read_settings
from raim.server.storage import open_storage


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_worker_sends_what_is_written_while_it_runs(database, tmp_path, monkeypatch):
    monkeypatch.setattr(mail, "PAUSE_S", 0.02)
    with MailServer() as server:
        settings = replace(read_settings({}, folder=tmp_path), smtp_url=server.url, mail_from=SENDER)
        outbox = MailWorld(world=make_world(database), settings=settings)
        storage = open_storage((tmp_path / "files").as_uri())
        context = WorkerContext(
            name="one", database=database, storage=storage, folder=tmp_path, clock=lambda: outbox.now
        )
        with pytest.raises(SettingsError, match="secret"), sending_mail(context, settings):
            pass
        settings.secret_key_file.write_bytes(b"s" * 32)
        with sending_mail(context, settings):
            outbox.write()
            wait_until(lambda: outbox.states() == ["sent"])
        outbox.write("announcement 2")
        assert [reader for reader, _ in server.taken] == [ADA]
        context.stop.clear()
        with sending_mail(context, replace(settings, smtp_url="")):
            assert outbox.states() == ["sent", "waiting"]
