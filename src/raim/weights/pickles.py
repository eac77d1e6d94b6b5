"""Reading pickles that hold nothing but arrays, without ever calling what a pickle names.

A pickle is a program: it may name any callable and call it. Here it is first scanned, opcode by opcode,
without running it: only the opcodes that arrays and dictionaries need, only the names that the caller allows,
bounded nesting and memo. Then it is run by an unpickler that maps each allowed name to a stand-in of ours and
can find nothing else.

Source: the Python documentation of `pickle` ("Restricting Globals") and `pickletools`.
"""

import io
import pickle
import pickletools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from raim.errors import WeightsFormatError

CONSTANTS = """
    NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE BINSTRING SHORT_BINSTRING BINBYTES
    SHORT_BINBYTES
"""
CONTAINERS = """
    EMPTY_DICT EMPTY_LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 APPEND APPENDS SETITEM SETITEMS
"""
MACHINE = "PROTO STOP MARK BINPUT LONG_BINPUT BINGET LONG_BINGET GLOBAL REDUCE BUILD BINPERSID"
ALLOWED_OPCODES = frozenset(f"{CONSTANTS} {CONTAINERS} {MACHINE}".split())
# These change the lowest of the objects they take, and leave it on the stack.
FILLING = frozenset(["APPEND", "APPENDS", "SETITEM", "SETITEMS", "BUILD"])
MAX_OPCODES = 200_000  # DAT, the longest of the pinned pickles, has 39,280
MAX_DEPTH = 32  # the pinned ones nest eight deep at most; hashing a tuple recurses in C without a limit
MAX_MEMO = 200_000  # the C unpickler allocates its memo up to the largest index that a pickle names

T = TypeVar("T")
Globals = Mapping[tuple[str, str], Any]


def read_pickle(
    data: bytes, allowed: Globals, *, source: str, persistent: Callable[[Any], Any] | None = None
) -> tuple[Any, int]:
    """Read the first pickle in `data`.

    Args:
        data: Bytes that begin with a pickle.
        allowed: What may be named: (module, name) -> the harmless stand-in that is called instead.
        source: What the bytes are, for messages.
        persistent: Resolves persistent ids (torch's storages); without it they are refused.

    Returns:
        The object, and how many bytes the pickle took.

    Raises:
        WeightsFormatError: The pickle is damaged, names anything else, or is too large or too deep.

    Example:
        >>> import pickle
        >>> read_pickle(pickle.dumps({"a": 1}, protocol=2), {}, source="an example")
        ({'a': 1}, 17)
        >>> read_pickle(pickle.dumps(print, protocol=2), {}, source="an example")
        Traceback (most recent call last):
        raim.errors.WeightsFormatError: an example names __builtin__.print, which arrays do not need; ...
    """
    try:
        length = _scan(data, allowed, source)
        return _Unpickler(data[:length], allowed, persistent).load(), length
    except WeightsFormatError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        message = f"{source} is not a pickle of arrays ({type(error).__name__}: {error}); fetch it again"
        raise WeightsFormatError(message) from error


def flatten(tree: object, leaf: type[T], *, source: str) -> dict[str, T]:
    """Give the leaves of nested dictionaries, their keys joined by "/".

    Args:
        tree: A leaf, or a dictionary of leaves and dictionaries.
        leaf: The type of a leaf.
        source: What it was read from, for messages.

    Raises:
        WeightsFormatError: It holds anything else, or a dictionary twice (which could be endless).

    Example:
        >>> flatten({"a": {"x": 1, "y": 2}}, int, source="an example")
        {'a/x': 1, 'a/y': 2}
    """
    leaves: dict[str, T] = {}
    seen: set[int] = set()
    pending: list[tuple[str, object]] = [("", tree)]
    while pending:
        path, item = pending.pop()
        if isinstance(item, leaf):
            leaves[path] = item
        elif isinstance(item, Mapping) and id(item) not in seen:
            seen.add(id(item))
            prefix = f"{path}/" if path else ""
            pending.extend((f"{prefix}{key}", item[key]) for key in reversed(item))
        else:
            raise WeightsFormatError(
                f"{source} holds a {type(item).__name__} at {path!r}, expected arrays only"
            )
    return leaves


class _Unpickler(pickle.Unpickler):
    """Knows the allowed names only."""

    def __init__(self, data: bytes, allowed: Globals, persistent: Callable[[Any], Any] | None) -> None:
        super().__init__(io.BytesIO(data))
        self._allowed = allowed
        self._persistent = persistent

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in self._allowed:
            raise pickle.UnpicklingError(f"{module_name}.{global_name} is not allowed")
        return self._allowed[module_name, global_name]

    def persistent_load(self, pid: Any) -> Any:
        if self._persistent is None:
            raise pickle.UnpicklingError("it refers to an object outside of itself")
        return self._persistent(pid)


def _scan(data: bytes, allowed: Globals, source: str) -> int:
    """Follow a pickle without running it; return its length."""
    depths = _Depths()
    stream = io.BytesIO(data)
    for n_opcodes, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if opcode.name not in ALLOWED_OPCODES:
            raise _refusal(source, f"uses the opcode {opcode.name}")
        if opcode.name == "GLOBAL" and tuple(str(argument).split(" ", 1)) not in allowed:
            raise _refusal(source, f"names {str(argument).replace(' ', '.')}")
        if n_opcodes >= MAX_OPCODES:
            raise _refusal(source, f"has more than {MAX_OPCODES} opcodes")
        depths.follow(opcode, argument)
        if depths.deepest > MAX_DEPTH:
            raise _refusal(source, f"nests more than {MAX_DEPTH} deep")
    return stream.tell()


def _refusal(source: str, what: str) -> WeightsFormatError:
    return WeightsFormatError(
        f"{source} {what}, which arrays do not need; nothing was executed, delete it and fetch it again"
    )


class _Depths:
    """How deep each object on the unpickler's stack nests, kept without making the objects."""

    def __init__(self) -> None:
        self.deepest = 0
        self._stack: list[int | None] = []  # None stands for a mark
        self._memo: dict[int, int] = {}

    def follow(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        if opcode.name in ("BINPUT", "LONG_BINPUT"):
            self._put(argument)
        elif opcode.name in ("BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[argument])
        elif opcode.name == "MARK":
            self._stack.append(None)
        else:
            self._apply(opcode)

    def _put(self, index: int) -> None:
        if index > MAX_MEMO:
            raise ValueError(f"memo index {index} is over {MAX_MEMO}")
        self._memo[index] = self._stack[-1] or 0

    def _apply(self, opcode: pickletools.OpcodeInfo) -> None:
        taken = self._take(opcode.stack_before)
        if opcode.name in FILLING:
            *parts, container = taken
            depth = max([container, *(part + 1 for part in parts)])
        else:
            depth = 1 + max(taken) if taken else 0
        self._stack.extend([depth] * len(opcode.stack_after))
        self.deepest = max(self.deepest, depth)

    def _take(self, before: list[pickletools.StackObject]) -> list[int]:
        """Pop what an opcode consumes, topmost first."""
        taken: list[int] = []
        for kind in reversed(before):
            if kind is pickletools.stackslice:
                while (item := self._stack.pop()) is not None:
                    taken.append(item)
            elif kind is not pickletools.markobject:
                taken.append(self._stack.pop() or 0)
        return taken
