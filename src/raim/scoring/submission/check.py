"""Whether a submission is complete and safe: every problem at once, before it is uploaded or scored.

Images are matched to inputs by stem, never by order. Each image is unpacked and decoded, one at a time, so the
memory it takes is that of one image; nothing is written.
"""

import codecs
from collections.abc import Callable
from pathlib import Path

from raim.data import Manifest
from raim.errors import SubmissionError, shown
from raim.images import ReadImage, read_image
from raim.scoring.submission.check_report import CheckReport
from raim.scoring.submission.expectation import Expectation, expect_images
from raim.scoring.submission.findings import Finding, problem
from raim.scoring.submission.image_check import check_restored
from raim.scoring.submission.image_folder import ImageFolder, open_images
from raim.scoring.submission.layout import Layout, lay_out
from raim.scoring.submission.limits import DEFAULT_LIMITS, Limits
from raim.scoring.submission.listing import list_submission
from raim.scoring.submission.matching import Matching, match_images
from raim.scoring.submission.member import Listing
from raim.scoring.submission.readme import EXAMPLES, FILE_NAME, Readme, parse_readme


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
    matching = (
        match_images(layout, expectation)
        if _is_open(listing)
        else Matching(images={}, readmes=(), problems=())
    )
    found, notes = _check_images(
        matching, expectation, limits, progress or (lambda _done, _total: None), read
    )
    readme, readme_problems = _read_readme(matching, layout, limits) if _is_open(listing) else (None, ())
    return CheckReport(
        submission=str(path),
        n_inputs=len(expectation.images),
        n_images=len(matching.images),
        problems=(*listing.all_problems, *layout.problems, *matching.problems, *found, *readme_problems),
        notes=(*layout.notes, *expectation.notes, *notes),
        readme=readme,
        manifest_sha256=None if manifest is None else manifest.sha256(),
    )


def _is_open(listing: Listing) -> bool:
    """Say whether members could be listed; if not, it would mislead to call every image missing."""
    return bool(listing.members) or not listing.all_problems


def _check_images(
    matching: Matching,
    expectation: Expectation,
    limits: Limits,
    progress: Callable[[int, int], None],
    read: ReadImage,
) -> tuple[list[Finding], list[Finding]]:
    problems: list[Finding] = []
    notes: list[Finding] = []
    for done, (stem, member) in enumerate(matching.images.items(), start=1):
        if not member.problems:
            found = check_restored(member, expectation.images[stem], limits, read)
            problems += found.problems
            notes += found.notes
        progress(done, len(matching.images))
    return problems, notes


def _read_readme(
    matching: Matching, layout: Layout, limits: Limits
) -> tuple[Readme | None, tuple[Finding, ...]]:
    if not matching.readmes:
        return None, (_missing_readme(layout),)
    member = matching.readmes[0]
    if member.problems:
        return None, ()
    if member.n_bytes > limits.max_readme_bytes:
        text = (
            f"{FILE_NAME} has {member.n_bytes} bytes, at most {limits.max_readme_bytes}; keep the four lines"
        )
        return None, (problem("readme-malformed", text, FILE_NAME),)
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
        "readme-missing", f"there is no {FILE_NAME} at the root{there}; add it with the lines: {lines}"
    )


def _decode_text(content: bytes) -> str:
    """Decode a text file as editors save it: UTF-8, UTF-16 with its mark, else Latin-1."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
