"""Which restorer the options of `raim restore` name, and what its results depend on beside its name."""

import importlib.util
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from raim.errors import InputError
from raim.files import hash_file
from raim.restore import (
    Restorer,
    find_restorer,
    restorer_from_callable,
    restorer_from_command,
    restorer_from_file,
)
from raim.restore.batch import describe_work
from raim.restore.finish import finish
from raim.restore.registry import at_scale_one

DEFAULT_RESTORER = "auto"
HASH_DIGITS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class RestorerChoice:
    """The options that name a restorer; of the first four at most one.

    Attributes:
        restorer: Names of built-in ones, with commas between.
        model: A model file.
        function: A Python function, `module:function`.
        program: A command line with {input} and {output}.
        timeout_s: For the program.
        reduction: 1 to 4 or "measure"; None for the restorer's own scale.
        sigma: Noise level for those that take one.
        strength: Share of the result; the rest is the input.
        colour_fix: "adain" or "wavelet"; None for none.
    """

    restorer: str | None = None
    model: Path | None = None
    function: str | None = None
    program: str | None = None
    timeout_s: float = 600.0
    reduction: str | None = None
    sigma: float | None = None
    strength: float = 1.0
    colour_fix: str | None = None


def choose_restorer(choice: RestorerChoice) -> Restorer:
    """Find or load the restorer, with what is done to its results.

    Raises:
        InputError: Several are named, or what is named cannot be used.
        UnknownNameError: There is no such built-in one.
        MissingExtraError: It needs a library that is not installed.

    Example:
        >>> choose_restorer(RestorerChoice(restorer="bicubic-x4", reduction="2")).name
        'bicubic-x4, reduced by 2'
    """
    return finish(_choose_bare(choice), colour_fix=choice.colour_fix, strength=choice.strength)


def _choose_bare(choice: RestorerChoice) -> Restorer:
    own = [each for each in (choice.model, choice.function, choice.program) if each is not None]
    if len(own) + (choice.restorer is not None) > 1:
        raise InputError(
            "several restorers are named; take one of --restorer, --model, --python and --command"
        )
    reduction = _parse_reduction(choice.reduction)
    if not own:
        return find_restorer(choice.restorer or DEFAULT_RESTORER, sigma=choice.sigma, reduction=reduction)
    if choice.sigma is not None:
        raise InputError("--sigma is for the built-in restorers ffdnet and nlm; leave it out")
    restorer = _load_own(choice)
    return restorer if reduction is None else at_scale_one(restorer, reduction)


def describe_choice(choice: RestorerChoice, restorer: Restorer, *, is_submission: bool) -> str:
    """Return all that results depend on, for the record beside them."""
    return describe_work(
        restorer,
        sigma=choice.sigma,
        strength=None if choice.strength == 1 else choice.strength,
        colour_fix=choice.colour_fix,
        model=None if choice.model is None else hash_file(choice.model)[:HASH_DIGITS],
        function=None if choice.function is None else _hash_module(choice.function),
        submission=is_submission or None,
    )


def _parse_reduction(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdigit() else text


def _load_own(choice: RestorerChoice) -> Restorer:
    if choice.model is not None:
        return restorer_from_file(choice.model)
    if choice.function is not None:
        return restorer_from_callable(choice.function)
    program = choice.program or ""
    restorer = restorer_from_command(program, timeout_s=choice.timeout_s)
    word = shlex.split(program)[0]
    if shutil.which(word) is None:
        raise InputError(f"there is no program {word}; check its name, or give its whole path")
    return restorer


def _hash_module(function: str) -> str | None:
    """Hash the file of the function's module: another text may do other work."""
    found = importlib.util.find_spec(function.partition(":")[0])
    if found is None or found.origin is None or not Path(found.origin).is_file():
        return None
    return hash_file(Path(found.origin))[:HASH_DIGITS]
