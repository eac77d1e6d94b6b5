"""Passwords as Argon2id hashes.

Hashing takes tens of milliseconds and 64 MiB on purpose: it is done outside of writing transactions, by two requests at
once, and only so many wait for that as are soon served; whoever comes then is asked to come again.
"""

import threading
import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from raim.errors import InputError, NotReadyError

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 1000  # more would only cost time

# Argon2id, 64 MiB, 3 passes, 4 lanes: the second recommended choice of RFC 9106, section 4.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
AT_ONCE, MOST_WAITING = 2, 12  # of the server's 40 threads
_HASHING = threading.BoundedSemaphore(AT_ONCE)
_COMING = threading.BoundedSemaphore(AT_ONCE + MOST_WAITING)


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for one's turn to hash.

    Raises:
        NotReadyError: Too many wait.
    """
    if not _COMING.acquire(blocking=False):
        raise NotReadyError("too many people log in at once; try again in a few seconds", retry_s=5)
    try:
        with _HASHING:
            yield
    finally:
        _COMING.release()


def hash_password(password: str) -> str:
    """Return the hash to keep.

    Raises:
        InputError: It is shorter than 10 or longer than 1000 characters.
        NotReadyError: Too many wait to have theirs hashed.

    Example:
        >>> hash_password("correct horse")[:10]
        '$argon2id$'
    """
    if not MINIMUM_LENGTH <= len(password) <= MAXIMUM_LENGTH:
        raise InputError(
            f"the password has {len(password)} characters; "
            f"it must have {MINIMUM_LENGTH} to {MAXIMUM_LENGTH}; a sentence is a good one"
        )
    with _turn():
        return _HASHER.hash(_bytes(password))


def is_password(password: str, password_hash: str | None) -> bool:
    """Return whether a password is the right one; without a hash it is not, after the same time.

    Raises:
        NotReadyError: Too many wait to have theirs compared.

    Example:
        >>> is_password("correct horse", hash_password("correct horse"))
        True
    """
    try:
        with _turn():
            right = _HASHER.verify(password_hash or _nobodys_hash(), _bytes(password[: MAXIMUM_LENGTH + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return right and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Return whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _nobodys_hash() -> str:
    """Return a hash that no password gives and that takes as long to compare with as any other."""
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    salt, digest = (b64encode(bytes(n)).decode().rstrip("=") for n in (_HASHER.salt_len, _HASHER.hash_len))
    return f"$argon2id$v=19${cost}${salt}${digest}"
