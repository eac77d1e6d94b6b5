"""Forms that another site makes a browser send change nothing."""

import pytest


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_form_is_refused(site, headers):
    ada = site.member("ada")
    for options in ({"data": {"name": "stolen"}}, {"files": {"name": (None, "stolen")}}):
        answer = ada.client.post("/account/tokens", headers=headers, **options)
        assert answer.status_code == 403
        assert "comes from" in answer.text
    assert "stolen" not in ada.get("/account").text
    answer = ada.client.post("/api/v1/submissions", json={"kind": "scored"}, headers=headers)
    assert answer.status_code == 403


def test_another_site_logs_nobody_in(site):
    site.user("ada")
    fields = {"login": "ada", "password": "correct horse battery"}
    answer = site.visitor().client.post("/login", data=fields, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_our_own_pages_forms_are_taken(site):
    ada = site.member("ada")
    own = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    assert ada.client.post("/account/tokens", data={"name": "mine"}, headers=own).status_code == 200


def test_a_programs_token_is_asked_for_no_origin(site):
    ada = site.member("ada")
    headers = {"Origin": "https://notebook.example", "Authorization": f"Bearer {ada.token}"}
    assert ada.client.post("/api/v1/team/invitations", headers=headers).status_code == 201
