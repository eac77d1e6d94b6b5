"""The server's numbers in Prometheus' form: what they say, who may read them, and that no label is an address."""

import logging
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from raim.server.database import Mail, WorkerHeartbeat
from raim.server.jobs.context import start_heartbeat
from raim.server.queries import administration
from raim.server.submissions.kept import read_kept
from raim.server.web.app import make_app
from raim.server.web.observation import CountedLines
from raim.server.web.routing import REGISTER
from raim.server.web.watch import Watch
from server_site import ADDRESS, Site

TOKEN = "0123456789abcdefghij"
HERE = ("127.0.0.1", 50_000)


@pytest.fixture
def server(challenge_folder, clock, database_url):
    """Give a server on SQLite, and one on PostgreSQL."""
    made = Site(challenge_folder, clock, database_url=database_url)
    yield made
    made.server.database.engine.dispose()


def read(site):
    """Give all numbers, by name and by the values of labels."""
    site.app.state.watch = Watch(site.server)
    answer = TestClient(site.app, base_url=ADDRESS, client=HERE).get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_queue_pace_and_outbox_are_the_databases(server):
    ada, content = server.member("ada"), server.zip_of()
    for person in (ada, server.member("bob")):
        server.submit(person, content)
    server.clock.move(seconds=90)
    with server.server.database.writing() as session:
        start_heartbeat(session, server.clock(), "one")
        for state, late in (("waiting", 30), ("sent", 99)):
            times = dict.fromkeys(("state_at", "made_at", "due_at"), server.clock() - timedelta(seconds=late))
            mail = {
                "address": f"{state}@example.org",
                "kind": "result",
                "what": "x",
                "subject": "s",
                "text": "t",
            }
            session.add(Mail(state=state, **mail, **times))
    found = read(server)
    expected = {
        ("raim_up", "database"): 1,
        ("raim_up", "storage"): 1,
        ("raim_up", "workers"): 1,
        ("raim_workers",): 1,
        ("raim_teams", "my-challenge"): 2,
        ("raim_submissions", "my-challenge"): 2,
        ("raim_submissions_waiting", "my-challenge"): 2,
        ("raim_submissions_failed", "my-challenge"): 0,
        ("raim_challenges_with_problems",): 0,
        ("raim_submission_states", "checking"): 2,
        ("raim_queue_submissions",): 0,
        ("raim_queue_oldest_seconds",): 90,
        ("raim_mails", "waiting"): 1,
        ("raim_mails", "sent"): 1,
        ("raim_mail_late_seconds",): 30,
    }
    assert {name: found.get(name) for name in expected} == expected
    with server.server.database.reading() as session:
        (kinds,) = read_kept(session).values()
    assert found["raim_kept_bytes", "my-challenge"] == sum(kinds.values())
    assert kinds["under way"] == len(content)  # both have sent one file, which is kept once
    assert found["raim_free_bytes", "folder"] > 0


def test_a_workers_pace_is_shown(server):
    with server.server.database.writing() as session:
        start_heartbeat(session, server.clock(), "one")
    assert ("raim_worker_seconds_per_image", "one") not in read(server)
    with server.server.database.writing() as session:
        session.get_one(WorkerHeartbeat, "one").seconds_per_image = 1.5
    assert read(server)["raim_worker_seconds_per_image", "one"] == 1.5


def test_answers_are_counted_by_route_and_status_and_no_label_is_an_address(site):
    visitor, before = site.visitor(), read(site)
    for path in ("/rules", "/rules", "/judge/raim_judge_SECRET", "/nowhere/SECRET", "/static/raim.css"):
        visitor.get(path)
    after = read(site)
    grown = {
        name: value - before.get(name, 0)
        for name, value in after.items()
        if name[0] in {"raim_answers_total", "raim_answer_seconds_count"} and value != before.get(name, 0)
    }
    assert grown["raim_answers_total", "GET /c/{challenge_id}/rules", "200"] == 2
    assert grown["raim_answer_seconds_count", "GET /c/{challenge_id}/rules"] == 2
    assert grown["raim_answers_total", "none", "404"] == 1
    assert grown["raim_answers_total", "static", "200"] == 1
    assert after["raim_requests_under_way",] == 1
    routes = {name[1] for name in after if name[0] == "raim_answers_total"}
    assert routes <= {*REGISTER, "static", "none"}


def test_warnings_of_the_log_are_counted(site):
    handler, before = CountedLines(), read(site)
    logging.getLogger("raim.tests").addHandler(handler)
    try:
        logging.getLogger("raim.tests").warning("one")
        logging.getLogger("raim.tests").info("none")
    finally:
        logging.getLogger("raim.tests").removeHandler(handler)
    name = "raim_log_lines_total", "warning"
    assert read(site)[name] == before.get(name, 0) + 1


def test_without_its_database_a_server_still_gives_its_own_numbers(site):
    url = "postgresql+psycopg://raim:hush@127.0.0.1:1/raim"
    site.server.settings = replace(site.server.settings, database_url=url)
    found = read(site)
    assert found["raim_up", "database"] == 0
    assert ("raim_queue_submissions",) not in found
    assert ("raim_requests_under_way",) in found


def test_every_metric_stands_in_the_documentation_and_no_other(site):
    page = (Path(__file__).parents[3] / "docs" / "deploying.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `raim_")]
    documented = {name for row in rows for name in re.findall(r"`(raim_\w+)`", row.split("|")[1])}
    found = {name[0] for name in read(site) if name[0].startswith("raim_")}
    found = {re.sub("_(bucket|count|sum)$", "", name) for name in found}
    of_work = {
        "raim_worker_seconds_per_image",
        "raim_log_lines_total",
        "raim_mails",
        "raim_submission_states",
    }
    assert found | of_work == documented


def ask(site, *, client=HERE, host="127.0.0.1:8000", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    asking = TestClient(site.app, base_url=ADDRESS, client=client)
    return asking.get("/metrics", headers={"Host": host, **names}).status_code


def test_without_a_token_only_this_machine_reads_and_no_proxy_on_it(site):
    assert ask(site) == ask(site, client=("::1", 1), host="[::1]:8000") == ask(site, host="localhost") == 200
    assert ask(site, client=("10.0.0.7", 1)) == 403
    assert ask(site, host="challenge.example.org") == 403
    assert ask(site, X_Forwarded_For="127.0.0.1") == 403
    assert ask(site, Forwarded="for=127.0.0.1") == 403
    assert ask(site, Authorization="Bearer anything") == 200


def test_with_a_token_who_sends_it_reads_from_anywhere_and_nobody_else(site):
    site.server.settings = replace(site.server.settings, metrics_token=TOKEN)
    site.app = make_app(site.server)
    far = {"client": ("10.0.0.7", 1), "host": "web:8000"}
    assert ask(site, **far, Authorization=f"Bearer {TOKEN}") == 200
    assert ask(site, Authorization=f"Bearer {TOKEN}x") == ask(site, Authorization=TOKEN) == ask(site) == 403
    assert ask(site, Authorization="Bearer é".encode()) == 403
    assert TOKEN not in repr(site.server.settings)


COUNT = """
import sys
from raim.server.web.observation import UNDER_WAY, counted, end_counting, note_answer
from prometheus_client import generate_latest
for _ in range(int(sys.argv[1])):
    note_answer("GET /", 200, 0.5)
    UNDER_WAY.inc()
print(generate_latest(counted()).decode())
if sys.argv[2] == "ends":
    end_counting()
"""


def test_several_processes_of_a_machine_are_added_up(tmp_path):
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(number, end):
        command = [sys.executable, "-c", COUNT, str(number), end]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    run(2, "ends")
    found = run(3, "")
    assert 'raim_answers_total{route="GET /",status="200"} 5.0' in found
    assert 'raim_answer_seconds_bucket{le="1.0",route="GET /"} 5.0' in found
    assert "raim_requests_under_way 3.0" in found


def test_what_only_administrators_see_is_not_found_out_for_a_watch(site, monkeypatch):
    asked, root = [], site.organiser("root")
    for name in ("find_freeable", "count_bundle_bytes"):
        work = getattr(administration, name)
        monkeypatch.setattr(
            administration, name, lambda *given, name=name, work=work: asked.append(name) or work(*given)
        )
    read(site)
    assert asked == []
    root.client.get("/admin")
    assert asked == ["find_freeable", "count_bundle_bytes"]
