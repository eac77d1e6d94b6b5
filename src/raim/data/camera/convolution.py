"""Blurring with mirrored edges: by a kernel, and by a Gaussian of any width.

The photograph goes on outside as its mirror image, so that a blur neither darkens the border nor changes a flat
picture. Both use Fourier methods; what they cost does not depend on the blur's width.

Source: Martucci, "Symmetric convolution and the discrete sine and cosine transforms", IEEE Transactions on Signal
Processing 42(5), 1994: a symmetric kernel on a half-sample mirrored signal is a product in the DCT-II.
"""

import numpy as np
from jaxtyping import Float, Float32

from raim.data.camera.arrays import Layers


def blur_with_kernel(picture: Layers, kernel: Float[np.ndarray, "k k"]) -> Layers:
    """Convolve each channel with a kernel of odd size whose centre is its middle element.

    Example:
        >>> picture = np.zeros((5, 5), np.float32)
        >>> picture[2, 2] = 1
        >>> blur_with_kernel(picture, np.full((3, 3), 1 / 9)).round(2)[1].tolist()
        [0.0, 0.10999999940395355, 0.10999999940395355, 0.10999999940395355, 0.0]
    """
    from scipy.signal import oaconvolve

    margin = kernel.shape[0] // 2
    beside = [(0, 0)] * (picture.ndim - 2)
    padded = np.pad(picture, [(margin, margin), (margin, margin), *beside], mode="symmetric")
    weights = kernel.astype(np.float32).reshape(*kernel.shape, *(1 for _ in beside))
    return oaconvolve(padded, weights, mode="valid", axes=(0, 1)).astype(np.float32, copy=False)


def blur_gaussian(picture: Layers, sigma_px: float) -> Layers:
    """Blur each channel by a Gaussian, through its transform exp(-(sigma omega)^2 / 2).

    Example:
        >>> picture = np.zeros((9, 9), np.float32)
        >>> picture[4, 4] = 1
        >>> blurred = blur_gaussian(picture, 1.0)
        >>> round(float(blurred.sum()), 4), round(float(blurred[4, 4]), 3)  # 1 / (2 pi)
        (1.0, 0.159)
    """
    from scipy.fft import dctn, idctn

    if sigma_px == 0:
        return picture
    response = np.outer(*(_gaussian_response(n, sigma_px) for n in picture.shape[:2]))
    spectrum = dctn(picture, axes=(0, 1))
    spectrum *= response if picture.ndim == 2 else response[..., None]
    return idctn(spectrum, axes=(0, 1), overwrite_x=True)


def _gaussian_response(n: int, sigma_px: float) -> Float32[np.ndarray, " n"]:
    omega = np.pi * np.arange(n) / n
    return np.exp(-((sigma_px * omega) ** 2) / 2).astype(np.float32)
