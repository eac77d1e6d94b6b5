"""Random tokens of which the database knows only the hash."""

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any

BYTES = 32  # 256 bits: cannot be guessed, so a fast hash without salt is enough


def make_token(kind: str) -> str:
    """Make a token; its beginning says what it is for, so that a leaked one is recognised.

    Example:
        >>> make_token("session")[:13]
        'raim_session_'
    """
    return f"raim_{kind}_{secrets.token_urlsafe(BYTES)}"


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token, in hexadecimal digits.

    Example:
        >>> hash_token("raim_session_x")[:8]
        'f9cbb078'
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def proof(now: datetime, token: str) -> dict[str, Any]:
    """Return what a query by `raim.server.database.people.whose` takes."""
    return {"now": now, "token_sha256": hash_token(token)}


def name_browser(secret: bytes, login_key: str) -> str:
    """Make the mark of a browser in which a login has succeeded; it opens nothing.

    Example:
        >>> mark = name_browser(b"secret", "ada")
        >>> len(read_browser(b"secret", "ada", mark)), read_browser(b"secret", "bob", mark)
        (16, '')
    """
    name = secrets.token_hex(8)
    return f"{name}.{_sign_browser(secret, login_key, name)}"


def read_browser(secret: bytes, login_key: str, mark: str) -> str:
    """Return the name of a browser by its mark; "" for what this server has not made for that login."""
    name, _, signature = mark.partition(".")
    expected = _sign_browser(secret, login_key, name)
    return name if hmac.compare_digest(signature.encode(), expected.encode()) else ""


def _sign_browser(secret: bytes, login_key: str, name: str) -> str:
    return hmac.new(secret, f"browser {name} of {login_key}".encode(), hashlib.sha256).hexdigest()
