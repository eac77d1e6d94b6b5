"""What a team promises before it sends a file: its length and SHA-256, by which it is known once it has come."""

from dataclasses import dataclass

from raim.errors import InputError

DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """A file that will be sent.

    Attributes:
        file_name: As the team calls it; shown, never part of a path.
        n_bytes: Its length, above 0.
        sha256: Of its bytes, 64 lower-case hexadecimal digits.
    """

    file_name: str
    n_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        """Refuse what is no promise.

        Raises:
            InputError: Length or SHA-256 are not usable.
        """
        if self.n_bytes <= 0 or len(self.sha256) != 64 or not set(self.sha256) <= DIGITS:
            raise InputError(
                "a submission begins with its length in bytes, above 0, and its SHA-256 in 64 digits 0-9a-f"
            )
