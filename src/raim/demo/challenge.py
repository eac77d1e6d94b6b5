"""Making the demo's challenge: inputs, references and the manifest that says what they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raim.data import ManifestRow, write_manifest
from raim.demo.degradation import DEGRADATIONS
from raim.demo.pairs import DemoPair, find_demo_pairs
from raim.demo.photographs import find_photographs
from raim.demo.workplace import Workplace
from raim.errors import ImageError, InputError
from raim.images import read_image, write_image
from raim.processes import OnProgress

SEED = 2024


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoChallenge:
    """What was made.

    Attributes:
        names: Stems of the images.
        note: How they were made, for the page.
        left_out: What of the reader's pairs could not be used, and why.
    """

    names: tuple[str, ...]
    note: str
    left_out: tuple[str, ...] = ()


def make_challenge(workplace: Workplace, *, seed: int = SEED, on_progress: OnProgress) -> DemoChallenge:
    """Degrade each photograph in three stated ways; every pair has its own generator, so none depends on another.

    Raises:
        MissingExtraError: If the photographs or OpenCV are not installed.
    """
    photographs = find_photographs()
    total = len(photographs) * len(DEGRADATIONS)
    rows = []
    on_progress(0, total)
    for row in _degrade_all(photographs, workplace, seed):
        rows.append(row)
        on_progress(len(rows), total)
    write_manifest(workplace.manifest, rows)
    ways = "; ".join(f"{name}: {each.description}" for name, each in DEGRADATIONS.items())
    note = (
        f"{len(photographs)} photographs from scikit-image's wheel, each degraded in {len(DEGRADATIONS)} ways ({ways}; "
        f"seed {seed})."
    )
    return DemoChallenge(names=tuple(row.name for row in rows), note=note)


def copy_challenge(workplace: Workplace, data: Path, *, on_progress: OnProgress) -> DemoChallenge:
    """Copy the reader's own pairs, unchanged; a pair that cannot be read is left out with the reason.

    Raises:
        InputError: If there is no pair that can be used.
    """
    found = find_demo_pairs(data)
    rows, left_out = [], list(found.left_out)
    on_progress(0, len(found.pairs))
    for done, pair in enumerate(found.pairs, start=1):
        try:
            rows.append(_copy_pair(pair, workplace))
        except ImageError as error:
            left_out.append(f"{pair.scenario + '/' if pair.scenario else ''}{pair.name}: {error}")
        on_progress(done, len(found.pairs))
    if not rows:
        raise InputError(f"none of the {len(found.pairs)} pairs in {data} can be used; {left_out[0]}")
    write_manifest(workplace.manifest, rows)
    scenarios = list(dict.fromkeys(row.scenario for row in rows if row.scenario is not None))
    within = f" in {len(scenarios)} scenarios ({', '.join(scenarios)})" if scenarios else ""
    return DemoChallenge(
        names=tuple(row.name for row in rows),
        note=f"{len(rows)} pairs of your own{within}.",
        left_out=tuple(left_out),
    )


def _degrade_all(photographs: tuple[Path, ...], workplace: Workplace, seed: int) -> Iterator[ManifestRow]:
    for number, path in enumerate(photographs):
        reference = np.ascontiguousarray(read_image(path, purpose="restore").pixels)
        height, width = reference.shape[:2]
        for index, (scenario, degradation) in enumerate(DEGRADATIONS.items()):
            name = f"{path.stem}_{scenario}"
            rng = np.random.default_rng([seed, number, index])
            write_image(workplace.inputs / f"{name}.png", degradation.degrade(reference, rng))
            write_image(workplace.references / f"{name}.png", reference)
            yield ManifestRow(name=name, scenario=scenario, width=width, height=height)


def _copy_pair(pair: DemoPair, workplace: Workplace) -> ManifestRow:
    """Copy both files if they can be scored; nothing is copied otherwise."""
    contents = [path.read_bytes() for path in (pair.input, pair.reference)]
    source, reference = (read_image(content).pixels for content in contents)
    if source.ndim != reference.ndim:
        raise ImageError("one of input and reference is grey, the other in colour")
    for folder, path, content in zip(
        (workplace.inputs, workplace.references), (pair.input, pair.reference), contents, strict=True
    ):
        (folder / (pair.name + path.suffix.lower())).write_bytes(content)
    height, width = reference.shape[:2]
    return ManifestRow(name=pair.name, scenario=pair.scenario, width=width, height=height)
