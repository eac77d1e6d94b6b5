"""What is restored and by what: pairs of photographs, and restorers at scale 1 with their reductions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from raim.restore import RESTORERS, Restorer, find_restorer

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
IDENTITY = "identity"
MEASURE = "measure"
# From here on a restorer is a large net, and large photographs are left out of its rows.
SLOW_S_PER_MP = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A photograph as it is and as it should be.

    Attributes:
        name: Stem of both files; different for each pair of the whole data set.
        scenario: Name of the folder.
        input: Path.
        reference: Path.
        width: Of both, in pixels.
        height: Of both, in pixels.
    """

    name: str
    scenario: str
    input: Path
    reference: Path
    width: int
    height: int

    @property
    def megapixels(self) -> float:
        """Of the input, in 10^6 pixels."""
        return self.width * self.height / 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """A restorer at scale 1.

    Attributes:
        restorer: A name that `find_restorer` takes.
        reduction: 1 to 4 or "measure" for one that enlarges; None for one that does not.
    """

    restorer: str
    reduction: int | str | None = None

    @property
    def name(self) -> str:
        """How tables, folders and entries are called.

        Example:
            >>> Variant(restorer="bicubic-x4", reduction=2).name, Variant(restorer="nlm").name
            ('bicubic-x4-r2', 'nlm')
        """
        if self.reduction is None:
            return self.restorer
        return f"{self.restorer}-{self.reduction if self.reduction == MEASURE else f'r{self.reduction}'}"

    def find(self) -> Restorer:
        """Give the restorer itself."""
        return find_restorer(self.restorer, reduction=self.reduction)

    @property
    def seconds_per_megapixel(self) -> float:
        """Of the net's input, as the restorer's description states it for one core."""
        return find_restorer(self.restorer).seconds_per_megapixel

    @property
    def is_slow(self) -> bool:
        """Whether it is a large net that enlarges, whose cost a reduction divides."""
        return self.reduction is not None and self.seconds_per_megapixel >= SLOW_S_PER_MP


def list_variants(names: Sequence[str] | None, reductions: Sequence[int]) -> list[Variant]:
    """Give identity and then the restorers, the cheapest first, each with the reductions that it has.

    Args:
        names: Of restorers or chains of them; None for all that are built in.
        reductions: 1 to 4, for those that enlarge; "measure" always comes after them.
    """
    chosen = dict.fromkeys((IDENTITY, *(names if names is not None else RESTORERS)))
    variants = [
        Variant(restorer=name, reduction=reduction)
        for name in chosen
        for reduction in ((None,) if find_restorer(name).scale == 1 else (*reductions, MEASURE))
    ]
    return sorted(variants, key=_expected_cost)


def _expected_cost(variant: Variant) -> tuple[bool, float]:
    """Identity first; a measured reduction after the stated ones, whose results it may take."""
    factor = variant.reduction if isinstance(variant.reduction, int) else 1
    is_measured = variant.reduction == MEASURE
    return variant.restorer != IDENTITY, variant.seconds_per_megapixel / factor**2 * (
        1.001 if is_measured else 1
    )


def find_pairs(data: Path) -> list[Pair]:
    """Find the pairs of a data set, small ones first.

    Args:
        data: Holds a folder for each scenario, with the folders `input` and `reference`.
    """
    pairs = [pair for scenario in sorted(data.iterdir()) for pair in _find_scenario(scenario)]
    if not pairs:
        raise SystemExit(
            f"{data} holds no pairs; expected {data}/SCENARIO/input and {data}/SCENARIO/reference"
        )
    names = [pair.name for pair in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SystemExit(
            f"two scenarios have a pair of the same name: {', '.join(twice)}; rename one of each"
        )
    return sorted(pairs, key=lambda pair: (pair.megapixels, pair.name))


def _find_scenario(folder: Path) -> Iterator[Pair]:
    from raim.images import inspect_image

    if not (folder / "input").is_dir() or not (folder / "reference").is_dir():
        return
    references = {path.stem: path for path in _images(folder / "reference")}
    for path in _images(folder / "input"):
        if path.stem not in references:
            raise SystemExit(f"{path} has no reference of the same name in {folder / 'reference'}")
        sizes = {(info.width, info.height) for info in map(inspect_image, (path, references[path.stem]))}
        if len(sizes) > 1:
            raise SystemExit(f"{path} and its reference have different sizes; both must have one")
        width, height = sizes.pop()
        yield Pair(
            name=path.stem,
            scenario=folder.name,
            input=path,
            reference=references[path.stem],
            width=width,
            height=height,
        )


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
