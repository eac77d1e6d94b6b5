"""How commands say numbers."""


def say_count(number: int, what: str) -> str:
    """Return how many there are of something that takes an s for several.

    Example:
        >>> say_count(1, "image"), say_count(0, "note")
        ('1 image', '0 notes')
    """
    return f"{number} {what}{'s' if number != 1 else ''}"


def say_number(value: float | None, digits: int) -> str:
    """Return a number of a table as text, a dash for one that is not there.

    Example:
        >>> say_number(0.25, 3), say_number(-1e-9, 2), say_number(float("inf"), 2), say_number(None, 2)
        ('0.250', '0.00', 'inf', '-')
    """
    return "-" if value is None else f"{value:z.{digits}f}"  # z: no minus before zero
