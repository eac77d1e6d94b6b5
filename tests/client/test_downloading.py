import pytest

from fake_server import ENDLESS, Reply, refusal
from raim.client import download_inputs
from raim.errors import AccessError, InputError, ServerUnreachableError


def broken_after(fake, n_bytes):
    """Send a part of the content, then close the connection."""

    def act(handler):
        start = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(fake.bundle) - start))
        if fake.etag:
            handler.send_header("ETag", fake.etag)
        handler.end_headers()
        handler.wfile.write(fake.bundle[start : start + n_bytes])
        handler.close_connection = True

    return act


def ranges(fake):
    return [headers.get("Range") for _, _, headers in fake.requests]


def test_a_download_is_there_whole_with_progress(fake, server, tmp_path):
    reported = []
    path = download_inputs(
        server, "pairs", tmp_path / "in.zip", on_progress=lambda done, total: reported.append((done, total))
    )
    assert path.read_bytes() == fake.bundle
    assert reported[-1] == (len(fake.bundle), len(fake.bundle))
    assert [each.name for each in tmp_path.iterdir()] == ["in.zip"]


def test_a_broken_download_goes_on_where_it_stopped(fake, server, tmp_path, waits):
    fake.fail("GET", "/", broken_after(fake, 100_000), times=3)
    assert download_inputs(server, "pairs", tmp_path / "in.zip").read_bytes() == fake.bundle
    assert ranges(fake) == [None, "bytes=65536-", "bytes=131072-", "bytes=196608-"]
    assert waits == [0.5] * 3


def test_another_call_goes_on_too(fake, server, tmp_path):
    fake.fail("GET", "/", broken_after(fake, 100_000))
    fake.fail("GET", "/", Reply(502), times=8)
    with pytest.raises(Exception, match="502"):
        download_inputs(server, "pairs", tmp_path / "in.zip")
    assert not (tmp_path / "in.zip").exists()
    assert download_inputs(server, "pairs", tmp_path / "in.zip").read_bytes() == fake.bundle
    assert ranges(fake)[-1] == "bytes=65536-"


def test_a_newer_data_set_does_not_continue_an_older_part(fake, server, tmp_path):
    fake.fail("GET", "/", broken_after(fake, 100_000))
    fake.fail("GET", "/", refusal(403, "forbidden", "not now"))
    with pytest.raises(AccessError, match="not now"):
        download_inputs(server, "pairs", tmp_path / "in.zip")
    fake.bundle, fake.etag = fake.bundle[::-1], '"two"'
    assert download_inputs(server, "pairs", tmp_path / "in.zip").read_bytes() == fake.bundle
    assert [each.name for each in tmp_path.iterdir()] == ["in.zip"]


def test_without_an_etag_nothing_is_continued(fake, server, tmp_path):
    fake.etag = ""
    fake.fail("GET", "/", broken_after(fake, 100_000))
    assert download_inputs(server, "pairs", tmp_path / "in.zip").read_bytes() == fake.bundle
    assert ranges(fake) == [None, None]


def test_a_part_that_is_whole_already_is_taken(fake, server, tmp_path):
    def whole_but_cut(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(fake.bundle)))
        handler.send_header("ETag", fake.etag)
        handler.end_headers()
        raise_interrupt.append(1)  # before the last byte can have come
        handler.wfile.write(fake.bundle)

    raise_interrupt = []

    def interrupt(done, total):
        if done == total and raise_interrupt:
            raise KeyboardInterrupt

    fake.fail("GET", "/", whole_but_cut)
    with pytest.raises(KeyboardInterrupt):
        download_inputs(server, "pairs", tmp_path / "in.zip", on_progress=interrupt)
    assert download_inputs(server, "pairs", tmp_path / "in.zip").read_bytes() == fake.bundle
    assert ranges(fake) == [None, f"bytes={len(fake.bundle)}-"]


def test_a_download_that_brings_nothing_is_given_up(fake, server, tmp_path, waits):
    fake.fail("GET", "/", "cut", times=ENDLESS)
    with pytest.raises(ServerUnreachableError):
        download_inputs(server, "pairs", tmp_path / "in.zip")
    assert len(waits) == 7


def test_a_missing_folder_is_refused_before_asking(fake, server, tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        download_inputs(server, "pairs", tmp_path / "no" / "in.zip")
    assert fake.requests == []


def test_a_folder_in_the_way_is_reported(fake, server, tmp_path):
    (tmp_path / "in.zip").mkdir()
    (tmp_path / "in.zip" / "a").touch()
    with pytest.raises(InputError, match=r"in\.zip cannot be written"):
        download_inputs(server, "pairs", tmp_path / "in.zip")
