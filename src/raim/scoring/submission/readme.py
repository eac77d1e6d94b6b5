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
from dataclasses import dataclass, field

from raim.errors import shown
from raim.scoring.submission.findings import Finding, problem, submission_error

FILE_NAME = "readme.txt"
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
    """Say whether a file is the readme, whatever its letter case.

    Example:
        >>> is_readme("README.TXT"), is_readme("readme.md")
        (True, False)
    """
    return file_name.lower() == FILE_NAME


def parse_readme(text: str) -> Readme:
    r"""Read the four lines.

    Raises:
        SubmissionError: Lines are missing, repeated, unknown or do not say what they must; all are listed.

    Example:
        >>> lines = "Runtime per image[s]: 10.43\nCPU[1]/GPU[0]: 0\nextra data[1]/no extra data[0]: 1\n"
        >>> parse_readme(lines + "other description: a U-Net").runtime_s
        10.43
    """
    lines = _sort_lines(text)
    problems = lines.problems
    for label, example in EXAMPLES.items():
        if label not in lines.stated and label not in lines.miswritten:
            problems.append(_malformed(f"the line `{label}` is missing; expected such as `{example}`"))
    runtime_s = _read_seconds(lines)
    is_on_cpu = _read_flag(lines, DEVICE)
    has_extra_data = _read_flag(lines, EXTRA_DATA)
    description = _read_description(lines)
    if runtime_s is None or is_on_cpu is None or has_extra_data is None or problems:
        raise submission_error(FILE_NAME, problems)
    return Readme(
        runtime_s=runtime_s, is_on_cpu=is_on_cpu, has_extra_data=has_extra_data, description=description
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


@dataclass(kw_only=True, slots=True)
class _Lines:
    """The lines by their label: number and value; labels that were meant but are wrong; problems so far."""

    stated: dict[str, tuple[int, str]] = field(default_factory=dict)
    miswritten: set[str] = field(default_factory=set)
    problems: list[Finding] = field(default_factory=list)


def _sort_lines(text: str) -> _Lines:
    lines = _Lines()
    known = {_squeeze(label): label for label in EXAMPLES}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        start, *rest = _COLON.split(line, maxsplit=1)
        label = known.get(_squeeze(start))
        if label is not None and rest:
            _add_stated(lines, label, number, rest[0].strip())
        else:
            _add_unknown(lines, known, number, line.strip())
    return lines


def _add_stated(lines: _Lines, label: str, number: int, value: str) -> None:
    if label in lines.stated:
        text = f"line {number} states `{label}` again after line {lines.stated[label][0]}; keep one"
        lines.problems.append(_malformed(text))
    else:
        lines.stated[label] = (number, value)


def _add_unknown(lines: _Lines, known: dict[str, str], number: int, line: str) -> None:
    squeezed = _squeeze(_COLON.split(line, maxsplit=1)[0])
    near = difflib.get_close_matches(squeezed, known, n=1, cutoff=NEAR)
    if near:
        label = known[near[0]]
        lines.miswritten.add(label)
        lines.problems.append(_wrong(number, line, f"`{EXAMPLES[label]}`, with that label word for word"))
    elif DESCRIPTION in lines.stated:
        first, value = lines.stated[DESCRIPTION]
        lines.stated[DESCRIPTION] = (first, f"{value}\n{line}".strip())
    else:
        lines.problems.append(_wrong(number, line, "one of the four lines that begin " + ", ".join(EXAMPLES)))


def _read_seconds(lines: _Lines) -> float | None:
    if RUNTIME not in lines.stated:
        return None
    number, value = lines.stated[RUNTIME]
    text = re.sub(r"\s*(s|sec|seconds?)\.?$", "", value, flags=re.IGNORECASE)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds) and seconds > 0:
        return seconds
    expected = f"seconds per image as a number above 0 with a decimal point, such as `{EXAMPLES[RUNTIME]}`"
    lines.problems.append(_wrong(number, f"{RUNTIME} : {value}", expected))
    return None


def _read_flag(lines: _Lines, label: str) -> bool | None:
    if label not in lines.stated:
        return None
    number, value = lines.stated[label]
    if value in ("0", "1"):
        return value == "1"
    expected = f"0 or 1 after the colon, such as `{EXAMPLES[label]}`"
    lines.problems.append(_wrong(number, f"{label} : {value}", expected))
    return None


def _read_description(lines: _Lines) -> str:
    number, value = lines.stated.get(DESCRIPTION, (0, ""))
    if DESCRIPTION in lines.stated and not value:
        expected = f"the method in a few words, such as `{EXAMPLES[DESCRIPTION]}`"
        lines.problems.append(_wrong(number, f"{DESCRIPTION} :", expected))
    return value


def _squeeze(label: str) -> str:
    return "".join(label.split()).lower()


def _wrong(number: int, line: str, expected: str) -> Finding:
    return _malformed(f"line {number} says `{shown(line)}`; expected {expected}")


def _malformed(text: str) -> Finding:
    return problem("readme-malformed", f"{FILE_NAME}: {text}", FILE_NAME)
