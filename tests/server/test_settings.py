import dataclasses
import ipaddress
import re
from pathlib import Path

import pytest

from raim.errors import SettingsError, UnknownNameError
from raim.server import settings as module
from raim.server.settings import VARIABLE_PREFIX, Settings, read_settings

BAD = {
    "FOLDER": " ",
    "DATABASE_URL": "mysql://user:hush@host/raim",
    "STORAGE_URL": "files",
    "PUBLIC_URL": "https://example.org/raim",
    "TRUSTED_PROXIES": "10.0.0.0/8, proxy",
    "SECRET_KEY_FILE": "",
    "SESSION_HOURS": "0",
    "UPLOAD_LIMIT_BYTES": "2 GB",
    "KEEP_FREE_BYTES": "-1",
    "FREE_AFTER_DAYS": "a week",
    "SMTP_URL": "smtp://ada:hu/sh@mail.example.org",
    "MAIL_FROM": "the organisers",
    "LOG_FORMAT": "xml",
    "METRICS_TOKEN": "hush",
}


def test_a_folder_is_enough(tmp_path):
    settings = read_settings({"HOME": "/root", "RAIM_CACHE_DIR": "/elsewhere"}, folder=tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path}/raim.db"
    assert settings.storage_url == f"file://{tmp_path}/files"
    assert settings.secret_key_file == tmp_path / "secret.key"
    assert settings.trusted_proxies == ()


def test_every_variable_is_read(tmp_path):
    given = {
        "FOLDER": str(tmp_path),
        "DATABASE_URL": "postgresql://raim:hush@db/raim",
        "STORAGE_URL": "s3://bucket/raim",
        "PUBLIC_URL": "https://raim.example.org/",
        "TRUSTED_PROXIES": "10.0.0.0/8, ::1",
        "SECRET_KEY_FILE": str(tmp_path / "key"),
        "SESSION_HOURS": "8",
        "UPLOAD_LIMIT_BYTES": "1000",
        "KEEP_FREE_BYTES": "0",
        "FREE_AFTER_DAYS": "30",
        "KEEP_ADDRESSES_DAYS": "30",
        "SMTP_URL": "smtps://ada:hush@mail.example.org",
        "MAIL_FROM": "Our challenge <challenge@example.org>",
        "LOG_FORMAT": "json",
        "METRICS_TOKEN": "0123456789abcdefghij",
    }
    assert read_settings({VARIABLE_PREFIX + name: text for name, text in given.items()}) == Settings(
        folder=tmp_path,
        database_url="postgresql+psycopg://raim:hush@db/raim",
        storage_url="s3://bucket/raim",
        public_url="https://raim.example.org",
        trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1")),
        secret_key_file=tmp_path / "key",
        session_hours=8,
        upload_limit_bytes=1000,
        keep_free_bytes=0,
        free_after_days=30,
        keep_addresses_days=30,
        smtp_url="smtps://ada:hush@mail.example.org",
        mail_from="Our challenge <challenge@example.org>",
        log_format="json",
        metrics_token="0123456789abcdefghij",
    )


@pytest.mark.parametrize("name", sorted(BAD))
def test_an_error_names_its_variable_and_no_password(name):
    with pytest.raises(SettingsError, match=VARIABLE_PREFIX + name) as caught:
        read_settings({VARIABLE_PREFIX + name: BAD[name]}, folder=Path("/srv"))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("smtp://ada:hush@mail.example.org", "for all to read"),
        ("smtp://ada:hu/sh@mail.example.org", "expected smtp://HOST"),
        ("smtp://ada:hu#sh@mail.example.org", "expected smtp://HOST"),
        ("smtps://ada:hush@", "expected smtp://HOST"),
        ("smtp://ada:hush@mail.example.org?tls", "expected smtp://HOST"),
        ("https://ada:hush@mail.example.org", "expected smtp://HOST"),
        ("smtps://ada:hush@mail.example.org:99999", "expected smtp://HOST"),
    ],
)
def test_a_mail_server_that_cannot_be_used_is_refused_without_its_password(url, reason):
    with pytest.raises(SettingsError, match=reason) as caught:
        read_settings({"RAIM_SMTP_URL": url, "RAIM_MAIL_FROM": "name@example.org"})
    assert not any(word in str(caught.value) for word in ("hu/", "hush", "hu#", "'hu'"))


def test_a_password_of_the_mail_server_is_not_shown_with_the_settings():
    given = {"RAIM_SMTP_URL": "smtps://ada:hush@mail.example.org", "RAIM_MAIL_FROM": "name@example.org"}
    assert "hush" not in repr(read_settings(given))
    assert read_settings(
        {"RAIM_SMTP_URL": "smtp://ada:hush@localhost?starttls", "RAIM_MAIL_FROM": "a@b.c"}
    ).smtp_url
    with pytest.raises(SettingsError, match="RAIM_MAIL_FROM"):
        read_settings({"RAIM_SMTP_URL": "smtp://localhost"})


def test_a_mistyped_variable_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'RAIM_SESSION_HOURS'"):
        read_settings({"RAIM_SESSION_HOUR": "8"})


def test_each_field_is_documented_and_parsed():
    names = {field.name for field in dataclasses.fields(Settings)}
    assert names == set(re.findall(r"^ {8}(\w+):", module.Settings.__doc__, re.MULTILINE))
    assert {name.upper() for name in names} == set(module._PARSERS)
    page = (Path(__file__).resolve().parents[2] / "docs" / "server.md").read_text()
    assert [name for name in sorted(names) if f"`{VARIABLE_PREFIX}{name.upper()}`" not in page] == []
