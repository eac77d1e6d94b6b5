"""Restoring one photograph after another, keeping what an earlier run has made.

The record of a folder of results, `.raim-restore.jsonl`, says which input and which work made each of them. It is a
journal (`raim.runs`) that stays. A result that it knows to be of the same work is kept by the next run, or made again
where its restorer is external; any other file is left alone unless it may be replaced.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raim import __version__
from raim.errors import ImageError, InputError, item_error
from raim.files import make_folder, place_file
from raim.images import Picture, encode_image, inspect_image, read_image
from raim.images.colour import convert_to_srgb, is_srgb
from raim.images.writing import JPEG_SUFFIXES
from raim.restore.batch.plan import Job, Plan
from raim.restore.descriptor import OnNote, Restorer
from raim.restore.restoration import make_context, restore
from raim.runs import Journal, has_hashes

RECORD = ".raim-restore.jsonl"
# Of JPEG; WebP is written without loss, which is quality 100.
QUALITY = dict.fromkeys(JPEG_SUFFIXES, 95)
LOSSLESS = 100

OnShare = Callable[[float], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How a batch is restored.

    Attributes:
        device: "cpu", or a device of torch.
        tile: Side of the tiles in pixels; None for the restorer's own.
        threads: Threads; None for all processors.
        overwrite: Whether files may be replaced that are not of this very work.
        resume: Whether results of external restorers are kept too, though their program may be another by now.
        is_submission: Whether pixels are converted to sRGB and profile and EXIF left out, as a submission must be; else
            profile and EXIF are kept.
    """

    device: str = "cpu"
    tile: int | None = None
    threads: int | None = None
    overwrite: bool = False
    resume: bool = False
    is_submission: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What the record says of one result.

    Attributes:
        name: Of the result's file.
        input: SHA-256 of the input's file.
        output: SHA-256 of the result's file.
        seconds: That the restoration took.
        work: What made it, see `describe_work`.
        notes: What the restorer measured and chose.
    """

    name: str
    input: str
    output: str
    seconds: float
    work: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one photograph: its result, which an earlier run may have made, or why there is none."""

    job: Job
    made: Made | None = None
    is_kept: bool = False
    error: str = ""


def describe_work(restorer: Restorer, **options: object) -> str:
    """Return in words what makes results, so that another restorer, option or version is seen to be other work.

    Device, threads and tiles are no part of it: their results agree within the rounding of 8 bits.

    Args:
        restorer: The restorer.
        **options: What its name does not say, such as sigma, or the hash of a model file; None is left out.

    Example:
        >>> from raim.restore import find_restorer
        >>> describe_work(find_restorer("ffdnet"), sigma=10)[:23]
        'ffdnet; sigma=10; raim '
    """
    from raim.weights import weights_sha256

    stated = [f"{key}={value}" for key, value in options.items() if value is not None]
    hashes = [f"{name} {weights_sha256(name)[:16]}" for name in restorer.weights]
    return "; ".join([restorer.name, *stated, f"raim {__version__}", *hashes])


def restore_batch(
    plan: Plan,
    restorer: Restorer,
    options: Options,
    *,
    work: str,
    on_share: OnShare | None = None,
    on_outcome: Callable[[Outcome], None] | None = None,
    on_note: OnNote | None = None,
) -> list[Outcome]:
    """Restore photographs one after another.

    A photograph that cannot be restored, whatever came up, does not stop the others: its error is in its outcome. A
    result is written once it is whole, the record before it, so that a stopped run finds each result either whole and
    known or not there.

    Args:
        plan: See `plan_jobs`.
        restorer: The restorer.
        options: See `Options`.
        work: What makes the results, see `describe_work`: a result of other work is not kept.
        on_share: Called with the share of all pixels that is done.
        on_outcome: Called with the outcome of each photograph when it is done.
        on_note: Called with what the restorer measures and chooses.

    Raises:
        InputError: An option is not as stated, or a file is in the way that is not of this work.
        RaimError: One that concerns all photographs (`RaimError.concerns_all`): a result cannot be written (a full
            disk), weights or a library are missing. What is done stays, and the same call goes on.
    """
    make_context(restorer, device=options.device, tile=options.tile, threads=options.threads)
    journal = None if plan.folder is None else Journal(plan.folder / RECORD, Made)
    record = {} if journal is None else journal.read()
    known = {
        job.target: made
        for job in plan.jobs
        if (made := record.get(job.target.name)) is not None
        and made.work == work
        and has_hashes({job.target: made.output})
    }
    if not options.overwrite:
        _refuse_others(plan, known)
    if plan.folder is not None:
        make_folder(plan.folder)
    batch = _Batch(restorer=restorer, options=options, work=work, journal=journal, on_note=on_note)
    total = sum(job.n_pixels for job in plan.jobs) or 1
    done = 0
    outcomes = []
    for job in plan.jobs:

        def tell(share: float, before: float = done / total, part: float = job.n_pixels / total) -> None:
            if on_share is not None:
                on_share(before + share * part)

        outcome = batch.restore_one(job, known.get(job.target), tell)
        outcomes.append(outcome)
        done += job.n_pixels
        tell(1.0)
        if on_outcome is not None:
            on_outcome(outcome)
    return outcomes


def _refuse_others(plan: Plan, known: Mapping[Path, Made]) -> None:
    """Refuse before anything is done what would have to be refused later."""
    others = [job.target for job in plan.jobs if job.target.exists() and job.target not in known]
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise InputError(
            f"{others[0]}{more} is there already, and not known to be of this input and these options; name "
            "another output, or add --overwrite"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Batch:
    """What all photographs have in common."""

    restorer: Restorer
    options: Options
    work: str
    journal: Journal[Made] | None
    on_note: OnNote | None

    def restore_one(self, job: Job, known: Made | None, on_share: OnShare) -> Outcome:
        try:
            return self._try_one(job, known, on_share)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this photograph's
            failure = item_error(error)
            if failure.concerns_all:
                raise failure from failure.__cause__
            return Outcome(job=job, error=str(failure))

    def _try_one(self, job: Job, known: Made | None, on_share: OnShare) -> Outcome:
        content = job.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if known is not None and known.input != digest and not self.options.overwrite:
            raise InputError(f"{job.target} was made from another {job.name}; add --overwrite to replace it")
        if (
            known is not None
            and known.input == digest
            and (self.options.resume or not self.restorer.is_external)
        ):
            return Outcome(job=job, made=known, is_kept=True)
        picture = _read(content, is_submission=self.options.is_submission)
        suffix = job.target.suffix
        # A format that cannot hold the result is reported before the work, by a small picture of the same kind.
        _encode(np.zeros((8, 8, *picture.pixels.shape[2:]), picture.pixels.dtype), picture, suffix)
        restored = restore(
            picture.pixels,
            self.restorer,
            device=self.options.device,
            tile=self.options.tile,
            threads=self.options.threads,
            progress=on_share,
            note=self.on_note,
        )
        encoded = _encode(restored.pixels, picture, suffix)
        made = Made(
            name=job.target.name,
            input=digest,
            output=hashlib.sha256(encoded).hexdigest(),
            seconds=round(restored.seconds, 3),
            work=self.work,
            notes=(*picture.warnings, *restored.notes),
        )
        if self.journal is not None:
            self.journal.append(made)
        place_file(job.target, encoded)
        return Outcome(job=job, made=made)


def _read(content: bytes, *, is_submission: bool) -> Picture:
    """Read a photograph upright; for a submission its colours as sRGB, without profile and EXIF."""
    picture = read_image(content, purpose="restore")
    if not is_submission:
        return picture
    pixels, profile = picture.pixels, picture.icc_profile
    if profile is None and inspect_image(content, purpose="restore").has_icc:
        raise ImageError("it states other colours than sRGB without a profile (cICP); convert it to sRGB")
    if profile is not None and not is_srgb(profile):
        pixels = convert_to_srgb(pixels, profile)
    return Picture(pixels=pixels, warnings=picture.warnings)


def _encode(pixels: np.ndarray, picture: Picture, suffix: str) -> bytes:
    return encode_image(
        pixels,
        suffix,
        icc_profile=picture.icc_profile,
        exif=picture.exif,
        quality=QUALITY.get(suffix.lower(), LOSSLESS),
    )
