import http.client
import socket
import threading

import pytest

from raim.demo.serving import find_file, open_server
from raim.errors import InputError


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "out"
    (folder / "submissions").mkdir(parents=True)
    (folder / "index.html").write_text("<h1>the page</h1>")
    (folder / "submissions" / "a b.zip").write_bytes(b"PK")
    (folder / "secret.key").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    with open_server(folder, port=0) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield server
        server.stop()
        thread.join()


def ask(server, target, method="GET", **headers):
    port = int(server.address.rsplit(":", 1)[1].strip("/"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, target, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(), response
    finally:
        connection.close()


def test_the_address_shows_the_page(served):
    status, body, response = ask(served, "/")
    assert (status, body) == (200, b"<h1>the page</h1>")
    assert response.getheader("Content-Type") == "text/html; charset=utf-8"
    assert response.getheader("X-Content-Type-Options") == "nosniff"


def test_files_of_the_folder_can_be_had(served):
    assert ask(served, "/submissions/a%20b.zip?x=1")[:2] == (200, b"PK")
    assert ask(served, "/index.html", method="HEAD")[:2] == (200, b"")


@pytest.mark.parametrize(
    "target",
    [
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/submissions/../../outside.txt",
        "//etc/passwd",
        "/link.txt",
        "/secret.key",
        "/submissions/",
        "/nothing.html",
        "/%00",
        "/%ff",
        "/" + "x" * 5000 + ".html",
    ],
)
def test_nothing_else_can(served, target):
    status, body, _ = ask(served, target)
    assert status == 404
    assert b"secret" not in body


def test_only_reading_is_allowed(served):
    assert ask(served, "/", method="POST")[0] == 501


def test_a_request_for_another_host_is_refused(served):
    assert ask(served, "/", Host="evil.example:80")[0] == 403
    assert ask(served, "/", Host="localhost:1234")[0] == 200


def test_a_taken_port_is_named_with_the_way_out(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}.*--port"):
            open_server(tmp_path, port=port)


def test_without_a_wish_a_taken_port_is_passed_over(tmp_path, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr("raim.demo.serving.DEFAULT_PORT", taken.getsockname()[1])
        with open_server(tmp_path) as server:
            assert not server.address.endswith(f":{taken.getsockname()[1]}/")


def test_ctrl_c_ends_serving_without_an_error(tmp_path, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("http.server.ThreadingHTTPServer.serve_forever", interrupt)
    with open_server(tmp_path, port=0) as server:
        server.serve()


def test_a_sibling_whose_name_begins_alike_is_outside(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "a.txt").touch()
    assert find_file(tmp_path / "out", "/../outer/a.txt") is None
