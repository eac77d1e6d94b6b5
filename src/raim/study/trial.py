"""A trial: one image and the candidates that a judge compares, in the order of their labels."""

from dataclasses import dataclass

from raim.study.votes import Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What a judge sees at one place of their order.

    Attributes:
        position: From 1.
        image: Name of the image.
        kind: "counted", a hidden "repeat", a "trap" with a blurred copy, or "training"; judges do not know which.
        tiles: Entries in the order of the labels A, B, ...; in a trap one of them is `BLURRED`.
        repeats: For a repeat, the position of the first showing.
    """

    position: int
    image: str
    kind: Kind = "counted"
    tiles: tuple[str, ...]
    repeats: int | None = None


def label_of(place: int) -> str:
    """Return the label of a tile by its place from 0: A, B, ..., Z, A2, ...

    Example:
        >>> label_of(0), label_of(8), label_of(27)
        ('A', 'I', 'B2')
    """
    round_, letter = divmod(place, 26)
    return chr(ord("A") + letter) + (str(round_ + 1) if round_ else "")
