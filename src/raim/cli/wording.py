"""How commands say numbers."""


def say_count(number: int, what: str) -> str:
    """Say how many there are of something that takes an s for several.

    Example:
        >>> say_count(1, "image"), say_count(0, "note")
        ('1 image', '0 notes')
    """
    return f"{number} {what}{'s' if number != 1 else ''}"
