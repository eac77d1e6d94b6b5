"""What is to be restored and where each result goes, known before anything is done."""

from dataclasses import dataclass
from pathlib import Path

from raim.data import PHOTOGRAPH_SUFFIXES
from raim.errors import ImageError, InputError, RaimError
from raim.files import check_writable
from raim.images import PixelArray, inspect_image, read_image
from raim.images.writing import JPEG_SUFFIXES, SUFFIXES
from raim.scoring.submission import ArchiveMember, open_images

ARCHIVE_SUFFIX = ".zip"
ARCHIVE_START = b"PK"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One photograph that is to be restored.

    Attributes:
        name: Of its file.
        source: Its file, or its place in a zip; of a file that may not be read what says why.
        target: Where the result goes.
        n_pixels: Width times height as its header says; 0 where it has none that can be read.
    """

    name: str
    source: Path | ArchiveMember
    target: Path
    n_pixels: int

    def read_bytes(self) -> bytes:
        """Read the file.

        Raises:
            ImageError: It cannot be read.
            SubmissionError: The zip is damaged there, or the file may not be read.
        """
        try:
            return self.source.read_bytes()
        except OSError as error:
            raise ImageError(f"cannot be read: {error.strerror or error}") from error

    def read_pixels(self) -> PixelArray:
        """Read the photograph, upright."""
        return read_image(self.read_bytes(), purpose="restore").pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """All that is to be restored, and what of the input was ignored.

    `folder` is where the results of many go, with their record; None for one photograph, which has no record.
    """

    jobs: tuple[Job, ...]
    folder: Path | None = None
    notes: tuple[str, ...] = ()


def plan_jobs(
    source: Path, target: Path, *, suffix: str | None = None, suffixes: frozenset[str] = PHOTOGRAPH_SUFFIXES
) -> Plan:
    """List what is to be restored, and where it goes.

    Of folders and zips the photographs at the root count, as in `raim score`.

    Args:
        source: A photograph, a folder or a zip of photographs.
        target: For a photograph the file of the result, or a folder that is there; for others a folder.
        suffix: Of the results' names, such as ".png"; None for that of each input, and .png for those of formats
            that raim does not write.
        suffixes: Of the names of photographs in a folder or zip.

    Raises:
        InputError: There is nothing at `source`, or `target` cannot be what it must be.
        SubmissionError: The folder or zip is unsafe or has no image.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.png").write_bytes(b"no image yet")
        ...     [(job.name, job.target.name) for job in plan_jobs(Path(folder), Path("out"), suffix=".tif").jobs]
        [('a.png', 'a.tif')]
    """
    if not source.exists():
        raise InputError(
            f"there is nothing at {source}; expected a photograph, a folder or a zip of photographs"
        )
    if source.is_file() and not is_archive(source):
        return Plan(jobs=(_plan_file(source, target, suffix),))
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; {source} may hold several photographs, so name a folder")
    if target.exists() and source.is_dir() and target.samefile(source):
        raise InputError(
            f"{target} is the folder of the inputs; name another, so that nothing of theirs is replaced"
        )
    images = open_images(source, allow_links=True, defer_unreadable=True, suffixes=suffixes)
    jobs = tuple(_plan_member(member, target, suffix) for member in images.values())
    return Plan(jobs=jobs, folder=target, notes=tuple(note.message for note in images.notes))


def is_archive(path: Path) -> bool:
    """Return whether a file is a zip, by its suffix or its first bytes."""
    if path.suffix.lower() == ARCHIVE_SUFFIX:
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(ARCHIVE_START)) == ARCHIVE_START
    except OSError:
        return False  # said when it is read


def _plan_file(source: Path, target: Path, suffix: str | None) -> Job:
    if target.is_dir():
        target /= source.stem + (suffix or _choose_suffix(source))
    _refuse_itself(source, target)
    if not target.suffix:
        raise InputError(f"{target} has no suffix such as .png or .jpg, and is no folder; name one of either")
    if suffix is not None and target.suffix.lower() != suffix:
        raise InputError(f"{target} does not end in {suffix}; leave out --format, or name the file so")
    check_writable(target)
    return Job(name=source.name, source=source, target=target, n_pixels=_count_pixels(source))


def _plan_member(member: ArchiveMember, folder: Path, suffix: str | None) -> Job:
    is_file = member.entry is None and not member.problems
    source = member.container / member.stored_name if is_file else member
    target = folder / (Path(member.name).stem + (suffix or _choose_suffix(Path(member.name))))
    if isinstance(source, Path):
        _refuse_itself(source, target)
    return Job(name=member.name, source=source, target=target, n_pixels=_count_pixels(source))


def _choose_suffix(source: Path) -> str:
    """Keep the suffix of an input, unless raim writes no such format."""
    is_unwritten = source.suffix.lower() in PHOTOGRAPH_SUFFIXES - {*SUFFIXES, *JPEG_SUFFIXES}
    return ".png" if is_unwritten else source.suffix


def _refuse_itself(source: Path, target: Path) -> None:
    """Never replace an input, whatever path it is reached by."""
    if target.exists() and target.samefile(source):
        raise InputError(f"{target} is the input itself; name another place for the result")


def _count_pixels(source: Path | ArchiveMember) -> int:
    try:
        content = source.read_bytes() if isinstance(source, ArchiveMember) else source
        info = inspect_image(content, purpose="restore")
    except RaimError:
        return 0  # said when its turn comes
    return info.width * info.height
