"""Whether a submission is complete and safe: every problem at once, before it is uploaded or scored.

Images are matched to inputs by stem, never by order. Each image is unpacked and decoded, one at a time, so the
memory it takes is that of one image; nothing is written. The report is a record, text for people, JSON for programs.
"""

import codecs
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from raim import __version__
from raim.data import Manifest
from raim.errors import SubmissionError, shown
from raim.images import ReadImage, read_image
from raim.scoring.submission.findings import Finding, problem
from raim.scoring.submission.image_check import check_restored
from raim.scoring.submission.layout import Layout, lay_out
from raim.scoring.submission.listing import ImageFolder, list_submission, open_images
from raim.scoring.submission.matching import expect_images, match_images
from raim.scoring.submission.member import DEFAULT_LIMITS, ArchiveMember, Limits
from raim.scoring.submission.readme import EXAMPLES, README_FILE, Readme, parse_readme

SCHEMA = "raim-check/1"


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """Everything that was found in one submission.

    Attributes:
        submission: Its path as given.
        n_inputs: Images that were expected.
        n_images: Of these, how many are there at the root, with or without problems.
        problems: What has to be put right.
        notes: What was accepted and is worth knowing.
        readme: What the readme.txt states; None if it has problems.
        manifest_sha256: `Manifest.sha256` of the manifest; None without one.
    """

    submission: str
    n_inputs: int
    n_images: int
    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    readme: Readme | None = None
    manifest_sha256: str | None = None

    @property
    def is_fine(self) -> bool:
        """Whether the submission can be scored as it is."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": SCHEMA,
            "raim": __version__,
            "submission": self.submission,
            "ok": self.is_fine,
            "inputs": self.n_inputs,
            "images": self.n_images,
            "manifest_sha256": self.manifest_sha256,
            "readme": None if self.readme is None else asdict(self.readme),
            "problems": [asdict(each) for each in self.problems],
            "notes": [asdict(each) for each in self.notes],
        }

    def as_text(self) -> str:
        """Return the report for people: one line per problem and note, each with its code."""
        n_problems = len(self.problems)
        verdict = f"{n_problems} problem{'s' if n_problems > 1 else ''}"
        if self.is_fine:
            verdict = f"fine, {self.n_images} of {self.n_inputs} images and readme.txt are as expected"
        lines = [f"{self.submission}: {verdict}"]
        lines += [f"  {each.message} [{each.code}]" for each in self.problems]
        if self.notes:
            lines.append("notes:")
            lines += [f"  {each.message} [{each.code}]" for each in self.notes]
        return "\n".join(lines)


def check_submission(
    path: Path,
    inputs: Path | ImageFolder,
    *,
    manifest: Manifest | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: Callable[[int, int], None] | None = None,
    read: ReadImage = read_image,
) -> CheckReport:
    """Check a submission against the inputs it restores.

    Args:
        path: The submission: a zip or a folder; what is in it never raises.
        inputs: The folder (or zip) of inputs, or what `open_images` made of it.
        manifest: States the output size of images; without it, it is the input's.
        limits: What is refused unread.
        progress: Called with the number of images done and to do after each.
        read: Decodes the images of the submission.

    Raises:
        InputError: There is nothing at one of the paths.
        SubmissionError: The *inputs* are unsafe or ambiguous.
        ImageError: An input cannot be read.
        ManifestError: No row of the manifest names an input.
    """
    folder = inputs if isinstance(inputs, ImageFolder) else open_images(inputs, allow_links=True)
    expectation = expect_images(folder, manifest, limits)
    listing = list_submission(path, limits=limits)
    layout = lay_out(listing.members)
    problems, notes = [*listing.all_problems, *layout.problems], [*layout.notes, *expectation.notes]
    images, readme = dict[str, ArchiveMember](), None
    # Where no member could be listed, it would mislead to call every image missing.
    if listing.members or not listing.all_problems:
        matching = match_images(layout, expectation)
        images = matching.images
        problems += matching.problems
        for done, (stem, member) in enumerate(images.items(), start=1):
            if not member.problems:
                found = check_restored(member, expectation.images[stem], limits, read)
                problems += found.problems
                notes += found.notes
            if progress is not None:
                progress(done, len(images))
        readme, of_readme = _read_readme(matching.readmes, layout, limits)
        problems += of_readme
    return CheckReport(
        submission=str(path),
        n_inputs=len(expectation.images),
        n_images=len(images),
        problems=tuple(problems),
        notes=tuple(notes),
        readme=readme,
        manifest_sha256=None if manifest is None else manifest.sha256(),
    )


def _read_readme(
    readmes: Sequence[ArchiveMember], layout: Layout, limits: Limits
) -> tuple[Readme | None, tuple[Finding, ...]]:
    if not readmes:
        return None, (_missing_readme(layout),)
    member = readmes[0]
    if member.problems:
        return None, ()
    if member.n_bytes > limits.max_readme_bytes:
        text = f"{README_FILE} has {member.n_bytes} bytes, at most {limits.max_readme_bytes}; keep the four lines"
        return None, (problem("readme-malformed", text, README_FILE),)
    try:
        return parse_readme(_decode_text(member.read_bytes())), ()
    except SubmissionError as error:
        return None, error.problems


def _missing_readme(layout: Layout) -> Finding:
    similar = [
        shown("/".join(member.parts))
        for member in (*layout.root, *layout.nested)
        if member.parts and member.name.lower().startswith("readme")
    ]
    there = f" (there is {similar[0]})" if similar else ""
    lines = "; ".join(EXAMPLES.values())
    return problem(
        "readme-missing", f"there is no {README_FILE} at the root{there}; add it with the lines: {lines}"
    )


def _decode_text(content: bytes) -> str:
    """Decode a text file as editors save it: UTF-8, UTF-16 with its mark, else Latin-1."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
