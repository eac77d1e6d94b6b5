"""A smooth displacement fitted to what pictures say of it: where they say little, it bends as little as it can.

The displacement d is a uniform cubic B-spline, (x, y) components each. What pictures say at a pixel is a quadratic
form in d, with a matrix A (a structure tensor over the variance of noise: strong across edges, nothing on plain
areas) and a vector b. With the bending energy of a thin plate,

    minimise  sum over pixels (d' A d - 2 b' d)  +  stiffness * integral (d_xx^2 + 2 d_xy^2 + d_yy^2)

a sparse linear system in the spline's coefficients. An affine displacement costs nothing.

Source: Rueckert et al., "Nonrigid Registration Using Free-Form Deformations", IEEE Transactions on Medical Imaging
18(8), 1999 (B-splines with this energy); Szeliski and Coughlan, "Spline-Based Image Registration", IJCV 22(3), 1997
(the system).
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, Float64
from scipy.sparse import bmat, csr_matrix, diags, identity, kron
from scipy.sparse.linalg import spsolve

from raim.data.alignment.mapping import Field

MOST_CELLS = 160  # between control points along the longer side: the system stays small for large photographs
DEVIATION_CELLS = 20  # the same where deviations are measured: the inverse of a system is no longer sparse
SAMPLES = 4  # cells that pixels are summed in before, for each cell of the spline
# The four pieces of the uniform cubic B-spline, times 6, lowest power first.
PIECES = ((1.0, -3.0, 3.0, -1.0), (4.0, 0.0, -6.0, 3.0), (1.0, 3.0, 3.0, -3.0), (0.0, 0.0, 0.0, 1.0))
RIDGE = 1e-9  # of the mean of the diagonal: for pictures that say nothing at all


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What pictures say of the displacement at each pixel: the parts of A and b in the form d' A d - 2 b' d."""

    xx: Float32[np.ndarray, "h w"]
    xy: Float32[np.ndarray, "h w"]
    yy: Float32[np.ndarray, "h w"]
    x: Float32[np.ndarray, "h w"]
    y: Float32[np.ndarray, "h w"]


def fit_spline(evidence: Evidence, *, spacing_px: float, stiffness: float) -> Field:
    """Return the displacement at which evidence and stiffness balance.

    Args:
        evidence: In 1 / px^2 (A) and 1 / px (b).
        spacing_px: Between control points; more in pictures longer than `MOST_CELLS` of it.
        stiffness: Of the plate; the larger, the smoother.
    """
    height, width = evidence.xx.shape
    spacing = max(spacing_px, max(height, width) / MOST_CELLS)
    down, across = _Axis.divide(height, spacing), _Axis.divide(width, spacing)
    system = _build_system(evidence, down, across, stiffness)
    cells = (_sum_cells(each, down, across) for each in (evidence.x, evidence.y))
    right = [(across.at_cells().T @ (down.at_cells().T @ each).T).T.ravel() for each in cells]
    coefficients = np.split(spsolve(system, np.concatenate(right)), 2)
    tables = (each.reshape(down.n_points, across.n_points) for each in coefficients)
    found = [(across.at_pixels() @ (down.at_pixels() @ each).T).T for each in tables]
    return np.stack(found, axis=-1).astype(np.float32)


def measure_deviation(evidence: Evidence, *, stiffness: float) -> Float32[np.ndarray, "h w"]:
    """Return the standard deviation of each pixel's position, both axes together, px.

    With evidence (over the variance of noise) and stiffness taken for the negative logarithms of a likelihood and a
    prior, the displacement has a normal distribution whose covariance is the inverse of the system. The spline is a
    coarse one: what is undetermined is smooth.
    """
    height, width = evidence.xx.shape
    spacing = max(height, width) / DEVIATION_CELLS
    down, across = _Axis.divide(height, spacing), _Axis.divide(width, spacing)
    system = _build_system(evidence, down, across, stiffness)
    covariance = np.linalg.inv(system.toarray())
    basis = _combine(down, across)
    n_points = basis.shape[1]
    both = covariance[:n_points, :n_points] + covariance[n_points:, n_points:]
    variance = np.asarray(basis.multiply(basis @ both).sum(axis=1)).reshape(down.n_cells, across.n_cells)
    cells = np.sqrt(np.maximum(variance, 0)).astype(np.float32)
    return cv2.resize(cells, (width, height))


def _build_system(evidence: Evidence, down: "_Axis", across: "_Axis", stiffness: float) -> Any:
    """Return evidence and plate as one matrix (2 points, 2 points), sparse."""
    basis = _combine(down, across)
    sums = (_sum_cells(each, down, across).ravel() for each in (evidence.xx, evidence.xy, evidence.yy))
    xx, xy, yy = (basis.T @ diags(each) @ basis for each in sums)
    bending = (
        kron(down.energy(0), across.energy(2))
        + 2 * kron(down.energy(1), across.energy(1))
        + kron(down.energy(2), across.energy(0))
    )
    plate = stiffness * bending
    system = bmat([[xx + plate, xy], [xy, yy + plate]], format="csc")
    ridge = max(RIDGE * float(system.diagonal().mean()), 1e-12)
    return system + ridge * identity(system.shape[0], format="csc")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Axis:
    """One axis: its pixels, its cells for sums, its control points.

    Attributes:
        length: Pixels.
        n_cells: Cells that pixels are summed in.
        spacing: Pixels between control points.
    """

    length: int
    n_cells: int
    spacing: float

    @classmethod
    def divide(cls, length: int, spacing: float) -> "_Axis":
        n_cells = min(length, max(SAMPLES, math.ceil(length * SAMPLES / spacing)))
        return cls(length=length, n_cells=n_cells, spacing=spacing)

    @property
    def n_points(self) -> int:
        """Return the control points: one before the first pixel, and enough for the last."""
        return math.floor((self.length - 1) / self.spacing) + 4

    def at_pixels(self) -> Any:
        """Return the basis (pixels, points), sparse."""
        return self._basis(np.arange(self.length, dtype=np.float64))

    def at_cells(self) -> Any:
        """Return the basis (cells, points) in the middle of the cells."""
        return self._basis((np.arange(self.n_cells) + 0.5) * self.length / self.n_cells - 0.5)

    def _basis(self, places: Float64[np.ndarray, "places"]) -> Any:
        at = np.clip(places / self.spacing, 0, None)
        first = np.minimum(np.floor(at), self.n_points - 4).astype(np.intp)
        u = at - first
        weights = np.stack(
            [(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3], axis=1
        )
        rows = np.repeat(np.arange(len(places)), 4)
        columns = (first[:, None] + np.arange(4)).ravel()
        return csr_matrix(((weights / 6).ravel(), (rows, columns)), shape=(len(places), self.n_points))

    def energy(self, order: int) -> Any:
        """Return the integral of products of derivatives of this order, (points, points), per pixel."""
        # Derivatives of the basis on one cell as polynomials of u, integrated exactly over [0, 1].
        slopes = [(np.polynomial.Polynomial(each) / 6).deriv(order) for each in PIECES]
        products = [[(a * b).integ()(1.0) for b in slopes] for a in slopes]
        total = np.zeros((self.n_points, self.n_points))
        for first in range(self.n_points - 3):
            total[first : first + 4, first : first + 4] += products
        return csr_matrix(total * self.spacing ** (1 - 2 * order))


def _sum_cells(plane: Float32[np.ndarray, "h w"], down: _Axis, across: _Axis) -> Float64[np.ndarray, "_ _"]:
    size = across.n_cells, down.n_cells
    mean = cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float64)
    return mean * (plane.size / mean.size)


def _combine(down: _Axis, across: _Axis) -> Any:
    return kron(down.at_cells(), across.at_cells(), format="csr")
