"""From the inputs of a challenge to a submission: restore them, pack them with a readme.txt, check the zip.

While it is made, the restored images lie in a folder beside the zip, so that a stopped run goes on. The zip gets its
name once `raim check` finds nothing wrong with it.
"""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from raim.data import IMAGE_SUFFIXES, Manifest
from raim.errors import InputError, SubmissionError
from raim.files import cannot_write, check_writable, write_whole
from raim.restore.batch import RECORD, Outcome, Plan, plan_jobs
from raim.restore.batch.plan import ARCHIVE_SUFFIX, is_archive
from raim.scoring.submission import Readme, check_submission, format_readme

SUFFIX = ".png"
README = "readme.txt"
# Archives of the same files are the same bytes: no clock enters. The earliest time that the format can say.
MOMENT = (1980, 1, 1, 0, 0, 0)
SHORTEST_S = 0.001  # a readme.txt states seconds above 0, here with three decimals


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmissionPlan:
    """A submission that is to be made: its inputs, its zip, and the folder beside it for what is restored meanwhile."""

    source: Path
    target: Path
    parts: Path
    plan: Plan


def plan_submission(source: Path, target: Path, *, overwrite: bool = False) -> SubmissionPlan:
    """List the images of a submission of a folder or zip of inputs; its zip may be there only with `overwrite`.

    Raises:
        InputError: Source or target cannot be what they must be.
        SubmissionError: The folder or zip is unsafe or has no image.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.jpg").write_bytes(b"no image yet")
        ...     plan_submission(Path(folder), Path(folder, "s.zip")).parts.name
        's.zip.parts'
    """
    if source.is_file() and not is_archive(source):
        raise InputError(f"{source} is one file; a submission is made of a folder or a zip of inputs")
    if target.suffix.lower() != ARCHIVE_SUFFIX:
        raise InputError(
            f"{target} does not end in {ARCHIVE_SUFFIX}; a submission is one, such as submission.zip"
        )
    if target.exists() and (target.is_dir() or (source.exists() and target.samefile(source))):
        raise InputError(f"{target} cannot be replaced by the submission; name another zip")
    if target.exists() and not overwrite:
        raise InputError(f"{target} is there already; name another, or add --overwrite")
    check_writable(target)
    parts = target.with_name(f"{target.name}.parts")
    plan = plan_jobs(source, parts, suffix=SUFFIX, suffixes=IMAGE_SUFFIXES)
    return SubmissionPlan(source=source, target=target, parts=parts, plan=plan)


def pack_submission(
    planned: SubmissionPlan,
    outcomes: Sequence[Outcome],
    *,
    is_on_cpu: bool,
    has_extra_data: bool,
    description: str,
    manifest: Manifest | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Readme:
    """Pack restored images with their readme.txt, check the zip as `raim check` does, and give it its name.

    Args:
        planned: See `plan_submission`.
        outcomes: Of all its images, each restored; the mean of their seconds is the runtime in readme.txt.
        is_on_cpu: For the readme.txt, as the next two: whether the restorer ran on the CPU.
        has_extra_data: Whether data besides the challenge's were used.
        description: In a few words.
        manifest: States the size of restored images; without it, it is that of the inputs.
        progress: Of the check, called with the number of images done and in all.

    Returns:
        What the readme.txt says.

    Raises:
        SubmissionError: The check finds something wrong; no zip is left.
        InputError: The zip cannot be written.
    """
    seconds = [outcome.made.seconds for outcome in outcomes if outcome.made is not None]
    if len(seconds) != len(planned.plan.jobs):
        raise InputError(
            f"{len(seconds)} of {len(planned.plan.jobs)} images are restored; a submission needs all"
        )
    readme = Readme(
        runtime_s=max(SHORTEST_S, round(sum(seconds) / len(seconds), 3)),
        is_on_cpu=is_on_cpu,
        has_extra_data=has_extra_data,
        description=description,
    )
    unchecked = planned.parts / planned.target.name
    try:
        _write_zip(unchecked, [job.target for job in planned.plan.jobs], readme)
        report = check_submission(unchecked, planned.source, manifest=manifest, progress=progress)
        if not report.is_fine:
            raise SubmissionError(report.as_text(), problems=report.problems)
        unchecked.replace(planned.target)
    except OSError as error:
        raise cannot_write(planned.target, error) from error
    finally:
        unchecked.unlink(missing_ok=True)
    return readme


def _write_zip(path: Path, images: Sequence[Path], readme: Readme) -> None:
    """Write images at the root of a zip, stored as they are since PNG is packed already, and their readme.txt."""
    with write_whole(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for image in sorted(images):
            archive.writestr(zipfile.ZipInfo(image.name, MOMENT), image.read_bytes())
        archive.writestr(zipfile.ZipInfo(README, MOMENT), format_readme(readme))


def remove_parts(planned: SubmissionPlan) -> None:
    """Remove the restored images beside a finished zip, and their folder if nothing else is in it."""
    for path in [*(job.target for job in planned.plan.jobs), planned.parts / RECORD]:
        path.unlink(missing_ok=True)
    if not any(planned.parts.iterdir()):
        planned.parts.rmdir()
