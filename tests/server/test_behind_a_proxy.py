"""`raim serve` as it runs behind a proxy that speaks TLS: the addresses that browsers have, and secure cookies."""

import json
import subprocess
import sys

import pytest
import requests

from patience import PATIENCE_S
from running_server import PUBLIC, addresses, serve

BROWSER = "203.0.113.9"
FORWARDED = {"Host": "challenge.example.org", "X-Forwarded-For": BROWSER, "X-Forwarded-Proto": "https"}


def register(address):
    """Register through a proxy; give the cookies that were set."""
    fields = {"login": "ada", "password": "correct horse battery", "consent": "yes"}
    headers = {**FORWARDED, "Origin": PUBLIC}
    answer = requests.post(
        f"{address}/register", data=fields, headers=headers, timeout=PATIENCE_S, allow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["set-cookie"]


@pytest.mark.slow
def test_a_trusted_proxy_tells_the_browsers_address_and_cookies_are_secure(challenge_copy):
    with serve(challenge_copy, RAIM_TRUSTED_PROXIES="127.0.0.1/32") as address:
        cookies = register(address)
        assert "__Host-raim_session=" in cookies
        assert "Secure" in cookies
        answer = requests.get(f"{address}/", headers=FORWARDED, timeout=PATIENCE_S)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert addresses(challenge_copy) == [BROWSER]


@pytest.mark.slow
def test_nobody_else_is_believed(challenge_copy):
    with serve(challenge_copy, RAIM_TRUSTED_PROXIES="198.51.100.0/24") as address:
        register(address)
    assert addresses(challenge_copy) == ["127.0.0.1"]


@pytest.mark.slow
def test_the_log_is_json_lines_with_the_proxys_ids(challenge_copy, tmp_path):
    settings = {"RAIM_TRUSTED_PROXIES": "127.0.0.1/32", "RAIM_LOG_FORMAT": "json"}
    with (tmp_path / "log").open("w+") as log:
        with serve(challenge_copy, stderr=log, **settings) as address:
            headers = {**FORWARDED, "X-Request-ID": "of-the-proxy-1"}
            answer = requests.get(f"{address}/nowhere", headers=headers, timeout=PATIENCE_S)
        assert answer.headers["x-request-id"] == "of-the-proxy-1"
        log.seek(0)
        lines = [json.loads(line) for line in log]
    (line,) = (each for each in lines if each.get("request_id") == "of-the-proxy-1")
    assert (line["route"], line["status"]) == ("none", 404)


@pytest.mark.slow
def test_a_second_server_of_the_same_sqlite_database_is_refused_at_its_start(challenge_copy):
    with serve(challenge_copy):
        second = [sys.executable, "-m", "raim", "serve", str(challenge_copy), "--port", "1", "--no-worker"]
        ended = subprocess.run(second, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 2
    assert "another `raim serve` runs with this SQLite database" in ended.stderr


@pytest.fixture
def challenge_copy(tmp_path):
    import numpy as np

    from raim.challenge import write_example
    from server_site import FIRST_DAY

    write_example(tmp_path / "challenge", first_day=FIRST_DAY, rng=np.random.default_rng(1))
    return tmp_path / "challenge"
