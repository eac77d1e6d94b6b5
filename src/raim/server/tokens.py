"""Random tokens of which the database knows only the hash."""

import hashlib
import secrets

BYTES = 32  # 256 bits: cannot be guessed, so a fast hash without salt is enough


def make_token(kind: str) -> str:
    """Make a token; its beginning says what it is for, so that a leaked one is recognised.

    Example:
        >>> make_token("session")[:13]
        'raim_session_'
    """
    return f"raim_{kind}_{secrets.token_urlsafe(BYTES)}"


def hash_token(token: str) -> str:
    """Give the SHA-256 of a token, in hexadecimal digits.

    Example:
        >>> hash_token("raim_session_x")[:8]
        'f9cbb078'
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
