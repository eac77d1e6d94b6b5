import socket

import pytest

from fake_server import FakeServer, Reply
from raim.client import (
    Server,
    read_challenge,
    read_leaderboard,
    read_me,
    read_results,
    read_submissions,
)
from raim.errors import InputError, ServerRefusedError, ServerUnreachableError, UnknownNameError

SECRET = "raim_api_secret"  # noqa: S105 - of a test


def test_the_challenge_is_read_with_its_phases_and_data_sets(server):
    challenge = read_challenge(server)
    assert (challenge.name, challenge.measures, challenge.max_bytes) == ("RAIM", ["psnr", "ssim"], 2**31)
    assert challenge.phases[0].closes.isoformat() == "2026-03-10T12:00:00+00:00"
    assert challenge.phases[0].intakes[0].left_today == 1
    assert challenge.data_sets[0].may_get_inputs


def test_who_asks_learns_what_is_left(server):
    me = read_me(server)
    assert (me.team, me.intakes["feedback"][0].kind) == ("Ada", "scored")


def test_the_leaderboard_has_infinite_numbers(server):
    (row,) = read_leaderboard(server, "feedback").rows
    assert (row.rank, row.score, row.measures) == (1, 71.25, {"psnr": float("inf")})


def test_a_phase_is_no_path(fake, server):
    with pytest.raises(UnknownNameError):
        read_leaderboard(server, "../me?a=#")
    assert fake.requests[-1][1] == "/api/v1/leaderboard/..%2Fme%3Fa%3D%23"


def test_results_and_submissions_are_read(fake, server):
    fake.add(state="scored")
    assert [each.id for each in read_submissions(server)] == [1]
    (image,) = read_results(server, 1).images
    assert (image.measures, image.unscorable) == ({"psnr": 30.0}, "flat")


@pytest.mark.parametrize(
    "body",
    [b"<html>welcome</html>", [], {"login": "ada"}, {"login": 1, "role": "r", "intakes": {}}, None],
    ids=["page", "list", "missing key", "number", "nothing"],
)
def test_another_kind_of_server_is_recognised(fake, server, body):
    fake.fail("GET", "/api/v1/me", Reply(200, body))
    with pytest.raises(ServerRefusedError, match="does not answer as a raim server does") as caught:
        read_me(server)
    assert caught.value.code == "not_understood"


def test_the_token_is_not_carried_to_another_host(fake, server, monkeypatch):
    with FakeServer() as other:
        there = other.url.replace("127.0.0.1", "localhost")
        fake.fail("GET", "/api/v1/me", Reply(307, None, {"Location": f"{there}/api/v1/me"}))
        with pytest.raises(Exception, match="log in first"):
            read_me(server)
        (request,) = other.requests
    assert "Authorization" not in request[2]


def test_a_post_is_not_sent_elsewhere(fake, server, small_zip):
    from raim.client import submit

    with FakeServer() as other:
        fake.fail("POST", "/", Reply(307, None, {"Location": f"{other.url}/api/v1/submissions"}))
        with pytest.raises(ServerRefusedError, match=r"sends us to .*; give that server's address"):
            submit(server, small_zip)
        assert other.requests == []


def test_a_netrc_does_not_replace_the_token(fake, server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    read_me(server)
    assert fake.requests[-1][2]["Authorization"] == f"Bearer {fake.token}"


def test_a_silent_server_is_given_up(waits):
    from raim.client import Patience

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        patience = Patience(attempts=2, timeout_s=0.05, sleep=waits.append)
        with pytest.raises(ServerUnreachableError, match="no answer in time"):
            read_me(Server(url=url, token=SECRET, patience=patience))
    assert waits == [0.5]


def test_a_token_over_plain_http_is_a_warning():
    with pytest.warns(UserWarning, match="can be read on the way"):
        Server(url="http://challenge.example.org", token=SECRET)
    Server(url="http://challenge.example.org")
    Server(url="http://[::1]:8000", token=SECRET)


def test_the_token_is_not_shown():
    assert SECRET not in repr(Server(url="https://example.org", token=SECRET))


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("example.org", ""),
        ("ftp://example.org", ""),
        ("https://", ""),
        ("https://a:b@example.org", ""),
        ("https://example.org/?a", ""),
        ("https://example.org:99999", ""),
        ("https://example.org", "a b"),
        ("https://example.org", "a\nb"),
        ("https://example.org", "\u00e4"),
    ],
)
def test_impossible_addresses_and_tokens_are_refused(url, token):
    with pytest.raises(InputError, match=r"the server.s address|the token"):
        Server(url=url, token=token)
