"""The result of a check, as a record, as text for people and as JSON for programs."""

from dataclasses import asdict, dataclass
from typing import Any

from raim import __version__
from raim.scoring.submission.findings import Finding
from raim.scoring.submission.readme import Readme

SCHEMA = "raim-check/1"


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """Everything that was found in one submission.

    Attributes:
        submission: Its path as given.
        n_inputs: Images that were expected.
        n_images: Of these, how many are there at the root, with or without problems.
        problems: What has to be mended.
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
        """Give the JSON form."""
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
        """Give the report for people: one line per problem and note, each with its code."""
        lines = [f"{self.submission}: {self._verdict()}"]
        lines += [f"  {each.message} [{each.code}]" for each in self.problems]
        if self.notes:
            lines.append("notes:")
            lines += [f"  {each.message} [{each.code}]" for each in self.notes]
        return "\n".join(lines)

    def _verdict(self) -> str:
        if self.is_fine:
            return f"fine, {self.n_images} of {self.n_inputs} images and readme.txt are as expected"
        n_problems = len(self.problems)
        return f"{n_problems} problem{'s' if n_problems > 1 else ''}"
