"""Every error that raim raises on purpose, and what to do about each.

    RaimError                       expected: printed without a traceback, the command exits 2
    ├── InputError (ValueError)     an argument is outside what the docstring states: change it
    │   ├── TooLargeError           a file is larger than is taken: make it smaller
    │   └── OutputError             a file cannot be written: free some space, or name another place
    ├── ImageError (ValueError)     an image cannot be used as it is: the message names the fix
    │   ├── ImageTooLargeError      its declared size is over the limit: raise the limit if it is trusted
    │   └── ImageTruncatedError     the file ends early: copy or export it again
    ├── UnscorableError (ValueError)  a measure has no value for this image: the reason is the result
    ├── UnknownNameError (LookupError)  no such measure, profile, restorer, ...: the nearest is named
    ├── WeightsError (RuntimeError)   pretrained weights are missing or wrong
    │   ├── WeightsMissingError     not in the cache: run `raim weights fetch`
    │   ├── WeightsFormatError      a file is not in the expected form, nothing of it was run: fetch it again
    │   └── WeightsTamperedError    their SHA-256 is not the pinned one: delete the named file, fetch again
    ├── ManifestError (ValueError)  a manifest is malformed: the message names file and line
    ├── SubmissionError (ValueError)  a submission has problems: all of them are listed
    ├── ChallengeError (ValueError)  a challenge's file or data have problems: all of them are listed
    ├── RecipeError (ValueError)    a recipe of training has problems: all of them are listed
    ├── TrainingError (RuntimeError)  training cannot go on (a loss that is no number): the message names the checkpoint
    ├── VotesError (ValueError)     a file of votes or a study's plan has problems: all of them are listed
    ├── SettingsError (ValueError)  a RAIM_ variable has no usable value: the message names it
    ├── StateError (RuntimeError)   not possible in the present state (no try left, a used link): see the reason
    │   ├── TooManyRequestsError    asked too often: wait until the time it carries
    │   └── NotReadyError           it is being made: ask again after the seconds it carries
    ├── AccessError (PermissionError)  whoever asks may not: log in, or ask the team's captain or the organiser
    ├── StorageError (OSError)      a file cannot be kept or found in the server's storage
    │   ├── StorageFullError        there is no room for it: free some, nothing half-written is left
    │   └── ContentMismatchError    its length or SHA-256 is not the promised one: send it again
    ├── BackupError (ValueError)     a backup of a server is damaged, incomplete or none: use another one
    ├── ServerRefusedError (RuntimeError)  a challenge server refuses for a reason of its own: it carries the status
    ├── ServerUnreachableError (ConnectionError)  no answer of a challenge server: check the address, try again later
    ├── MissingExtraError (ImportError)  an optional part is not installed: the message has the command
    ├── OutOfMemoryError (RuntimeError)  an item needs more memory than there is: smaller tiles, fewer --workers
    ├── WorkerDiedError (RuntimeError)  a worker process ended in the middle of an item: its memory, most likely
    └── UnexpectedError (RuntimeError)  an item failed by a fault of raim or of a library: please report it

Each class has our base and the standard parent, so both `except RaimError` and `except ValueError` work. All of them
survive pickling, which is how they come back from worker processes.

Where many items are worked on, an error is that of one item, and the others are done, unless `concerns_all` says that
none would fare better: weights that are missing, a library that is not installed, a full disk.
"""

import difflib
import errno
import importlib.util
import traceback
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar


class RaimError(Exception):
    """Base of every expected error; its text says what was wrong, what was expected and the way out.

    Attributes:
        concerns_all: Whether no other item would fare better, so that a run of many ends with it.
    """

    concerns_all: ClassVar[bool] = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without calling `__init__` again, which may ask for keyword arguments."""
        return _restore_error, (type(self), self.args, dict(self.__dict__))


def _restore_error(kind: type[RaimError], args: tuple[Any, ...], state: dict[str, Any]) -> RaimError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class InputError(RaimError, ValueError):
    """An argument is outside what its docstring states."""


class TooLargeError(InputError):
    """A file is larger than is taken."""


class OutputError(InputError):
    """A file cannot be written; the text says what to do, and that the same command goes on."""

    concerns_all = True


class ImageError(RaimError, ValueError):
    """An image cannot be used as it is."""


class ImageTooLargeError(ImageError):
    """The declared size of an image is over the limit."""


class ImageTruncatedError(ImageError):
    """An image file ends before its pixels do, or its pixel data are damaged."""


class UnscorableError(RaimError, ValueError):
    """A measure has no value for this image; the text is the reason that results carry."""


class UnknownNameError(RaimError, LookupError):
    """There is nothing of that name; the text names the nearest."""


class WeightsError(RaimError, RuntimeError):
    """Pretrained weights cannot be used."""

    concerns_all = True


class WeightsMissingError(WeightsError):
    """Pretrained weights are not in the cache and could not be fetched."""


class WeightsFormatError(WeightsError):
    """A file of pretrained weights is not in the form that is expected; nothing of it was executed."""


class WeightsTamperedError(WeightsError):
    """A file of pretrained weights has another SHA-256 than the pinned one."""


class ManifestError(RaimError, ValueError):
    """A manifest is malformed; the text names file and line, `problems` holds (line, what is wrong there)."""

    def __init__(self, message: str, *, problems: Iterable[Any] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class SubmissionError(RaimError, ValueError):
    """A submission has problems; the text lists every one of them, `problems` holds them as records."""

    def __init__(self, message: str, *, problems: Iterable[Any] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class ChallengeError(RaimError, ValueError):
    """A challenge has problems; the text lists every one of them, `problems` holds them as records."""

    def __init__(self, message: str, *, problems: Iterable[Any] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class RecipeError(RaimError, ValueError):
    """A recipe of training has problems; the text lists every one of them with its line."""


class TrainingError(RaimError, RuntimeError):
    """Training cannot go on; the text says why, and where the last good checkpoint lies."""


class VotesError(RaimError, ValueError):
    """A file of votes, or of a study's plan, has problems; the text lists them, `problems` holds one text each."""

    def __init__(self, message: str, *, problems: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class SettingsError(RaimError, ValueError):
    """A setting of the server has no usable value; the text names its variable."""


class StateError(RaimError, RuntimeError):
    """Something is not possible in the present state; the text has the reason and what would change it."""


class TooManyRequestsError(StateError):
    """Asked too often; `retry_at` is when it may be asked again."""

    def __init__(self, message: str, *, retry_at: datetime) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class NotReadyError(StateError):
    """What is asked for is being made; `retry_s` is after how many seconds to ask again."""

    def __init__(self, message: str, *, retry_s: int) -> None:
        super().__init__(message)
        self.retry_s = retry_s


class AccessError(RaimError, PermissionError):
    """Whoever asks for it may not do it."""


class StorageError(RaimError, OSError):
    """A file cannot be kept in the server's storage, or is not there."""


class StorageFullError(StorageError):
    """There is no room for a file in the server's storage; nothing of it was kept."""


class ContentMismatchError(StorageError):
    """A file's length or SHA-256 is not the one that was promised; nothing of it was kept."""


class BackupError(RaimError, ValueError):
    """A file is no backup of a server, or not as it was written; nothing of it was kept."""


class ServerRefusedError(RaimError, RuntimeError):
    """A challenge server refuses, or its answer is not understood.

    `status` is that of HTTP, `code` the server's word for it, `problems` its list of what is wrong.
    """

    def __init__(self, message: str, *, status: int, code: str, problems: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.problems = tuple(problems)


class ServerUnreachableError(RaimError, ConnectionError):
    """A challenge server cannot be reached, or the connection to it breaks again and again."""


class MissingExtraError(RaimError, ImportError):
    """An optional part of raim is not installed; the text has the command that installs it."""

    concerns_all = True


class OutOfMemoryError(RaimError, RuntimeError):
    """An item needs more memory than the processor or the device has."""


class WorkerDiedError(RaimError, RuntimeError):
    """A worker process ended in the middle of an item."""


class UnexpectedError(RaimError, RuntimeError):
    """An item failed in a way that nobody foresaw; the text says where, the cause is the original error."""


LONGEST_SHOWN = 120

# What torch, OpenCV, libjpeg-turbo, CUDA and the loader of libraries say where memory runs out: most have no class
# of their own for it.
_NO_MEMORY = (
    "allocate memory",
    "not enough memory",
    "out of memory",
    "insufficient memory",
    "bad allocation",
    "bad_alloc",
    "memory allocation fail",
    "alloc_failed",
    "failed to map segment",  # of a library that is loaded at its first use
)


def item_error(error: Exception) -> RaimError:
    """Return an exception that came up while one of many items was worked on as an error of that item.

    Args:
        error: A `RaimError` is returned as it is, memory that ran out becomes `OutOfMemoryError`, anything else
            `UnexpectedError` with the place where it came up.

    Example:
        >>> print(item_error(MemoryError()))
        memory ran out; work on fewer at once (--workers), on smaller tiles (--tile), or make the image smaller
        >>> print(item_error(KeyError("conv1")))
        KeyError: 'conv1' (nobody foresaw this: please report it)
    """
    if isinstance(error, RaimError):
        return error
    if _is_out_of_memory(error):
        found: RaimError = OutOfMemoryError(
            "memory ran out; work on fewer at once (--workers), on smaller tiles (--tile), or make the image smaller"
        )
    else:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        place = f", in {Path(last[0].filename).name} line {last[0].lineno}" if last else ""
        text = shown(" ".join(_read_text(error).split())[:300], longest=300)
        found = UnexpectedError(
            f"{type(error).__name__}: {text} (nobody foresaw this{place}: please report it)"
        )
    found.__cause__ = error
    return found


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    text = _read_text(error).casefold()
    return isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY)


def _read_text(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an error of others may have any fault
        return "(its text cannot be read)"


def shown(name: str, *, longest: int = LONGEST_SHOWN) -> str:
    r"""Return foreign text, such as a hostile name, printable: control characters escaped, its middle left out if long.

    Example:
        >>> print(shown("a\x1b[2J.png"))
        a\x1b[2J.png
    """
    # Ordinary names, nearly all, need no look at every character.
    safe = name if name.isprintable() else "".join(map(_escape, name))
    if len(safe) <= longest:
        return safe
    return f"{safe[: longest // 2]}...{safe[-longest // 2 :]}"


def _escape(char: str) -> str:
    return char if char.isprintable() else ascii(char)[1:-1]


def need_extra(what: str, extra: str, *modules: str) -> None:
    """Refuse what an extra brings that is not installed.

    Args:
        what: Stands at the start of the message.
        extra: Its name in pyproject.toml.
        modules: What must be there to import.

    Raises:
        MissingExtraError: One of the modules is not there; the message has the command that installs it.

    Example:
        >>> need_extra("this command", "server", "json")
        >>> need_extra("this command", "server", "json", "no_such_module")
        Traceback (most recent call last):
        raim.errors.MissingExtraError: this command needs no_such_module, which is not installed; run: ...
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        text = f"{what} needs {', '.join(missing)}, which {'are' if len(missing) > 1 else 'is'} not installed"
        raise MissingExtraError(f"{text}; run: pip install 'raim[{extra}]'")


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Make the error for a name that is not known, with the nearest one that is.

    Example:
        >>> print(unknown_name("measure", "pnsr", ["psnr", "ssim"]))
        no measure named 'pnsr'; did you mean 'psnr'? (known: psnr, ssim)
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UnknownNameError(f"no {kind} named {name!r}{hint} (known: {', '.join(names)})")
