"""Many photographs: a file, a folder or a zip goes in, a file or a folder comes out; a stopped run goes on.

Beside the results lies a record, `.raim-restore.json`: for each result the SHA-256 of its input and of its own
bytes, and what made it. A result that the record vouches for is kept; any other file is left alone unless it may be
overwritten.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from raim import __version__
from raim.errors import ImageError, InputError, MissingExtraError, RaimError, WeightsError
from raim.images import PixelArray, Purpose, inspect_image, read_image, write_image
from raim.restore.descriptor import Restorer
from raim.restore.restoring import Restored, restore
from raim.scoring.submission import Member, open_images

RECORD = ".raim-restore.json"
ARCHIVE = ".zip"

OnShare = Callable[[float], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One photograph that is to be restored.

    Attributes:
        name: Of its file.
        source: Its file, or its place in a folder or a zip.
        target: Where the result goes.
        n_pixels: Width times height as its header says; 0 where it has none that can be read.
    """

    name: str
    source: Path | Member
    target: Path
    n_pixels: int

    def read_bytes(self) -> bytes:
        """Read the file.

        Raises:
            ImageError: It cannot be read.
            SubmissionError: The zip is damaged there.
        """
        if isinstance(self.source, Member):
            return self.source.read_bytes()
        try:
            return self.source.read_bytes()
        except OSError as error:
            raise ImageError(f"{self.source} cannot be read: {error.strerror or error}") from error

    def read_pixels(self) -> PixelArray:
        """Read the photograph, upright."""
        return read_image(self.read_bytes(), purpose="restore").pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How a batch is restored.

    Attributes:
        device: "cpu", or a device of torch.
        tile: Side of the tiles in pixels; None for the restorer's own.
        threads: Threads; None for all processors.
        overwrite: Whether files may be replaced that are not of this very work.
        purpose: "restore" keeps colour profile and EXIF; "score" refuses other profiles than sRGB and writes neither,
            as a submission must be.
    """

    device: str = "cpu"
    tile: int | None = None
    threads: int | None = None
    overwrite: bool = False
    purpose: Purpose = "restore"


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What the record says of one result.

    Attributes:
        input: SHA-256 of the input's file.
        output: SHA-256 of the result's file.
        seconds: That the restoration took.
        work: What made it, see `describe_work`.
        notes: What the restorer measured and chose.
    """

    input: str
    output: str
    seconds: float
    work: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one photograph.

    Attributes:
        job: The photograph.
        made: The result; None where there is none.
        is_kept: Whether an earlier run had made it.
        error: Why there is none.
    """

    job: Job
    made: Made | None = None
    is_kept: bool = False
    error: str = ""


def plan_jobs(source: Path, target: Path, *, suffix: str | None = None) -> list[Job]:
    """List what is to be restored, and where it goes.

    Args:
        source: A photograph, a folder or a zip of photographs.
        target: For a photograph the file of the result, or a folder; for others a folder.
        suffix: Of the results' names, such as ".png"; None for that of each input.

    Raises:
        InputError: There is nothing at `source`, or `target` cannot be what it must be.
        SubmissionError: The folder or zip is unsafe or has no image.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.png").write_bytes(b"no image yet")
        ...     [(job.name, job.target.name) for job in plan_jobs(Path(folder), Path("out"), suffix=".tif")]
        [('a.png', 'a.tif')]
    """
    if not source.exists():
        raise InputError(
            f"there is nothing at {source}; expected a photograph, a folder or a zip of photographs"
        )
    if source.is_file() and source.suffix.lower() != ARCHIVE:
        return [_plan_file(source, target, suffix)]
    if target.is_file():
        raise InputError(f"{target} is a file; {source} holds several photographs, so name a folder")
    if target.exists() and source.is_dir() and target.samefile(source):
        raise InputError(
            f"{target} is the folder of the inputs; name another, so that nothing of theirs is replaced"
        )
    images = open_images(source, allow_links=True)
    return [
        Job(
            name=member.name,
            source=member,
            target=target / (Path(member.name).stem + (suffix or Path(member.name).suffix)),
            n_pixels=_count_pixels(member),
        )
        for member in images.values()
    ]


def _plan_file(source: Path, target: Path, suffix: str | None) -> Job:
    if target.is_dir():
        target /= source.stem + (suffix or source.suffix)
    if target.exists() and target.samefile(source):
        raise InputError(f"{target} is the input itself; name another file for the result")
    if not target.suffix:
        raise InputError(f"{target} has no suffix such as .png or .jpg, and is no folder; name one of either")
    if not target.absolute().parent.is_dir():
        raise InputError(f"{target} cannot be written: there is no folder {target.absolute().parent}")
    return Job(name=source.name, source=source, target=target, n_pixels=_count_pixels(source))


def _count_pixels(source: Path | Member) -> int:
    try:
        info = inspect_image(source.read_bytes() if isinstance(source, Member) else source)
    except RaimError:
        return 0  # said when its turn comes
    return info.width * info.height


def restore_batch(
    jobs: Sequence[Job],
    restorer: Restorer,
    options: Options,
    *,
    work: str,
    on_share: OnShare | None = None,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Restore photographs one after another.

    A photograph that cannot be restored does not stop the others: its error is in its outcome.

    Args:
        jobs: See `plan_jobs`.
        restorer: The restorer.
        options: See `Options`.
        work: What makes the results, see `describe_work`: a result of other work is not kept.
        on_share: Told the share of all pixels that is done.
        on_outcome: Told of each photograph when it is done.

    Raises:
        ImageError: A result cannot be written (a full disk); what is done stays, and the same call goes on.
        InputError: A file is in the way that is not of this work.
        WeightsError: The restorer's weights are not here.
    """
    if not options.overwrite:
        _refuse_strangers(jobs, work)
    total = sum(job.n_pixels for job in jobs) or 1
    done = 0
    outcomes = []
    for job in jobs:
        before, part = done / total, job.n_pixels / total

        def tell(share: float, before: float = before, part: float = part) -> None:
            if on_share is not None:
                on_share(before + share * part)

        outcome = _restore_one(job, restorer, options, work, tell)
        outcomes.append(outcome)
        done += job.n_pixels
        tell(1.0)
        if on_outcome is not None:
            on_outcome(outcome)
    return outcomes


def _refuse_strangers(jobs: Sequence[Job], work: str) -> None:
    """Refuse before anything is done what would have to be refused later."""
    strangers = [job.target for job in jobs if job.target.exists() and _find_made(job.target, work) is None]
    if strangers:
        more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
        raise InputError(
            f"{strangers[0]}{more} is there already, and not from this input and these options; name another output, "
            "or add --overwrite"
        )


def _restore_one(job: Job, restorer: Restorer, options: Options, work: str, on_share: OnShare) -> Outcome:
    try:
        content = job.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        made = _find_made(job.target, work)
        if made is not None and made.input == digest:
            return Outcome(job=job, made=made, is_kept=True)
        if made is not None and not options.overwrite:
            raise InputError(f"{job.target} was made from another {job.name}; add --overwrite to replace it")
        picture = read_image(content, purpose=options.purpose)
        start = time.perf_counter()
        restored = restore(
            picture.pixels,
            restorer,
            device=options.device,
            tile=options.tile,
            threads=options.threads,
            progress=on_share,
        )
        seconds = time.perf_counter() - start
    except (WeightsError, MissingExtraError):
        raise  # no photograph will fare better
    except RaimError as error:
        return Outcome(job=job, error=str(error))
    job.target.parent.mkdir(parents=True, exist_ok=True)
    keeps = options.purpose == "restore"
    write_image(
        job.target,
        restored.pixels,
        icc_profile=picture.icc_profile if keeps else None,
        exif=picture.exif if keeps else None,
    )
    return Outcome(job=job, made=_note_made(job.target, digest, seconds, work, restored))


def describe_work(restorer: Restorer, **options: object) -> str:
    """Say what makes results, so that another restorer, option or version is seen to be other work.

    Example:
        >>> from raim.restore import find_restorer
        >>> describe_work(find_restorer("ffdnet"), sigma=10)[:23]
        'ffdnet; sigma=10; raim '
    """
    from raim.weights import weights_sha256

    stated = [f"{key}={value}" for key, value in options.items() if value is not None]
    hashes = [f"{name} {weights_sha256(name)[:16]}" for name in restorer.weights]
    return "; ".join([restorer.name, *stated, f"raim {__version__}", *hashes])


def read_record(folder: Path) -> dict[str, Made]:
    """Read what is known of the results in a folder; nothing where there is no record, or none that can be read."""
    try:
        stated = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {name: Made(**{**made, "notes": tuple(made["notes"])}) for name, made in stated.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _find_made(target: Path, work: str) -> Made | None:
    """Give what the record says of a result, if the file is still the one that was written, by the same work."""
    made = read_record(target.parent).get(target.name)
    if made is None or made.work != work or not target.is_file():
        return None
    return made if hashlib.sha256(target.read_bytes()).hexdigest() == made.output else None


def _note_made(target: Path, digest: str, seconds: float, work: str, restored: Restored) -> Made:
    made = Made(
        input=digest,
        output=hashlib.sha256(target.read_bytes()).hexdigest(),
        seconds=round(seconds, 3),
        work=work,
        notes=restored.notes,
    )
    write_record(target.parent, {**read_record(target.parent), target.name: made})
    return made


def write_record(folder: Path, record: Mapping[str, Made]) -> None:
    """Write the record of a folder, in one step.

    Raises:
        ImageError: It cannot be written.
    """
    part = folder / f"{RECORD}.part"
    text = json.dumps({name: asdict(made) for name, made in sorted(record.items())}, indent=1)
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(folder / RECORD)
    except OSError as error:
        raise ImageError(f"{folder / RECORD} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
