"""Results of every kind through restore(), and a share of them through a batch: refused, or clipped and as expected.

A restorer gives an array of random type, shape, range and layout, spoilt or not, or no array, or raises anything.
`expect` says by arithmetic of its own what must come out. A fault is another exception than raim's, pixels that are not
finite, outside the range or not those expected, and a result that is refused though it is right.
"""

import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from fuzz import Outcome
from raim.errors import InputError, RaimError, WeightsMissingError
from raim.images import read_image, write_image
from raim.restore import Restorer, chain, find_restorer, restore, restorer_from_callable
from raim.restore.batch import Options, plan_jobs, restore_batch

BATCHED = 10  # every so many-th case goes through a batch
FUNCTION = "raim_fuzzed"  # the module of the function for `--python`
TYPES = ("f4", "f8", "f2", "g", ">f4", ">f8", "u1", "u2", "i4", "i8", "?", "c8", "c16", "O", "U3", "M8[s]")
ERRORS: tuple[Callable[[], BaseException], ...] = (
    lambda: ValueError("odd"),
    lambda: RuntimeError("CUDA out of memory"),
    MemoryError,
    StopIteration,
    AssertionError,
    lambda: KeyError("a" * 5000),
    lambda: OSError(28, "No space left on device"),
    lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
    lambda: ExceptionGroup("several", [ValueError("one"), TypeError("two")]),
    lambda: RecursionError("deep"),
    lambda: InputError("of raim"),
    lambda: WeightsMissingError("of raim, for all"),
    lambda: _UnreadableError("no text"),
)
EXITS: tuple[Callable[[], BaseException], ...] = (SystemExit, lambda: BaseException("bare"), GeneratorExit)


class _UnreadableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@dataclass(frozen=True)
class _Raised:
    """What is raised in place of a result."""

    make: Callable[[], BaseException]


class _Broken:
    """No array, though it says so."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise TypeError("no array after all")


def run_cases(n: int, seed: int, folder: Path) -> Iterator[Outcome]:
    """Give the outcome of each case."""
    for number in range(n):
        rng = np.random.default_rng((seed, number))
        image = _make_image(rng)
        is_external = bool(rng.random() < 0.4)
        scale = int(rng.choice((1, 1, 2, 3)))
        given = _make_result(rng, image, scale)
        expected = (
            None if isinstance(given, _Raised) else expect(given, image, None if is_external else scale)
        )
        restorer = _make_restorer(rng, given, scale, is_external=is_external)
        try:
            if number % BATCHED:
                yield _judge(restore(image, restorer, threads=1).pixels, expected, image)
            else:
                yield _run_batch(restorer, expected, image, folder / str(number))
        except RaimError as error:
            str(error).encode()
            yield Outcome(
                words="refused", fault="" if expected is None else f"refused though it is right: {error}"
            )
        except BaseException:  # noqa: BLE001 - any other exception is what is looked for
            yield Outcome(words="another exception", fault=traceback.format_exc(limit=-3))


def _make_image(rng: np.random.Generator) -> np.ndarray:
    shape = (int(rng.integers(8, 20)), int(rng.integers(8, 20)), 3)[: rng.choice((2, 3, 3))]
    values = rng.random(shape)
    kind = np.dtype(rng.choice(("u1", "u2", "f4", "f8")))
    return values.astype(kind) if kind.kind == "f" else (values * np.iinfo(kind).max).astype(kind)


def _make_result(rng: np.random.Generator, image: np.ndarray, scale: int) -> Any:
    """Make what a restorer gives, or raises."""
    kind = rng.choice(("array", "error", "object"), p=(0.8, 0.1, 0.1))
    if kind == "error":
        return _Raised(ERRORS[rng.integers(len(ERRORS))])
    if kind == "object":
        others = (
            None,
            3.5,
            "text",
            b"bytes",
            [],
            [[1.0], [2.0, 3.0]],
            {"a": 1},
            {1, 2},
            _Broken(),
            ...,
            object,
            iter([1]),
        )
        return others[rng.integers(len(others))]
    values = _spoil(rng, _layout(rng, _make_values(rng, _make_shape(rng, image, scale))))
    return values.tolist() if rng.random() < 0.05 else values


def _make_shape(rng: np.random.Generator, image: np.ndarray, scale: int) -> tuple[int, ...]:
    height, width = image.shape[:2]
    right = (height * scale, width * scale, 3)
    if rng.random() < 0.75:
        return right
    others = (
        (*right[:2], 4), (*right[:2], 1), right[:2], (3, *right[:2]), (1, *right), (right[1], right[0], 3),
        (right[0] + 1, right[1], 3), (0, right[1], 3), (), (height * 2, width * 2, 3), (height * 17, width * 17, 3),
        (height // 2, width // 2, 3),
    )  # fmt: skip
    return others[rng.integers(len(others))]


def _make_values(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Make values of a range, of a type: mostly floats."""
    low, high = ((0, 1), (0, 1), (-0.09, 1.09), (-0.3, 1.3), (-1, 1), (0, 255), (0, 65535), (-1e30, 1e30))[
        rng.choice(8, p=(0.25, 0.1, 0.25, 0.1, 0.1, 0.1, 0.05, 0.05))
    ]
    values = low + (high - low) * rng.random(shape)
    kind = TYPES[rng.integers(len(TYPES))] if rng.random() < 0.4 else "f4"
    with np.errstate(all="ignore"):
        return values.astype(np.int64).astype(kind) if kind[:1] == "M" else np.asarray(values).astype(kind)


def _layout(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Give the same values in another layout."""
    match rng.integers(6):
        case 0:
            return np.asfortranarray(values)
        case 1 if values.ndim:
            return values[::-1].copy()[::-1]
        case 2 if values.ndim:
            return np.repeat(values, 2, axis=0)[::2]
        case 3:
            fixed = values.copy()
            fixed.flags.writeable = False
            return fixed
        case 4:
            return np.ma.masked_array(values)
    return values


def _spoil(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Put odd values at random places, few or many."""
    if rng.random() < 0.5 or values.dtype.kind != "f" or not values.size or not values.flags.writeable:
        return values
    n = max(1, int(values.size * rng.choice((0.001, 0.008, 0.02, 0.5))))
    odd = rng.choice((np.nan, np.inf, -np.inf, 1.49, -0.49, 1.51, -0.51, 1.05, -0.0, 1e-40, 300.0))
    places = rng.choice(values.size, n, replace=False)
    with np.errstate(all="ignore"):
        values.flat[places] = odd
    return values


def _make_restorer(rng: np.random.Generator, given: Any, scale: int, *, is_external: bool) -> Restorer:
    """Make a restorer that gives it, built or a function of a module, alone or in a chain."""

    def give(*_: object) -> Any:
        if isinstance(given, _Raised):
            raise given.make()
        return given

    if is_external and rng.random() < 0.5:
        if isinstance(given, _Raised) and rng.random() < 0.5:
            given = _Raised(EXITS[rng.integers(len(EXITS))])
        sys.modules[FUNCTION] = ModuleType(FUNCTION)
        vars(sys.modules[FUNCTION])["give"] = give
        restorer = restorer_from_callable(f"{FUNCTION}:give")
    else:
        restorer = Restorer(
            name="fuzzed", purpose="fuzzing", compute=give, scale=scale, is_external=is_external
        )
    identity = find_restorer("identity")
    return (restorer, chain([identity, restorer]), chain([restorer, identity]))[rng.integers(3)]


def expect(given: Any, image: np.ndarray, scale: int | None) -> np.ndarray | None:
    """Say what must come out, in [0, 1]; None for what must be refused."""
    try:
        values = np.array(given)
    except Exception:  # noqa: BLE001 - whatever it says, it is no array
        return None
    sizes = [(image.shape[0] * s, image.shape[1] * s, 3) for s in ([scale] if scale else range(1, 17))]
    if not np.issubdtype(values.dtype, np.floating) or values.shape not in sizes:
        return None
    ordered = np.sort(values.astype(np.longdouble), axis=None)  # NaN comes last
    if not -0.5 <= ordered[0] <= ordered[-1] <= 1.5:
        return None
    n_inside = np.searchsorted(ordered, 1.1, "right") - np.searchsorted(ordered, -0.1)
    if values.size - n_inside > 0.01 * values.size:
        return None
    return np.minimum(np.maximum(values.astype(np.float64), 0), 1)


def _judge(found: np.ndarray, expected: np.ndarray | None, image: np.ndarray) -> Outcome:
    """Compare pixels with what is expected of them."""
    if expected is None:
        return Outcome(words="restored", fault="restored, where it must be refused")
    wanted = expected.mean(axis=2) if image.ndim == 2 else expected
    if found.shape != wanted.shape or found.dtype != image.dtype:
        return Outcome(
            words="restored", fault=f"gave {found.dtype} {found.shape}, expected {image.dtype} {wanted.shape}"
        )
    most = 1.0 if image.dtype.kind == "f" else float(np.iinfo(image.dtype).max)
    error = np.abs(found.astype(np.float64) - most * wanted).max()
    is_fine = bool(error <= (1e-6 if most == 1 else 0.51)) and 0 <= found.min() <= found.max() <= most
    return Outcome(words="restored", fault="" if is_fine else f"pixels are off by {error:g}")


def _run_batch(restorer: Restorer, expected: np.ndarray | None, image: np.ndarray, folder: Path) -> Outcome:
    """Restore two photographs, of which the first has the result and the other none of its faults."""
    pixels = image if image.dtype.kind == "u" else np.rint(image * 255).astype(np.uint8)
    (folder / "in").mkdir(parents=True)
    for name in ("a.png", "b.png"):
        write_image(folder / "in" / name, pixels)
    calls: list[int] = []

    def run(photograph: np.ndarray, context: Any) -> Any:
        calls.append(1)
        return photograph if len(calls) > 1 else restorer.run(photograph, context)

    both = Restorer(name="both", purpose="fuzzing", compute=run, is_external=True)
    first, second = restore_batch(plan_jobs(folder / "in", folder / "out"), both, Options(threads=1), work="")
    if second.made is None:
        return Outcome(words="batch", fault=f"the second photograph failed: {second.error}")
    if (first.made is None) != (expected is None):
        return Outcome(
            words="batch", fault=f"the first is {'refused: ' + first.error if first.error else 'made'}"
        )
    if first.made is None or expected is None:
        return Outcome(words="refused in a batch")
    fault = _judge(read_image(first.job.target).pixels, expected, pixels).fault
    return Outcome(words="restored in a batch", fault=fault)
