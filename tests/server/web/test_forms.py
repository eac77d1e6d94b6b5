import pytest

from raim.errors import AccessError
from raim.server.web.forms import check_form_token, form_token


def test_a_token_belongs_to_one_holder_and_one_secret():
    token = form_token(b"s" * 32, "ada")
    check_form_token(b"s" * 32, "ada", token)
    for secret, holder, given in (
        (b"t" * 32, "ada", token),
        (b"s" * 32, "bob", token),
        (b"s" * 32, "", token),
    ):
        with pytest.raises(AccessError, match="load the page again"):
            check_form_token(secret, holder, given)


def test_a_form_without_our_token_changes_nothing(site):
    ada = site.member("ada")
    for fields in ({}, {"form_token": ""}, {"form_token": "0" * 64}, {"form_token": "ä"}):
        answer = ada.client.post("/account/tokens", data={"name": "stolen", **fields})
        assert answer.status_code == 403
    assert "stolen" not in ada.get("/account").text


def test_another_sites_form_is_refused_even_with_a_token(site):
    ada = site.member("ada")
    token = ada.form_token("/account")
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        fields = {"name": "stolen", "form_token": token}
        assert ada.client.post("/account/tokens", data=fields, headers=headers).status_code == 403
    own = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    fields = {"name": "mine", "form_token": token}
    assert ada.client.post("/account/tokens", data=fields, headers=own).status_code == 200


def test_no_form_gets_round_the_token_by_another_encoding(site):
    ada = site.member("ada")
    answer = ada.client.post("/account/tokens", files={"name": (None, "stolen")})
    assert answer.status_code == 403
    answer = ada.client.post("/submissions/new", json={"kind": "scored"})
    assert answer.status_code == 403
    answer = ada.client.post("/submit", files={"file": ("a.zip", b"x"), "target": (None, "feedback/scored")})
    assert answer.status_code == 403


def test_logging_in_needs_the_token_of_the_same_browser(site):
    site.user("ada")
    fields = {"login": "ada", "password": "correct horse battery"}
    bob, eve = site.visitor(), site.visitor()
    token = bob.form_token("/login")
    eve.form_token("/login")
    assert eve.client.post("/login", data={**fields, "form_token": token}).status_code == 403
    answer = bob.client.post("/login", data={**fields, "form_token": token}, follow_redirects=False)
    assert answer.status_code == 303
