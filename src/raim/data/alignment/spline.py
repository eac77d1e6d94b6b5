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

import numpy as np
from jaxtyping import Float32, Float64

from raim.data.alignment.mapping import Field
from raim.data.alignment.planes import load_opencv

MOST_CELLS = 160  # between control points along the longer side: the system stays small for large photographs
FREEDOM_CELLS = 20  # the same where freedom is measured: the inverse of a system is no longer sparse
SAMPLES = 4  # cells that pixels are summed in before, for each cell of the spline
RIDGE = 1e-9  # of the mean of the diagonal: for pictures that say nothing at all


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What pictures say of the displacement at each pixel: the form d' A d - 2 b' d.

    Attributes:
        xx: Of A.
        xy: Of A.
        yy: Of A.
        x: Of b.
        y: Of b.
    """

    xx: Float32[np.ndarray, "h w"]
    xy: Float32[np.ndarray, "h w"]
    yy: Float32[np.ndarray, "h w"]
    x: Float32[np.ndarray, "h w"]
    y: Float32[np.ndarray, "h w"]


def fit_spline(evidence: Evidence, *, spacing_px: float, stiffness: float) -> Field:
    """Find the displacement that evidence and stiffness balance at.

    Args:
        evidence: In 1 / px^2 (A) and 1 / px (b).
        spacing_px: Between control points; more in pictures longer than `MOST_CELLS` of it.
        stiffness: Of the plate; the larger, the smoother.

    Returns:
        (h, w, 2), x first, px.

    Example:
        >>> one, none = np.ones((64, 96), np.float32), np.zeros((64, 96), np.float32)
        >>> shift = Evidence(xx=one, xy=none, yy=one, x=2 * one, y=none)
        >>> fit_spline(shift, spacing_px=16, stiffness=10.0)[0, 0].round(3).tolist()
        [2.0, 0.0]
    """
    from scipy.sparse.linalg import spsolve

    height, width = evidence.xx.shape
    spacing = max(spacing_px, max(height, width) / MOST_CELLS)
    down, across = _Axis.divide(height, spacing), _Axis.divide(width, spacing)
    system = _build_system(evidence, down, across, stiffness)
    right = [_project(_sum_cells(each, down, across), down, across) for each in (evidence.x, evidence.y)]
    coefficients = spsolve(system, np.concatenate(right))
    found = [_evaluate(each, down, across) for each in np.split(coefficients, 2)]
    return np.stack(found, axis=-1).astype(np.float32)


def measure_freedom(evidence: Evidence, *, stiffness: float) -> Float32[np.ndarray, "h w"]:
    """Give how far each place could lie elsewhere for all that evidence and stiffness say.

    Taken for the negative logarithms of a likelihood and a prior, they make the displacement a normal distribution
    whose covariance is the inverse of the system. The spline is a coarse one: what is open is smooth.

    Args:
        evidence: In 1 / px^2, over the variance of noise.
        stiffness: Of the plate.

    Returns:
        One standard deviation of the distance, both axes together, px.

    Example:
        >>> one, none = np.ones((64, 96), np.float32), np.zeros((64, 96), np.float32)
        >>> textured = Evidence(xx=one, xy=none, yy=one, x=none, y=none)
        >>> float(measure_freedom(textured, stiffness=1e6).mean()) < 0.1
        True
    """
    height, width = evidence.xx.shape
    spacing = max(height, width) / FREEDOM_CELLS
    down, across = _Axis.divide(height, spacing), _Axis.divide(width, spacing)
    system = _build_system(evidence, down, across, stiffness)
    covariance = np.linalg.inv(system.toarray())
    basis = _combine(down, across)
    n_points = basis.shape[1]
    both = covariance[:n_points, :n_points] + covariance[n_points:, n_points:]
    variance = np.asarray(basis.multiply(basis @ both).sum(axis=1)).reshape(down.n_cells, across.n_cells)
    cells = np.sqrt(np.maximum(variance, 0)).astype(np.float32)
    return load_opencv().resize(cells, (width, height))


def _build_system(evidence: Evidence, down: "_Axis", across: "_Axis", stiffness: float) -> Any:
    """Give evidence and plate as one matrix (2 points, 2 points), sparse."""
    from scipy.sparse import bmat, identity

    sums = [_sum_cells(each, down, across) for each in (evidence.xx, evidence.xy, evidence.yy)]
    xx, xy, yy = (_weigh_products(each, down, across) for each in sums)
    plate = stiffness * _bend(down, across)
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
        """Give the control points: one before the first pixel, and enough for the last."""
        return math.floor((self.length - 1) / self.spacing) + 4

    def at_pixels(self) -> Any:
        """Give the basis (pixels, points), sparse."""
        return self._basis(np.arange(self.length, dtype=np.float64))

    def at_cells(self) -> Any:
        """Give the basis (cells, points) in the middle of the cells."""
        return self._basis((np.arange(self.n_cells) + 0.5) * self.length / self.n_cells - 0.5)

    def _basis(self, places: Float64[np.ndarray, "places"]) -> Any:
        from scipy.sparse import csr_matrix

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
        """Give the integral of products of derivatives of this order, (points, points), per pixel."""
        from scipy.sparse import csr_matrix

        # Derivatives of the basis on one cell as polynomials of u, integrated exactly over [0, 1].
        pieces = [np.polynomial.Polynomial(each) / 6 for each in PIECES]
        slopes = [each.deriv(order) if order else each for each in pieces]
        products = [[(a * b).integ()(1.0) for b in slopes] for a in slopes]
        total = np.zeros((self.n_points, self.n_points))
        for first in range(self.n_points - 3):
            total[first : first + 4, first : first + 4] += products
        return csr_matrix(total * self.spacing ** (1 - 2 * order))


# The four pieces of the uniform cubic B-spline, times 6, lowest power first.
PIECES = ((1.0, -3.0, 3.0, -1.0), (4.0, 0.0, -6.0, 3.0), (1.0, 3.0, 3.0, -3.0), (0.0, 0.0, 0.0, 1.0))


def _bend(down: _Axis, across: _Axis) -> Any:
    from scipy.sparse import kron

    return (
        kron(down.energy(0), across.energy(2))
        + 2 * kron(down.energy(1), across.energy(1))
        + kron(down.energy(2), across.energy(0))
    )


def _sum_cells(plane: Float32[np.ndarray, "h w"], down: _Axis, across: _Axis) -> Float64[np.ndarray, "_ _"]:
    cv2 = load_opencv()
    size = across.n_cells, down.n_cells
    mean = cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float64)
    return mean * (plane.size / mean.size)


def _project(cells: Float64[np.ndarray, "_ _"], down: _Axis, across: _Axis) -> Float64[np.ndarray, "points"]:
    """Sum values times each product of basis functions."""
    return (across.at_cells().T @ (down.at_cells().T @ cells).T).T.ravel()


def _weigh_products(cells: Float64[np.ndarray, "_ _"], down: _Axis, across: _Axis) -> Any:
    """Sum values times each product of two basis functions: (points, points), sparse."""
    from scipy.sparse import diags

    basis = _combine(down, across)
    return basis.T @ diags(cells.ravel()) @ basis


def _combine(down: _Axis, across: _Axis) -> Any:
    from scipy.sparse import kron

    return kron(down.at_cells(), across.at_cells(), format="csr")


def _evaluate(
    coefficients: Float64[np.ndarray, "points"], down: _Axis, across: _Axis
) -> Float64[np.ndarray, "_ _"]:
    table = coefficients.reshape(down.n_points, across.n_points)
    return (across.at_pixels() @ (down.at_pixels() @ table).T).T
