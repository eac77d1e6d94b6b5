"""A trial: one image and the candidates that a judge compares, in the order of their labels."""

from dataclasses import dataclass

from raim.study.votes import Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What a judge sees at one place of their order.

    Attributes:
        position: From 1.
        image: Name of the image.
        kind: "counted", a hidden "repeat", a "trap" with a blurred copy, or "training"; judges are not told.
        tiles: Entries in the order of the labels A, B, ...; in a trap one of them is `BLURRED`.
        repeats: For a repeat, the position of the first showing.
    """

    position: int
    image: str
    kind: Kind = "counted"
    tiles: tuple[str, ...]
    repeats: int | None = None
