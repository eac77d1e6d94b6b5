"""What a server is started with: one record, read from environment variables with the prefix `RAIM_`."""

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from raim.errors import SettingsError, unknown_name
from raim.server.logs import LogFormat

VARIABLE_PREFIX = "RAIM_"
SECRET = frozenset(
    {"DATABASE_URL", "SMTP_URL", "METRICS_TOKEN"}
)  # what holds a password is shown in no message
# An address that mail is sent to or comes from: the form that browsers ask for, and no more dots than mail allows.
MAILABLE = re.compile(
    r"(?=.{3,254}\Z)[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@[A-Za-z0-9]+((\.|-+)[A-Za-z0-9]+)*",
    re.ASCII,
)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All settings of one server; a variable is named RAIM_ and the field in capitals.

    Attributes:
        folder: Where the challenge, the default database and the default storage lie.
        database_url: SQLAlchemy URL, SQLite or PostgreSQL.
        storage_url: fsspec URL of the place for files: a folder (file://...), s3://bucket/prefix, ...
        public_url: The address that people type, without a path; "https" makes cookies secure.
        trusted_proxies: Networks whose X-Forwarded-* headers are believed; none by default.
        secret_key_file: File with the server's secret; it is made, readable by its owner only, if missing.
        session_hours: How long a login lasts, 1 to 8760 hours.
        upload_limit_bytes: The largest upload that is taken.
        keep_free_bytes: Uploads are refused that would leave less free disk space than this.
        free_after_days: So long after a refusal the file of a submission may be freed.
        keep_addresses_days: After how many days addresses in the log, of links and of judges are forgotten.
        worker_processes: Processes of a worker that score at once; 0 for one for each core.
        check_memory_bytes: What the process may use that checks an archive.
        score_memory_bytes: What each process may use that scores.
        smtp_url: The mail server, smtp://USER:PASSWORD@HOST:PORT; "" sends no mail.
        mail_from: From whom mail comes, such as "Our challenge <challenge@example.org>".
        log_format: "text", or "json": a JSON object a line, one for each request too.
        metrics_token: What a program sends that reads /metrics; "" lets programs on this machine read it, and no other.
    """

    folder: Path
    database_url: str
    storage_url: str
    public_url: str = "http://127.0.0.1:8000"
    trusted_proxies: tuple[Network, ...] = ()
    secret_key_file: Path
    session_hours: int = 24 * 14
    upload_limit_bytes: int = 4 * 2**30
    keep_free_bytes: int = 2**30
    free_after_days: int = 14
    keep_addresses_days: int = 90
    worker_processes: int = 0
    check_memory_bytes: int = 4 * 2**30
    score_memory_bytes: int = 8 * 2**30
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    log_format: LogFormat = "text"
    metrics_token: str = field(default="", repr=False)


def read_settings(environment: Mapping[str, str], *, folder: Path | None = None) -> Settings:
    """Read and check all settings.

    Args:
        environment: Usually `os.environ`. Other parts of raim have variables with the prefix too, so an unknown
            name is refused only where it looks like a mistyped setting.
        folder: In place of RAIM_FOLDER; the current folder without either.

    Raises:
        SettingsError: A variable has no usable value; the text names it.
        UnknownNameError: A variable is nearly a setting; which one is named.

    Example:
        >>> settings = read_settings({"RAIM_SESSION_HOURS": "8"}, folder=Path("/srv/raim"))
        >>> settings.session_hours, settings.database_url
        (8, 'sqlite:////srv/raim/raim.db')
    """
    given = {
        name.removeprefix(VARIABLE_PREFIX): text
        for name, text in environment.items()
        if name.startswith(VARIABLE_PREFIX)
    }
    known = {each.name.upper() for each in fields(Settings)}
    for name in sorted(given.keys() - known):
        if difflib.get_close_matches(name, known, n=1, cutoff=0.8):
            raise unknown_name("setting", VARIABLE_PREFIX + name, [VARIABLE_PREFIX + one for one in known])
    values: dict[str, Any] = {
        name.lower(): _parse(name, given[name]) for name in sorted(given.keys() & known)
    }
    if values.get("smtp_url") and not values.get("mail_from"):
        raise SettingsError(
            "RAIM_SMTP_URL is set; say in RAIM_MAIL_FROM from whom mail comes, as name@example.org"
        )
    place = (folder or values.get("folder") or Path()).absolute()
    defaults: dict[str, Any] = {
        "database_url": f"sqlite:///{place / 'raim.db'}",
        "storage_url": (place / "files").as_uri(),
        "secret_key_file": place / "secret.key",
    }
    return Settings(**(defaults | values | {"folder": place}))


def _parse(name: str, text: str) -> object:
    try:
        return _PARSERS[name](text.strip())
    except ValueError as error:
        raise SettingsError(f"{VARIABLE_PREFIX}{name} is {_shown(name, text)}: {error}") from error


def _shown(name: str, text: str) -> str:
    return "not usable" if name in SECRET else repr(text)


def _path(text: str) -> Path:
    if not text:
        raise ValueError("a path is expected; unset the variable to have the default")
    return Path(text).expanduser().absolute()


def _database_url(text: str) -> str:
    if text.startswith("postgresql://"):
        return "postgresql+psycopg://" + text.removeprefix("postgresql://")
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
    return text


def _storage_url(text: str) -> str:
    if "://" not in text:
        raise ValueError("expected a URL such as file:///srv/raim/files or s3://bucket/prefix")
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("expected an address without a path, such as https://challenge.example.org")
    return text.rstrip("/")


def _smtp_url(text: str) -> str:
    form = "expected smtp://HOST, smtp://USER:PASSWORD@HOST:587?starttls or smtps://USER:PASSWORD@HOST"
    parts = urlsplit(text)
    try:
        is_one = parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0
    except ValueError:
        raise ValueError(form) from None  # Python's own text has a part of the password
    if text and not (
        is_one and parts.path in {"", "/"} and parts.query in {"", "starttls"} and not parts.fragment
    ):
        raise ValueError(f"{form}; signs such as / or # in a password are written as %2F or %23")
    is_hidden = parts.scheme == "smtps" or parts.query == "starttls"
    if parts.password and not is_hidden and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ValueError("the password would be sent for all to read; use smtps://, or add ?starttls")
    return text


def _mail_from(text: str) -> str:
    if text and not (MAILABLE.fullmatch(parseaddr(text)[1]) and text.isprintable()):
        raise ValueError("expected an address such as name@example.org, or Our challenge <name@example.org>")
    return text


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _log_format(text: str) -> str:
    if text not in get_args(LogFormat):
        raise ValueError(f"expected {' or '.join(get_args(LogFormat))}")
    return text


def _metrics_token(text: str) -> str:
    if text and not re.fullmatch(r"[!-~]{20,200}", text):
        raise ValueError(
            "expected 20 to 200 letters, digits and signs without spaces, such as `openssl rand -hex 20`"
        )
    return text


def _between(low: int, high: int, unit: str) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"expected a whole number of {unit} from {low} to {high}")
        return int(text)

    return parse


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "FOLDER": _path,
    "DATABASE_URL": _database_url,
    "STORAGE_URL": _storage_url,
    "PUBLIC_URL": _public_url,
    "TRUSTED_PROXIES": _networks,
    "SECRET_KEY_FILE": _path,
    "SESSION_HOURS": _between(1, 8760, "hours"),
    "UPLOAD_LIMIT_BYTES": _between(1, 2**40, "bytes"),
    "KEEP_FREE_BYTES": _between(0, 2**50, "bytes"),
    "FREE_AFTER_DAYS": _between(0, 36500, "days"),
    "KEEP_ADDRESSES_DAYS": _between(1, 3650, "days"),
    "WORKER_PROCESSES": _between(0, 1024, "processes"),
    "CHECK_MEMORY_BYTES": _between(2**28, 2**45, "bytes"),
    "SCORE_MEMORY_BYTES": _between(2**28, 2**45, "bytes"),
    "SMTP_URL": _smtp_url,
    "MAIL_FROM": _mail_from,
    "LOG_FORMAT": _log_format,
    "METRICS_TOKEN": _metrics_token,
}
