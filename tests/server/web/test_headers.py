from dataclasses import replace

from starlette.testclient import TestClient

from raim.server.web.app import make_app
from raim.server.web.headers import POLICY
from server_site import PASSWORD


def test_every_answer_has_the_policy_and_is_kept_by_nobody(site):
    visitor = site.visitor()
    for path in ("/", "/nowhere", "/leaderboard", "/api/v1/challenge", "/api/v1/me", "/login"):
        answer = visitor.get(path)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-store"
        assert "server" not in answer.headers


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere():
    assert "unsafe" not in POLICY
    assert "http" not in POLICY
    assert POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self'")


def test_no_page_has_inline_scripts_or_styles(site):
    ada = site.member("ada")
    for path in (
        "/",
        "/data",
        "/rules",
        "/leaderboard",
        "/account",
        "/team",
        "/submit",
        "/team/fact-sheet",
        "/api",
    ):
        page = ada.get(path).text
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
        assert "<script>" not in page


def test_cookies_are_kept_from_scripts_and_other_sites(site):
    visitor = site.visitor()
    visitor.post("/register", login="ada", password=PASSWORD, consent="yes")
    visitor.client.cookies.clear()
    answer = visitor.post("/login", login="ada", password=PASSWORD)
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("raim_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


def test_over_tls_cookies_are_secure_and_bound_to_the_host(site):
    server = site.server
    server.settings = replace(server.settings, public_url="https://challenge.example.org")
    client = TestClient(make_app(server), base_url="https://challenge.example.org")
    assert client.get("/login").headers["strict-transport-security"] == "max-age=31536000"
    fields = {"login": "ada", "password": PASSWORD, "consent": "yes"}
    answer = client.post("/register", data=fields, follow_redirects=False)
    cookies = answer.headers.get_list("set-cookie")
    assert any(each.startswith("__Host-raim_session=") and "Secure" in each for each in cookies)


def test_other_names_than_ours_are_not_answered(site):
    visitor = site.visitor()
    answer = visitor.client.get("/", headers={"Host": "rebound.example"})
    assert answer.status_code == 400
    assert "RAIM_PUBLIC_URL" in answer.text
    assert visitor.client.get("/", headers={"Host": "localhost:8000"}).status_code == 200


def test_a_long_body_is_refused_before_it_is_read(site):
    ada = site.member("ada")
    assert ada.client.post("/login", content=b"x", headers={"Content-Length": str(2**30)}).status_code == 413
    assert ada.client.post("/login", content=b"x" * (2**20 + 1)).status_code == 413

    def endless():
        for _ in range(40):
            yield b"x" * 2**16

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ada.client.post("/login", content=endless(), headers=kind).status_code == 413
