"""One photograph in a worker process: its files are read, what is known is looked up, the rest is measured.

Only what no earlier run has measured is decoded and computed. Candidates go through the measures together with their
reference, a few at a time, so that memory does not grow with their number. What fails is that of its candidate.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from raim.errors import ImageError, OutOfMemoryError, RaimError, SubmissionError, UnscorableError
from raim.images import ReadImage, inspect_image, read_image
from raim.metrics import MEASURES
from raim.metrics.arrays import PixelValues, check_channels, common_type, convert_image
from raim.scoring.cache import KnownValue, ValueCache, measure_definition, read_measured, value_key
from raim.scoring.pairs import Measured, check_size, cut_border, fail, join_measures, measure_candidates
from raim.scoring.profiles import MeasureChoice, Profile
from raim.scoring.records import ImageScore
from raim.scoring.submission import ArchiveMember

# Candidates that are in memory and go through the backbones together: four of 4000x3000, more of smaller ones. The
# features of an image take memory by its width alone (measured: benchmarks/scoring_memory.py).
MOST_TOGETHER = 8
FEATURES_BYTES = 1_650_000_000  # of candidates and reference
IMAGE_BYTES, COLUMN_BYTES = 110_000_000, 45_000  # of one image, and for each pixel of its width
PIXELS_BYTES = 300_000_000  # of candidates as decoded


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One photograph to score."""

    name: str  # stem of its files
    reference: ArchiveMember  # the reference's file
    # the restored file of each entry; None where an entry has none of that name
    candidates: tuple[ArchiveMember | None, ...]
    scenario: str | None = None  # from the manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What all photographs of a run share."""

    profile: Profile
    device: str = "cpu"
    engine: str = "auto"  # what computes convolutions
    cache: Path | None = None  # file of known values; None: none is used or kept
    threads: int | None = None  # of torch, where it computes; None leaves them as they are
    # reads the candidates' images; None for `read_image`. The reference is always read here.
    read: ReadImage | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """What came of a photograph."""

    images: tuple[ImageScore, ...]  # the records, one for each candidate
    new_values: dict[str, dict[str, Any]]  # the values that were not known before, by their keys
    # what failed though the files are whole: want of memory, faults of a library
    faults: tuple[RaimError, ...] = ()


@dataclass(kw_only=True, slots=True)
class _Candidate:
    """One restored file on its way to its record."""

    name: str
    member: ArchiveMember | None = None
    sha256: str = ""
    refused: str | None = None
    fault: RaimError | None = None
    warnings: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()
    measured: dict[str, Measured] = field(default_factory=dict)

    def refuse(self, error: Exception) -> None:
        """Note that the file failed, or why it has no values."""
        if isinstance(error, UnscorableError):
            self.refused = str(error)
        else:
            failed = fail(error)
            place = f"{self.name}: " if isinstance(error, ImageError) else ""
            self.refused, self.fault = f"{place}{failed.unscored}", failed.fault

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Make whatever fails within the failure of this file."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this file's
            self.refuse(error)


@dataclass(kw_only=True, slots=True)
class _Reference(_Candidate):
    """The reference: decoded once, and brought to each type of pixel once."""

    content: bytes = b""  # of its file, until it is decoded
    is_small: bool = False  # whether it is too small for anybody to have a score
    size: tuple[int, int] = (0, 0)  # width and height
    pixels: PixelValues = field(default_factory=lambda: np.zeros(0))  # inside the border, as decoded
    # the same in three channels, by type of pixel
    converted: dict[str, PixelValues] = field(default_factory=dict)

    def decode(self, border_px: int) -> None:
        """Decode it; what is wrong with it is noted."""
        with self.attempt():
            pixels = read_image(self.content, purpose="score").pixels
            self.content = b""
            self.pixels = cut_border(pixels, border_px)

    def convert(self, dtype: np.dtype[Any]) -> PixelValues:
        """Give it in a type of pixel."""
        kind = str(dtype)
        if kind not in self.converted:
            self.converted[kind] = convert_image(self.pixels, dtype)
        return self.converted[kind]


_Group = list[tuple[_Candidate, PixelValues]]


def score_photograph(task: Task, setting: Setting) -> Scored:
    """Score every candidate of one photograph; what is wrong with a file becomes its record's `unscored`."""
    candidates = [_find(member, task.name) for member in task.candidates]
    reference = _read_reference(task.reference, setting.profile)
    with ValueCache(setting.cache, is_read_only=True) as cache:
        _recall(cache, candidates, reference, setting)
    n_measures = len(setting.profile.measures)
    missing = [each for each in candidates if each.refused is None and len(each.measured) < n_measures]
    if missing and reference.refused is None:
        _limit_threads(setting)
        reference.decode(setting.profile.border_px)
        if reference.refused is None:
            _measure_missing(missing, reference, setting)
    return Scored(
        images=tuple(_record(candidate, reference, task, setting.profile) for candidate in candidates),
        new_values=_to_remember(missing, reference, setting),
        faults=tuple(_find_faults([reference, *candidates])),
    )


def fail_photograph(task: Task, setting: Setting, error: RaimError) -> Scored:
    """Return the records of a photograph that could not be worked on at all."""
    values = dict.fromkeys(setting.profile.columns)
    refused = ImageScore(
        name=task.name, scenario=task.scenario, values=values, unscored=str(error), failed=True
    )
    return Scored(images=tuple(refused for _ in task.candidates), new_values={}, faults=(error,))


def _find(member: ArchiveMember | None, name: str) -> _Candidate:
    if member is None:
        return _Candidate(name=name, refused=f"missing: there is no file named {name}")
    candidate = _Candidate(name=member.name, member=member)
    with candidate.attempt():
        candidate.sha256 = member.sha256()
    return candidate


def _read_reference(member: ArchiveMember, profile: Profile) -> _Reference:
    reference = _Reference(name=member.name)
    with reference.attempt():
        reference.content = member.read_bytes()
        reference.sha256 = hashlib.sha256(reference.content).hexdigest()
        info = inspect_image(reference.content)
        reference.size = (info.width, info.height)
        reference.is_small = profile.why_too_small(*reference.size) is not None
    return reference


def _key(choice: MeasureChoice, candidate: _Candidate, reference: _Reference, setting: Setting) -> str:
    """Make the key of a value. It holds the reference unless the measure has none and others see that the pair fits."""
    used = {each.name: MEASURES[each.name].needs_reference for each in setting.profile.measures}
    return value_key(
        measure=choice.name,
        restored_sha256=candidate.sha256,
        reference_sha256=reference.sha256 if used[choice.name] or not any(used.values()) else None,
        definition=measure_definition(choice, setting.profile.border_px, setting.device, setting.engine),
    )


def _recall(
    cache: ValueCache, candidates: Sequence[_Candidate], reference: _Reference, setting: Setting
) -> None:
    """Look up what earlier runs have measured; a candidate's warnings are kept beside each value."""
    for candidate in candidates:
        if candidate.refused is not None:
            continue
        for choice in setting.profile.measures:
            record = cache.get(_key(choice, candidate, reference, setting))
            if (known := read_measured(record, choice.name)) is not None:
                candidate.warnings = known.warnings
                candidate.measured[choice.key] = known.measured
        candidate.known = frozenset(candidate.measured)


def _to_remember(
    missing: Sequence[_Candidate], reference: _Reference, setting: Setting
) -> dict[str, dict[str, Any]]:
    return {
        _key(choice, candidate, reference, setting): KnownValue(
            measured=measured, warnings=candidate.warnings
        ).as_record()
        for candidate in missing
        if candidate.refused is None
        for choice in setting.profile.measures
        if choice.key not in candidate.known
        and (measured := candidate.measured.get(choice.key)) is not None
        and measured.fault is None
    }


def _limit_threads(setting: Setting) -> None:
    """Keep torch from using all cores in each of several processes, where it computes the convolutions."""
    if setting.threads is None:
        return
    from raim.networks.features import choose_engine

    has_engine = any(MEASURES[each.name].each_form for each in setting.profile.measures)
    if has_engine and choose_engine(setting.engine, device=setting.device) == "torch":
        import torch

        torch.set_num_threads(setting.threads)


def _measure_missing(missing: Sequence[_Candidate], reference: _Reference, setting: Setting) -> None:
    """Decode and measure candidates, as many at a time as memory is meant for."""
    group: _Group = []
    most = FEATURES_BYTES // (IMAGE_BYTES + COLUMN_BYTES * reference.size[0]) - 1
    for candidate in missing:
        pixels = _prepare(candidate, reference, setting)
        if isinstance(candidate.fault, OutOfMemoryError) and group:
            _measure_group(group, reference, setting)
            group.clear()
            candidate.refused = candidate.fault = None
            pixels = _prepare(candidate, reference, setting)
        if pixels is None:
            continue
        group.append((candidate, pixels))
        n_bytes = sum(each.nbytes for _, each in group)
        if len(group) >= min(most, MOST_TOGETHER) or n_bytes + pixels.nbytes > PIXELS_BYTES:
            _measure_group(group, reference, setting)
            group.clear()
    _measure_group(group, reference, setting)


def _prepare(candidate: _Candidate, reference: _Reference, setting: Setting) -> PixelValues | None:
    """Decode a candidate and bring it to one form with the reference; None where it cannot be measured."""
    with candidate.attempt():
        pixels = _decode(candidate, setting.read or read_image)
        check_size(candidate.name, pixels, reference.size)
        check_channels(pixels, reference.pixels)
        pixels_inside = cut_border(pixels, setting.profile.border_px)
        return convert_image(pixels_inside, common_type(pixels, reference.pixels))
    return None


def _decode(candidate: _Candidate, read: ReadImage) -> PixelValues:
    content = candidate.member.read_bytes() if candidate.member is not None else b""
    if hashlib.sha256(content).hexdigest() != candidate.sha256:
        raise SubmissionError(f"{candidate.name} changed while it was scored; score it again")
    picture = read(content, purpose="score")
    candidate.warnings = picture.warnings
    return picture.pixels


def _measure_group(group: _Group, reference: _Reference, setting: Setting) -> None:
    """Measure candidates, those of one type of pixel together."""
    border_px = setting.profile.border_px
    for dtype in dict.fromkeys(pixels.dtype for _, pixels in group):
        same = [(candidate, pixels) for candidate, pixels in group if pixels.dtype == dtype]
        try:
            expected = reference.convert(dtype)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is that of the candidates of this type
            for candidate, _ in same:
                candidate.refuse(error)
            continue
        for choice in setting.profile.measures:
            waiting = [each for each in same if choice.key not in each[0].measured]
            if not waiting:
                continue
            images = [pixels for _, pixels in waiting]
            measured = measure_candidates(
                choice.name,
                choice.options,
                images,
                expected,
                border_px=border_px,
                device=setting.device,
                engine=setting.engine,
            )
            for (candidate, _), value in zip(waiting, measured, strict=True):
                candidate.measured[choice.key] = value


def _record(candidate: _Candidate, reference: _Reference, task: Task, profile: Profile) -> ImageScore:
    refused, failed = candidate.refused, candidate.fault is not None
    if refused is None and reference.refused is not None:
        refused, failed = f"its reference cannot be used: {reference.refused}", reference.fault is not None
    if refused is None:
        return join_measures(
            task.name,
            profile,
            candidate.measured,
            scenario=task.scenario,
            warnings=candidate.warnings,
            is_expected=not reference.is_small,
        )
    return ImageScore(
        name=task.name,
        scenario=task.scenario,
        values=dict.fromkeys(profile.columns),
        unscored=refused,
        failed=failed,
        is_expected=not reference.is_small,
    )


def _find_faults(files: Sequence[_Candidate]) -> list[RaimError]:
    """List what failed though the files are whole."""
    found = [file.fault for file in files]
    found += [measured.fault for file in files for measured in file.measured.values()]
    return [each for each in found if each is not None and not isinstance(each, ImageError | SubmissionError)]
