"""Restorers of users: a Python callable, or any program."""

import importlib
import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from raim.errors import ImageError, InputError, OutOfMemoryError, item_error, shown
from raim.images import read_image, write_image
from raim.restore.descriptor import OF_USER, Photograph, Restorer
from raim.restore.pixels import to_photograph
from raim.restore.program import run_program

TIMEOUT_S = 600.0
MOST_SAID = 300  # characters of what others have said


def restorer_from_callable(name: str) -> Restorer:
    """Take a Python function as a restorer.

    Args:
        name: `module:function`; the working folder is searched too. The function takes float32 (h, w, 3) in
            [0, 1] and gives the same at 1 to 16 times the size.

    Raises:
        InputError: There is no such function, or its module cannot be loaded.

    Example:
        >>> restorer_from_callable("numpy:flipud").name
        'numpy:flipud'
    """
    function = _find_function(name)
    return Restorer(
        name=name,
        purpose="a Python function of yours",
        compute=lambda image, _: _call(name, function, image),
        is_external=True,
        licence=OF_USER,
        source="yours",
        seconds_per_megapixel=1.0,
    )


def _find_function(name: str) -> Callable[[Photograph], Any]:
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise InputError(f"{name!r} names no function; expected module:function")
    folder = os.getcwd()  # noqa: PTH109 - entries of sys.path are strings
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        reason = shown(str(error), longest=MOST_SAID)
        raise InputError(
            f"{name!r} cannot be found ({reason}); expected module:function, with the module in the working folder "
            "or installed"
        ) from error
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # `sys.exit` too
        raise InputError(f"{module_name} cannot be loaded: {_describe(error)}") from error
    if not callable(found):
        raise InputError(f"{name!r} is {type(found).__name__}, not a function")
    function: Callable[[Photograph], Any] = found
    return function


def _call(name: str, function: Callable[[Photograph], Any], image: Photograph) -> Any:
    """Call the function; whatever it raises, `sys.exit` too, is an error of this photograph."""
    try:
        return function(image.copy())
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        if isinstance(error, Exception) and isinstance(item_error(error), OutOfMemoryError):
            raise
        raise InputError(f"{name} stopped: {_describe(error)}") from error


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {shown(str(error), longest=MOST_SAID)}"


def restorer_from_command(command: str, *, timeout_s: float = TIMEOUT_S) -> Restorer:
    """Take any program as a restorer.

    Args:
        command: With `{input}` and `{output}`, for which the paths of two 16-bit PNG files are put. No shell is
            involved: pipes, variables and wildcards mean nothing.
        timeout_s: Seconds after which its process group is ended.

    Raises:
        InputError: A placeholder is missing, or there is no such program.

    Example:
        >>> restorer_from_command("cp {input} {output}").purpose
        'the program cp'
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"the command {command!r} cannot be read: {error}") from error
    if not any("{input}" in word for word in words) or not any("{output}" in word for word in words):
        raise InputError(
            f'the command {command!r} has no {{input}} or {{output}}; expected such as "denoise {{input}} {{output}}"'
        )

    return Restorer(
        name=command,
        purpose=f"the program {words[0]}",
        compute=lambda image, _: _run_program(words, image, timeout_s),
        is_external=True,
        licence=OF_USER,
        source="yours",
        seconds_per_megapixel=1.0,
    )


def _run_program(words: list[str], image: Photograph, timeout_s: float) -> Photograph:
    with tempfile.TemporaryDirectory(prefix="raim-", ignore_cleanup_errors=True) as folder:
        source, target = Path(folder, "input.png"), Path(folder, "output.png")
        write_image(source, np.rint(image * 65535).astype(np.uint16))
        line = [word.replace("{input}", str(source)).replace("{output}", str(target)) for word in words]
        try:
            ended = run_program(line, timeout_s=timeout_s)
        except OSError as error:
            raise InputError(f"{words[0]} cannot be run: {error.strerror or error}") from error
        if ended.code is None:
            raise InputError(f"{words[0]} was ended after {timeout_s:g} seconds; raise --timeout")
        if ended.code != 0 or not target.is_file():
            last = ended.said.strip().splitlines()[-1:] or ["it said nothing"]
            missing = "" if target.is_file() else " and no result"
            raise InputError(
                f"{words[0]} ended with exit code {ended.code}{missing}: {shown(last[0], longest=MOST_SAID)}"
            )
        try:
            return to_photograph(read_image(target, purpose="restore").pixels)
        except (ImageError, InputError) as error:
            raise InputError(f"what {words[0]} wrote cannot be used: {error}") from error
