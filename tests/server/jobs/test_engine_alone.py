"""What DBOS recovers by itself across hosts on PostgreSQL, and what is left to leases, heartbeats and the tick.

Where one of the tests that tell what it does *not* do fails under a later DBOS, something of ours may go
(docs/architecture.md, "Jobs are DBOS's").
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dbos import DBOSClient

from own_postgresql import start_own_postgresql
from patience import PATIENCE_S, wait_until
from raim.server.jobs.workflows import APPLICATION_VERSION, JsonSerializer, engine_url

SCRIPT = Path(__file__).resolve().parents[2] / "engine_alone.py"
pytestmark = pytest.mark.slow
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class Hosts:
    """Processes of the engine on one database, each as on a host of its own."""

    def __init__(self, url, folder):
        self.url, self.folder, self.processes = url, folder, {}
        self._client = None

    def start(self, name, *, may_go=False):
        if may_go:
            self.let_go(name)
        (self.folder / f"up-{name}").unlink(missing_ok=True)
        command = [sys.executable, str(SCRIPT), self.url, name, str(self.folder)]
        self.processes[name] = subprocess.Popen(command)
        wait_until((self.folder / f"up-{name}").exists)

    def signal(self, name, number):
        self.processes[name].send_signal(number)
        if number == signal.SIGKILL:
            self.processes.pop(name).wait(PATIENCE_S)

    def let_go(self, name):
        (self.folder / f"go-{name}").touch()

    @property
    def client(self):
        self._client = self._client or DBOSClient(
            system_database_url=engine_url(self.url), serializer=JsonSerializer(), application_name="raim"
        )
        return self._client

    def enqueue(self, job):
        asked = {"queue_name": "alone", "workflow_name": "alone", "workflow_id": job}
        self.client.enqueue({**asked, "app_version": APPLICATION_VERSION}, job)

    def resume(self, job):
        self.client.resume_workflow(job, queue_name="alone")

    def job(self, job):
        return self.client.retrieve_workflow(job).get_status()

    def ends(self, job):
        wait_until(lambda: self.job(job).status == "SUCCESS", f"the end of {job}")
        return self.job(job).output

    def marks(self, job, what):
        """Give which hosts have left a mark of a step, in order."""
        path = self.folder / "marks"
        lines = path.read_text().splitlines() if path.exists() else []
        return [name for found, step, name in map(str.split, lines) if (found, step) == (job, what)]

    def wait_for(self, job, what, *names):
        wait_until(lambda: self.marks(job, what)[-len(names) :] == list(names), f"{job} {what} {names}")

    def close(self):
        for process in self.processes.values():
            os.kill(process.pid, signal.SIGCONT)
            process.kill()
            process.wait(PATIENCE_S)
        if self._client is not None:
            self._client.destroy()


@pytest.fixture
def hosts(database_url, tmp_path):
    made = Hosts(database_url, tmp_path)
    yield made
    made.close()


@on_postgresql
def test_killed_and_started_again_under_its_name_it_goes_on_after_its_last_step(hosts):
    hosts.start("a")
    hosts.enqueue("one")
    hosts.wait_for("one", "second", "a")
    hosts.signal("a", signal.SIGKILL)
    hosts.start("a", may_go=True)
    assert hosts.ends("one") == "a"
    assert (hosts.marks("one", "first"), hosts.marks("one", "second")) == (["a"], ["a", "a"])


@on_postgresql
def test_nobody_else_resumes_it_until_asked(hosts):
    """So workers have heartbeats, and the tick resumes the jobs of those that are gone."""
    hosts.start("a")
    hosts.enqueue("one")
    hosts.wait_for("one", "second", "a")
    hosts.start("b", may_go=True)
    hosts.signal("a", signal.SIGKILL)
    for job in ("two", "three"):
        hosts.enqueue(job)
        assert hosts.ends(job) == "b"
    assert (hosts.job("one").status, hosts.job("one").executor_id) == ("PENDING", "a")
    hosts.resume("one")
    assert hosts.ends("one") == "b"
    assert (hosts.marks("one", "first"), hosts.marks("one", "second")) == (["a"], ["a", "b"])


@on_postgresql
def test_asked_twice_two_hosts_do_the_same_work(hosts):
    """So survivors take turns in looking for what is left and resuming it."""
    for name in ("a", "b"):
        hosts.start(name)
    hosts.enqueue("one")
    wait_until(lambda: hosts.marks("one", "second"))
    hosts.resume("one")
    wait_until(lambda: len(hosts.marks("one", "second")) == 2)
    assert sorted(hosts.marks("one", "second")) == ["a", "b"]
    for name in ("a", "b"):
        hosts.let_go(name)
    hosts.ends("one")
    wait_until(lambda: sorted(hosts.marks("one", "done")) == ["a", "b"])


@on_postgresql
def test_a_host_that_was_silent_and_wakes_up_finishes_what_another_has_done(hosts):
    """So what a step writes is guarded by a lease, which the other has taken over."""
    hosts.start("a")
    hosts.enqueue("one")
    hosts.wait_for("one", "second", "a")
    hosts.signal("a", signal.SIGSTOP)
    hosts.start("b", may_go=True)
    hosts.resume("one")
    assert hosts.ends("one") == "b"
    hosts.let_go("a")
    hosts.signal("a", signal.SIGCONT)
    hosts.wait_for("one", "done", "b", "a")
    assert hosts.ends("one") == "b"


def test_the_database_restarts_and_the_job_goes_on_where_it_was(tmp_path):
    with start_own_postgresql() as postgresql:
        hosts = Hosts(postgresql.url, tmp_path)
        try:
            for name in ("a", "b"):
                hosts.start(name)
            for job in ("one", "two"):
                hosts.enqueue(job)
            wait_until(lambda: hosts.marks("one", "second") and hosts.marks("two", "second"))
            postgresql.restart(pause_s=2)
            for name in ("a", "b"):
                hosts.let_go(name)
            assert {hosts.ends("one"), hosts.ends("two")} == {"a", "b"}
            hosts.enqueue("three")
            hosts.ends("three")
            for job in ("one", "two", "three"):
                assert [len(hosts.marks(job, step)) for step in ("first", "second", "done")] == [1, 1, 1]
        finally:
            hosts.close()
