"""Which challenge server is asked, as whom, and how patiently."""

import ipaddress
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from raim.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long a server that does not answer, or answers that it cannot now, is asked again.

    Attributes:
        attempts: In a row that bring nothing; then the error is raised.
        first_wait_s: Before the second attempt; doubled before each further one.
        longest_wait_s: The longest pause; a server that asks for a longer one is not asked again.
        timeout_s: For one answer.
        sleep: Waits for some seconds.
        clock: Gives the time.
    """

    attempts: int = 8
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    timeout_s: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def wait_s(self, failures: int) -> float:
        """Return the pause after some failures in a row, in seconds.

        Example:
            >>> [Patience().wait_s(failures) for failures in (1, 2, 3, 20)]
            [0.5, 1.0, 2.0, 60.0]
        """
        return min(self.longest_wait_s, self.first_wait_s * 2.0 ** (failures - 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A challenge server and who asks it.

    A token over plain http to another machine is readable on the way: that is a warning.

    Attributes:
        url: Its address, such as https://challenge.example.org; that of one of its challenges, which ends in /c/ID,
            where it has several.
        challenge: Id of the challenge; "" for the only one of the server.
        token: An API token of a team's member, from the account's page; "" asks without one.
        patience: How it is asked.

    Raises:
        InputError: The address or the token cannot be one.

    Example:
        >>> Server(url="https://challenge.example.org/", token="raim_api_x")
        Server(url='https://challenge.example.org', patience=...)
    """

    url: str
    token: str = field(default="", repr=False)
    patience: Patience = field(default_factory=Patience)
    challenge: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Check the address and the token."""
        url, _, challenge = _checked_url(self.url).partition("/c/")
        object.__setattr__(self, "url", url)
        object.__setattr__(self, "challenge", challenge.partition("/")[0] or self.challenge)
        object.__setattr__(self, "token", _checked_token(self.token))
        if self.token and is_readable_on_the_way(self.url):
            warnings.warn(
                f"{self.url} is plain http: your token and your files can be read on the way; use https where there "
                "is one",
                stacklevel=3,
            )


def is_readable_on_the_way(url: str) -> bool:
    """Return whether others may read what is sent: plain http to a machine that is not this one.

    Example:
        >>> is_readable_on_the_way("http://127.0.0.1:8000"), is_readable_on_the_way("http://example.org")
        (False, True)
    """
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_local(parts.hostname or "")


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address: what may see a token.

    Example:
        >>> origin("https://Example.org/a") == origin("https://example.org:443/b")
        True
    """
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _checked_url(url: str) -> str:
    what = f"the server's address is {url!r}; expected one such as https://challenge.example.org"
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise InputError(what) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise InputError(what)
    if parts.username is not None or parts.query or parts.fragment:
        raise InputError(f"{what}, without a user, a query or a fragment")
    return url.strip().rstrip("/")


def _checked_token(token: str) -> str:
    if not (token.isascii() and token.strip().isprintable() and " " not in token.strip()):
        raise InputError("the token holds signs that no token has; copy it again from your account's page")
    return token.strip()


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
