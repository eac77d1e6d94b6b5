"""Vectors of 16 float32 in numba's kernels, written as LLVM's: AVX-512 computes them whole, AVX2 by halves."""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from raim.compilation import REORDERING

LANES = 16
LANE_BYTES = 4 * LANES
FLAGS = tuple(sorted(REORDERING))
FLOATS, WHOLES, HALVES = (
    ir.VectorType(kind, LANES) for kind in (ir.FloatType(), ir.IntType(32), ir.IntType(16))
)
ADDRESS = ir.IntType(64)


def fill(kind: ir.VectorType, number: float) -> ir.Constant:
    """Return the vector of the same number 16 times."""
    return ir.Constant(kind, [number] * LANES)


class Vector:
    """Sixteen numbers of a kernel that is compiled; each operator emits an instruction."""

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    def __add__(self, other: "Vector") -> "Vector":
        return Vector(self.builder, self.builder.fadd(self.value, other.value, flags=FLAGS))

    def __sub__(self, other: "Vector") -> "Vector":
        return Vector(self.builder, self.builder.fsub(self.value, other.value, flags=FLAGS))

    def __mul__(self, number: float) -> "Vector":
        factor = fill(FLOATS, float(number))
        return Vector(self.builder, self.builder.fmul(self.value, factor, flags=FLAGS))

    def relu(self) -> "Vector":
        """Return max(x, 0) of each."""
        zero = fill(FLOATS, 0.0)
        is_positive = self.builder.fcmp_ordered(">", self.value, zero)
        return Vector(self.builder, self.builder.select(is_positive, self.value, zero))


Steps = Sequence[tuple[int, Any]]  # so many times so many bytes, an int or a value of the kernel


def _point(builder: ir.IRBuilder, address: ir.Value, steps: Steps) -> ir.Value:
    for count, size in steps:
        n_bytes = ir.Constant(ADDRESS, size) if isinstance(size, int) else size
        address = builder.add(address, builder.mul(ir.Constant(ADDRESS, count), n_bytes))
    return builder.inttoptr(address, ir.PointerType(FLOATS))


def load_vector(builder: ir.IRBuilder, address: ir.Value, *steps: tuple[int, Any]) -> Vector:
    """Return the numbers that lie some steps behind an address."""
    value = builder.load(_point(builder, address, steps))
    value.align = 4
    return Vector(builder, value)


def store_vector(vector: Vector, address: ir.Value, *steps: tuple[int, Any]) -> None:
    """Write numbers some steps behind an address."""
    vector.builder.store(vector.value, _point(vector.builder, address, steps)).align = 4
