"""One photograph in a worker process: its files are read, what is known is looked up, the rest is measured.

Only what no earlier run has measured is decoded and computed; all candidates that need a measure go through it
together with their reference.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raim.errors import ImageError, RaimError, SubmissionError, UnscorableError
from raim.images import read_image
from raim.metrics.arrays import PixelArray
from raim.scoring.cache import ValueCache, value_key
from raim.scoring.definitions import measure_definition
from raim.scoring.measures import Measured, measure_candidates
from raim.scoring.pairs import cut_border, join_measures, match_arrays, refuse_image
from raim.scoring.profiles import MeasureChoice, Profile
from raim.scoring.records import ImageScore
from raim.scoring.submission import Member

# Candidates that go through the trunks together: eight of up to 12 megapixels, fewer of larger ones.
MOST_TOGETHER = 8
PIXELS_TOGETHER = MOST_TOGETHER * 12_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One photograph to score.

    Attributes:
        name: Stem of its files.
        reference: The reference's file.
        candidates: The restored file of each entry; None where an entry has none of that name.
        scenario: From the manifest.
    """

    name: str
    reference: Member
    candidates: tuple[Member | None, ...]
    scenario: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What all photographs of a run share: profile, device and the file of known values (None: none is kept)."""

    profile: Profile
    device: str = "cpu"
    cache: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """The records of a photograph, one for each entry, and the values that were not known before."""

    images: tuple[ImageScore, ...]
    new_values: dict[str, dict[str, Any]]


@dataclass(kw_only=True, slots=True)
class _Candidate:
    """One restored file on its way to its record."""

    name: str
    content: bytes = b""
    sha256: str = ""
    pixels: PixelArray | None = None
    refused: str | None = None
    warnings: tuple[str, ...] = ()
    measured: dict[str, Measured] = field(default_factory=dict)


def score_photograph(task: Task, setting: Setting) -> Scored:
    """Score every candidate of one photograph; what is wrong with a file becomes its record's `unscored`."""
    candidates = [_read(member, task.name) for member in task.candidates]
    reference = _read(task.reference, task.name)
    with ValueCache(setting.cache) as cache:
        _recall(cache, candidates, reference, setting)
    missing = [candidate for candidate in candidates if _is_missing(candidate, setting.profile)]
    if missing and reference.refused is None:
        _measure_missing(missing, reference, setting)
    return Scored(
        images=tuple(_record(candidate, reference, task, setting.profile) for candidate in candidates),
        new_values={
            key: value
            for candidate in missing
            for key, value in _to_remember(candidate, reference, setting).items()
        },
    )


def fail_photograph(task: Task, setting: Setting, error: RaimError) -> Scored:
    """Return the records of a photograph that could not be worked on at all."""
    refused = refuse_image(task.name, setting.profile, str(error), scenario=task.scenario)
    return Scored(images=tuple(refused for _ in task.candidates), new_values={})


def _read(member: Member | None, name: str) -> _Candidate:
    if member is None:
        return _Candidate(name=name, refused=f"missing: there is no file named {name}")
    try:
        content = member.read_bytes()
    except SubmissionError as error:
        return _Candidate(name=member.name, refused=str(error))
    return _Candidate(name=member.name, content=content, sha256=hashlib.sha256(content).hexdigest())


def _is_missing(candidate: _Candidate, profile: Profile) -> bool:
    return candidate.refused is None and len(candidate.measured) < len(profile.measures)


def _key(choice: MeasureChoice, candidate: _Candidate, reference: _Candidate, setting: Setting) -> str:
    return value_key(
        measure=choice.name,
        restored_sha256=candidate.sha256,
        reference_sha256=reference.sha256,
        definition=measure_definition(choice, setting.profile.border_px, setting.device),
    )


def _recall(
    cache: ValueCache, candidates: Sequence[_Candidate], reference: _Candidate, setting: Setting
) -> None:
    """Look up what earlier runs have measured; a candidate's warnings are kept beside each value."""
    for candidate in candidates:
        if candidate.refused is not None:
            continue
        for choice in setting.profile.measures:
            known = cache.get(_key(choice, candidate, reference, setting))
            if known is not None:
                candidate.warnings = tuple(known["warnings"])
                candidate.measured[choice.name] = Measured(**known["measured"])


def _to_remember(candidate: _Candidate, reference: _Candidate, setting: Setting) -> dict[str, dict[str, Any]]:
    if candidate.refused is not None:
        return {}
    return {
        _key(choice, candidate, reference, setting): {
            "measured": dataclasses.asdict(candidate.measured[choice.name]),
            "warnings": list(candidate.warnings),
        }
        for choice in setting.profile.measures
        if choice.name in candidate.measured
    }


def _measure_missing(missing: Sequence[_Candidate], reference: _Candidate, setting: Setting) -> None:
    for file in (reference, *missing):
        _decode(file)
    for group, reference_pixels in _prepare(missing, reference, setting.profile.border_px):
        together = max(1, min(MOST_TOGETHER, PIXELS_TOGETHER // reference_pixels[..., 0].size))
        for choice in setting.profile.measures:
            waiting = [candidate for candidate in group if choice.name not in candidate.measured]
            for start in range(0, len(waiting), together):
                _measure(waiting[start : start + together], reference_pixels, choice, setting.device)


def _decode(file: _Candidate) -> None:
    try:
        picture = read_image(file.content, purpose="score")
    except ImageError as error:
        file.refused = f"{file.name}: {error}"
        return
    file.content = b""
    file.pixels = picture.pixels
    file.warnings = picture.warnings


def _prepare(
    missing: Sequence[_Candidate], reference: _Candidate, border_px: int
) -> Iterator[tuple[list[_Candidate], PixelArray]]:
    """Bring candidates to the reference's form; give those of one type of pixel together, with the reference in it."""
    groups: dict[str, tuple[list[_Candidate], PixelArray]] = {}
    for candidate in missing:
        if candidate.pixels is None or reference.pixels is None:
            continue
        try:
            pair = _match(candidate.name, candidate.pixels, reference.pixels)
            candidate.pixels = cut_border(pair[0], border_px)
            kind = str(candidate.pixels.dtype)
            if kind not in groups:
                groups[kind] = ([], cut_border(pair[1], border_px))
        except UnscorableError as error:
            candidate.refused = str(error)
            continue
        groups[kind][0].append(candidate)
    reference.pixels = None
    yield from groups.values()


def _match(name: str, restored: PixelArray, reference: PixelArray) -> tuple[PixelArray, PixelArray]:
    (height, width), expected = restored.shape[:2], reference.shape[:2]
    if (height, width) != expected:
        raise UnscorableError(
            f"{name} is {width}x{height}, its reference {expected[1]}x{expected[0]}; they must be the same size"
        )
    return match_arrays(restored, reference)


def _measure(
    candidates: Sequence[_Candidate], reference: PixelArray, choice: MeasureChoice, device: str
) -> None:
    pixels = [candidate.pixels for candidate in candidates if candidate.pixels is not None]
    for candidate, measured in zip(
        candidates, measure_candidates(choice, pixels, reference, device=device), strict=True
    ):
        candidate.measured[choice.name] = measured


def _record(candidate: _Candidate, reference: _Candidate, task: Task, profile: Profile) -> ImageScore:
    refused = candidate.refused
    if refused is None and reference.refused is not None:
        refused = f"its reference cannot be used: {reference.refused}"
    if refused is not None:
        return refuse_image(task.name, profile, refused, scenario=task.scenario)
    return join_measures(
        task.name, profile, candidate.measured, scenario=task.scenario, warnings=candidate.warnings
    )
