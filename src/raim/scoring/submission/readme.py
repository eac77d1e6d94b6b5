"""The four lines of readme.txt.

    runtime per image [s] : 10.43
    CPU[1] / GPU[0] : 0
    Extra Data [1] / No Extra Data [0] : 1
    Other description : Python code, one GPU, trained on DIV2K

Labels are compared without spaces and letter case, lines may come in any order and empty lines do not count;
what a line means is strict: `GPU[1] / CPU[0]` or `[ms]` is another statement, not another spelling.

Source: the readme.txt that the restoration challenges of the NTIRE workshops ask for beside the images.
"""

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from raim.errors import shown
from raim.scoring.submission.findings import Finding, problem, submission_error

README_FILE = "readme.txt"
RUNTIME = "runtime per image [s]"
DEVICE = "CPU[1] / GPU[0]"
EXTRA_DATA = "Extra Data [1] / No Extra Data [0]"
DESCRIPTION = "Other description"
EXAMPLES = {
    RUNTIME: f"{RUNTIME} : 10.43",
    DEVICE: f"{DEVICE} : 0",
    EXTRA_DATA: f"{EXTRA_DATA} : 1",
    DESCRIPTION: f"{DESCRIPTION} : the method in a few words",
}
NEAR = 0.75  # similarity (difflib ratio) from which another label is taken for a wrong form of a known one
# The colon of Chinese and Japanese keyboards counts as one.
_COLON = re.compile("[:\uff1a]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Readme:
    """What a team states about its submission.

    Attributes:
        runtime_s: Seconds per image.
        is_on_cpu: True for the CPU, False for a GPU.
        has_extra_data: Whether data besides the challenge's were used.
        description: The rest, in the team's words.
    """

    runtime_s: float
    is_on_cpu: bool
    has_extra_data: bool
    description: str


def is_readme(file_name: str) -> bool:
    """Return whether a file is the readme, whatever its letter case."""
    return file_name.lower() == README_FILE


def parse_readme(text: str) -> Readme:
    r"""Read the four lines.

    Raises:
        SubmissionError: Lines are missing, repeated, unknown or do not say what they must; all are listed.

    Example:
        >>> lines = "Runtime per image[s]: 10.43\nCPU[1]/GPU[0]: 0\nextra data[1]/no extra data[0]: 1\n"
        >>> parse_readme(lines + "other description: a U-Net").runtime_s
        10.43
    """
    stated, miswritten, problems = _sort_lines(text)
    for label, example in EXAMPLES.items():
        if label not in stated and label not in miswritten:
            problems.append(_malformed(f"the line `{label}` is missing; expected such as `{example}`"))
    values: dict[str, Any] = {}
    for label, (number, value) in stated.items():
        read, expected = VALUES[label]
        values[label] = read(value)
        if values[label] is None:
            expected += f", such as `{EXAMPLES[label]}`"
            problems.append(_wrong(number, f"{label} : {value}", expected))
    if problems:
        raise submission_error(README_FILE, problems)
    return Readme(
        runtime_s=values[RUNTIME],
        is_on_cpu=values[DEVICE],
        has_extra_data=values[EXTRA_DATA],
        description=values[DESCRIPTION],
    )


def format_readme(readme: Readme) -> str:
    """Write the four lines.

    Example:
        >>> print(format_readme(Readme(runtime_s=1.5, is_on_cpu=True, has_extra_data=False, description="none")))
        runtime per image [s] : 1.5
        CPU[1] / GPU[0] : 1
        Extra Data [1] / No Extra Data [0] : 0
        Other description : none
        <BLANKLINE>
    """
    return (
        f"{RUNTIME} : {readme.runtime_s}\n{DEVICE} : {int(readme.is_on_cpu)}\n"
        f"{EXTRA_DATA} : {int(readme.has_extra_data)}\n{DESCRIPTION} : {readme.description}\n"
    )


def _sort_lines(text: str) -> tuple[dict[str, tuple[int, str]], set[str], list[Finding]]:
    """Return number and value of the lines by label, labels that were meant but are wrong, and problems so far."""
    stated: dict[str, tuple[int, str]] = {}
    miswritten: set[str] = set()
    problems: list[Finding] = []
    known = {_squeeze(label): label for label in EXAMPLES}
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        start, *rest = _COLON.split(line, maxsplit=1)
        label = known.get(_squeeze(start))
        if label in stated and rest:
            again = f"line {number} states `{label}` again after line {stated[label][0]}; keep one"
            problems.append(_malformed(again))
        elif label and rest:
            stated[label] = (number, rest[0].strip())
        elif near := difflib.get_close_matches(_squeeze(start), known, n=1, cutoff=NEAR):
            miswritten.add(known[near[0]])
            expected = f"`{EXAMPLES[known[near[0]]]}`, with that label word for word"
            problems.append(_wrong(number, line, expected))
        elif DESCRIPTION in stated:
            first, value = stated[DESCRIPTION]
            stated[DESCRIPTION] = (first, f"{value}\n{line}".strip())
        elif line:
            problems.append(_wrong(number, line, "one of the four lines that begin " + ", ".join(EXAMPLES)))
    return stated, miswritten, problems


def _read_seconds(value: str) -> float | None:
    try:
        seconds = float(re.sub(r"\s*(s|sec|seconds?)\.?$", "", value, flags=re.IGNORECASE))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None


# How a value is read (None where it says something else), and what it must be.
VALUES: dict[str, tuple[Callable[[str], Any], str]] = {
    RUNTIME: (_read_seconds, "seconds per image as a number above 0 with a decimal point"),
    DEVICE: ({"0": False, "1": True}.get, "0 or 1 after the colon"),
    EXTRA_DATA: ({"0": False, "1": True}.get, "0 or 1 after the colon"),
    DESCRIPTION: (lambda value: value or None, "the method in a few words"),
}


def _squeeze(label: str) -> str:
    return "".join(label.split()).lower()


def _wrong(number: int, line: str, expected: str) -> Finding:
    return _malformed(f"line {number} says `{shown(line)}`; expected {expected}")


def _malformed(text: str) -> Finding:
    return problem("readme-malformed", f"{README_FILE}: {text}", README_FILE)
