import os
import subprocess
import sys
from pathlib import Path

import pytest

from raim.weights.index import index_settings, pip_configuration_files, public_index, without_credentials


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
