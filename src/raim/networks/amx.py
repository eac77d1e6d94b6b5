"""Products of bfloat16 on AMX, the matrix unit of Intel's server processors since 2023, in numba's kernels.

AMX multiplies a tile of 16 rows of 32 numbers by one of 32 rows of 16, and adds to a tile of 16x16 float32. What is
held in a tile register is named by its number: 0 to 3 are sums, 4 to 7 factors.

Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18; Linux,
Documentation/arch/x86/xstate.rst, for the permission.
"""

import ctypes
import functools
import platform
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA = 158, 0x1023, 18  # of Linux on x86-64
FEATURES = ("amx-tile", "amx-bf16")
# Eight tiles of 16 rows of 64 bytes.
CONFIGURATION = np.zeros(64, np.uint8)
CONFIGURATION[0] = 1
CONFIGURATION[16:32:2] = 64
CONFIGURATION[48:56] = 16

_BYTE, _SIZE = ir.IntType(8), ir.IntType(64)
_POINTER = ir.PointerType(_BYTE)


@functools.cache
def has_amx() -> bool:
    """Return whether this processor has AMX, and the system lets this process use it; it is asked once."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    from llvmlite.binding import get_host_cpu_features

    features = get_host_cpu_features()
    if not all(features.get(name) for name in FEATURES):
        return False
    return bool(ctypes.CDLL(None).syscall(ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA) == 0)


def _instruction(name: str, *arguments: str) -> Callable[..., Any]:
    """Make what emits one of LLVM's AMX instructions in a kernel; a "tile" is a number that is written out."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        made = []
        for kind, value, given in zip(arguments, values, signature.args, strict=True):
            if kind == "tile":
                made.append(ir.Constant(_BYTE, given.literal_value))
            else:
                made.append(builder.inttoptr(value, _POINTER) if kind == "address" else value)
        form = ir.FunctionType(ir.VoidType(), [each.type for each in made])
        builder.call(cgutils.get_or_insert_function(builder.module, form, f"llvm.x86.{name}"), made)
        return context.get_dummy_value()

    # numba reads how many arguments an intrinsic takes from its signature.
    if len(arguments) == 0:
        return intrinsic(prefer_literal=True)(lambda _typing: (types.void(), generate))
    if len(arguments) == 1:
        return intrinsic(prefer_literal=True)(lambda _typing, a: (types.void(a), generate))
    return intrinsic(prefer_literal=True)(lambda _typing, a, b, c: (types.void(a, b, c), generate))


configure_tiles = _instruction("ldtilecfg", "address")
release_tiles = _instruction("tilerelease")
load_tile = _instruction("tileloadd64", "tile", "address", "stride")
store_tile = _instruction("tilestored64", "tile", "address", "stride")
add_products = _instruction("tdpbf16ps", "tile", "tile", "tile")
