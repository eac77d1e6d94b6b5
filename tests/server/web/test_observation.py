"""A request's id: on its answer, whatever that is, on the page of an error and in the log."""

import io
import json
import logging
import re
from dataclasses import replace
from ipaddress import ip_network

import pytest
from starlette.testclient import TestClient

from raim.server.logs import JsonLines, Once, TextLines
from raim.server.web.app import make_app
from raim.server.web.headers import POLICY
from server_site import ADDRESS

ID = "X-Request-ID"


@pytest.fixture
def lines():
    """Give what is logged, as JSON lines and as text."""
    handlers = [logging.StreamHandler(io.StringIO()), logging.StreamHandler(io.StringIO())]
    handlers[0].setFormatter(JsonLines())
    handlers[1].setFormatter(TextLines())
    requests = logging.getLogger("raim.requests")
    for each in handlers:
        logging.getLogger("raim").addHandler(each)
    requests.setLevel(logging.INFO)
    yield lambda: (
        [json.loads(line) for line in handlers[0].stream.getvalue().splitlines()],
        handlers[1].stream.getvalue(),
    )
    requests.setLevel(logging.NOTSET)
    for each in handlers:
        logging.getLogger("raim").removeHandler(each)


@pytest.fixture
def broken(site, monkeypatch):
    """Give a visitor of a server with a bug on its page of rules."""

    def fail(_session, _server, _request):
        raise RuntimeError("a bug\nof two lines")

    monkeypatch.setattr("raim.server.web.context.identify_request", fail)
    return site.visitor()


def test_the_page_of_a_bug_names_the_request_as_the_log_does(broken, lines):
    answer = broken.get("/rules")
    request_id = answer.headers[ID]
    assert answer.status_code == 500
    assert re.search(rf"name the request <code>{request_id}</code>", answer.text)
    parsed, text = lines()
    fault, line = parsed
    assert {fault["request_id"], line["request_id"]} == {request_id}
    assert (fault["level"], fault["logger"]) == ("error", "raim.server")
    assert "RuntimeError: a bug\nof two lines" in fault["traceback"]
    assert f"[{request_id}]\nTraceback" in text


def test_a_program_gets_the_id_and_a_bug_has_the_safe_headers(broken):
    answer = broken.client.get("/api/v1/rules")
    assert answer.json()["error"]["request_id"] == answer.headers[ID]
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["cache-control"] == "private, no-store"


def test_every_answer_has_an_id_of_its_own(site):
    visitor = site.visitor()
    answers = [visitor.get(path) for path in ("/", "/nowhere", "/static/raim.css", "/rules", "/rules")]
    answers.append(visitor.client.get("/", headers={"Host": "rebound.example"}))
    assert {len(each.headers[ID]) for each in answers} == {16}
    assert len({each.headers[ID] for each in answers}) == len(answers)


@pytest.mark.parametrize(("proxies", "given", "is_taken"), [
    (("127.0.0.0/8",), "0123456789abcdef-1", True),
    (("127.0.0.0/8",), "short", False),
    (("127.0.0.0/8",), 'a"line{of}signs', False),
    ((), "0123456789abcdef-1", False),
])  # fmt: skip
def test_an_id_is_taken_from_a_proxy_only_and_in_plain_signs(site, proxies, given, is_taken):
    networks = tuple(map(ip_network, proxies))
    site.server.settings = replace(site.server.settings, trusted_proxies=networks)
    client = TestClient(make_app(site.server), base_url=ADDRESS)
    assert (client.get("/health", headers={ID: given}).headers[ID] == given) is is_taken


def test_a_request_is_a_line_that_names_its_route_and_no_secret(site, lines):
    visitor = site.visitor()
    for path in (
        "/judge/raim_judge_SECRET",
        "/first/raim_link_SECRET",
        "/nowhere/SECRET",
        "/static/raim.css",
    ):
        visitor.get(path)
    parsed, text = lines()
    assert [each["route"] for each in parsed] == [
        "GET /c/{challenge_id}/judge/{token}",
        "GET /first/{token}",
        "none",
        "static",
    ]
    assert [each["status"] for each in parsed][2:] == [404, 200]
    assert all(0 <= each["seconds"] < 60 for each in parsed)
    assert "SECRET" not in text


def test_an_error_outside_of_a_request_names_none():
    record = logging.LogRecord("raim.server", logging.WARNING, "", 0, "the worker ended", (), None)
    assert "request_id" not in json.loads(JsonLines().format(record))
    assert TextLines().format(record).endswith("raim.server: the worker ended")


def test_the_traceback_of_an_error_is_logged_once_by_each_handler():
    handlers = [logging.StreamHandler(io.StringIO()), logging.StreamHandler(io.StringIO())]
    logger = logging.getLogger("raim.server.once")  # nobody else's
    logger.propagate = False
    for each in handlers:
        each.addFilter(Once())
        logger.addHandler(each)
    error = RuntimeError("a bug")
    logger.error("GET /rules failed", exc_info=error)
    logger.error("Exception in ASGI application", exc_info=error)
    logger.error("another", exc_info=RuntimeError("another bug"))
    logger.error("a line")
    logger.error("a line")
    for each in handlers:
        lines = each.stream.getvalue().splitlines()
        said = [line for line in lines if not line.startswith(("Traceback", "RuntimeError"))]
        assert said == ["GET /rules failed", "another", "a line", "a line"]
