"""`raim serve` behind the proxies of deploy/, as they run: what browsers claim, ids, metrics, uploads in pieces."""

import contextlib
import hashlib
import os
import re
import shutil
import socket
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import numpy as np
import pytest
import urllib3

from conftest import ROOT
from patience import PATIENCE_S, wait_until
from raim.challenge import write_example
from raim.server.serving import take_port
from running_server import PUBLIC, addresses, serve
from server_site import PASSWORD

# The certificates are the tests' own.
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

TOKEN = "0123456789abcdefghij"
HOST = "challenge.example.org"
DEPLOY = ROOT / "deploy"
PROGRAMS = {
    name: shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("caddy", "nginx", "openssl")
}
API = "/api/v1/c/my-challenge"


def free_port():
    with take_port("127.0.0.1", 0, default=8000) as listener:
        return listener.getsockname()[1]


def caddy_command(folder, port, upstream):
    """Write Caddy's file with certificates of its own, since nobody vouches for an example's name."""
    text = (DEPLOY / "Caddyfile").read_text(encoding="utf-8").replace("duration 15s", "duration 100ms")
    text = text.replace(
        "{\n", "{\nadmin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\n", 1
    )
    (folder / "Caddyfile").write_text(text, encoding="utf-8")
    environment = {
        "RAIM_HOST": f"https://{HOST}:{port}",
        "RAIM_UPSTREAM": f"127.0.0.1:{upstream}",
        "HOME": str(folder),
    }
    return [PROGRAMS["caddy"], "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"], environment


def nginx_command(folder, port, upstream):
    """Write nginx's file with ports and places of the test, and what Debian's own file has around it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    asked = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={HOST}", "-keyout", key]
    subprocess.run([PROGRAMS["openssl"], *asked, "-out", certificate], check=True, capture_output=True)
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen [::]:80;", ""),
        ("listen [::]:443 ssl;", ""),
        (f"/etc/letsencrypt/live/{HOST}/fullchain.pem", str(certificate)),
        (f"/etc/letsencrypt/live/{HOST}/privkey.pem", str(key)),
        ("/var/log/nginx/", f"{folder}/"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "raim.conf").write_text(text, encoding="utf-8")
    places = "".join(
        f"{name}_temp_path {folder / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder / 'pid'}; error_log stderr; events {{}}\n"
        f"http {{\naccess_log off;\n{places}include {folder / 'raim.conf'};\n}}\n",
        encoding="utf-8",
    )
    command = [PROGRAMS["nginx"], "-p", folder, "-c", folder / "nginx.conf"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr
    return command, {}


MAKERS = {"caddy": caddy_command, "nginx": nginx_command}


@contextlib.contextmanager
def proxied(name, folder, port, upstream):
    command, environment = MAKERS[name](folder, port, upstream)
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log) as process,
    ):
        try:
            yield urllib3.HTTPSConnectionPool(
                "127.0.0.1", port, server_hostname=HOST, assert_hostname=False, ssl_context=trusting(),
                headers={"Host": HOST}, retries=False, timeout=PATIENCE_S,
            )  # fmt: skip
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def trusting():
    """Give a context that takes any certificate: the test's own."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def answers(pool, status=200):
    try:
        return pool.request("GET", "/ready").status == status
    except urllib3.exceptions.HTTPError:
        return False


@pytest.fixture(params=sorted(MAKERS))
def proxy(request):
    """Give the name of a proxy that is here."""
    missing = [name for name in {request.param, "openssl"} if PROGRAMS[name] is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    return request.param


@pytest.fixture
def site(proxy, tmp_path):
    """Give a server's folder, what asks it through a proxy, the proxy's port and the folder of its logs."""
    folder, own = tmp_path / "challenge", tmp_path / "proxy"
    first_day = datetime.now(UTC).date() - timedelta(days=31)
    write_example(folder, first_day=first_day, rng=np.random.default_rng(1))
    own.mkdir()
    port = free_port()
    with (
        serve(folder, RAIM_TRUSTED_PROXIES="127.0.0.1/32", RAIM_METRICS_TOKEN=TOKEN) as address,
        proxied(proxy, own, port, address.rpartition(":")[2]) as pool,
    ):
        wait_until(lambda: answers(pool))
        yield folder, pool, port, own


def register(pool, **headers):
    """Register; give the cookie."""
    answer = pool.request(
        "POST", "/register", redirect=False, headers={"Host": HOST, "Origin": PUBLIC, **headers},
        fields={"login": "ada", "password": PASSWORD, "consent": "yes"}, encode_multipart=False,
    )  # fmt: skip
    assert answer.status == 303, answer.data
    return answer.headers["set-cookie"]


@pytest.mark.slow
def test_what_a_browser_claims_of_itself_is_not_handed_on(site):
    folder, pool, _, own = site
    claims = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Request-ID": "of-the-browser"}
    assert "__Host-raim_session=" in register(pool, **claims)
    assert addresses(folder) == ["127.0.0.1"]
    answer = pool.request("GET", "/judge/raim_judge_SECRET", headers={"Host": HOST, **claims})
    assert re.fullmatch(r"[0-9a-f-]{32,36}", answer.headers["x-request-id"])
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    token = {"Host": HOST, "Authorization": f"Bearer {TOKEN}"}
    assert pool.request("GET", "/metrics", headers=token).status == 404
    assert find_secrets(own) == []


@pytest.mark.slow
def test_no_log_has_a_secret_address_also_while_the_server_is_unavailable(proxy, tmp_path):
    port = free_port()
    with proxied(proxy, tmp_path, port, free_port()) as pool:
        wait_until(lambda: answers(pool, 502))
        headers = {"Host": HOST, "Referer": f"{PUBLIC}/judge/raim_judge_SECRET"}
        assert pool.request("GET", "/judge/raim_judge_SECRET", headers=headers).status == 502
    assert find_secrets(tmp_path) == []


def find_secrets(folder):
    return [path for path in folder.rglob("*") if path.is_file() and b"SECRET" in path.read_bytes()]


@pytest.mark.slow
def test_an_upload_that_breaks_off_goes_on_where_it_stopped(site):
    _, pool, port, _ = site
    headers = {"Host": HOST, "Origin": PUBLIC, "Cookie": register(pool).partition(";")[0]}
    made = pool.request(
        "POST", "/c/my-challenge/team/new", headers=headers, redirect=False, fields={"name": "A"},
        encode_multipart=False,
    )  # fmt: skip
    assert made.status == 303, made.data
    content = np.random.default_rng(1).bytes(3_000_000)
    wanted = {
        "phase": "feedback", "kind": "scored", "file_name": "a.zip", "n_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    begun = pool.request("POST", f"{API}/submissions", headers=headers, json=wanted)
    assert begun.status == 201, begun.data
    place = urlsplit(begun.json()["upload"]["url"]).path
    tus = headers | {"Tus-Resumable": "1.0.0"}

    def arrived():
        answer = pool.request("HEAD", place, headers=tus)
        return int(answer.headers.get("upload-offset", 0))

    kind = {"Content-Type": "application/offset+octet-stream"}
    sent = tus | kind | {"Upload-Offset": "0", "Content-Length": str(len(content))}
    lines = [f"PATCH {place} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        trusting().wrap_socket(plain, server_hostname=HOST) as browser,
    ):
        browser.sendall("\r\n".join(lines).encode() + content[:2_000_000])
        with contextlib.suppress(OSError):  # of the proxy, which has lost its browser
            browser.unwrap()  # what was sent has come: a socket that is closed at once may take it back
    wait_until(arrived)
    at = arrived()
    assert 0 < at <= 2_000_000
    rest = pool.request("PATCH", place, headers=tus | kind | {"Upload-Offset": str(at)}, body=content[at:])
    assert rest.status == 204, rest.data
