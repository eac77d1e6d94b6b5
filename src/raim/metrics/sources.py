"""What a measure may be called on: files, PIL images, arrays and tensors, brought to one form."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from raim.errors import InputError
from raim.images import read_image
from raim.metrics.arrays import Batch, PixelValues, Tensor, convert_image

Source = Any  # a path, a PIL image, an array (h, w[, 3]) or a tensor ([b,] 3, h, w)
GREY_OR_COLOUR = ("L", "RGB", "I;16")  # modes of PIL


def read_source(source: Source) -> tuple[PixelValues, tuple[str, ...]]:
    """Return the pixels of a file, a PIL image or an array as an array, and what is to be known of them.

    Raises:
        ImageError: A file cannot be used as it is.
        InputError: A PIL image is neither grey nor RGB.

    Example:
        >>> from PIL import Image
        >>> pixels, warnings = read_source(Image.new("RGB", (3, 2)))
        >>> pixels.shape, pixels.dtype, warnings
        ((2, 3, 3), dtype('uint8'), ())
    """
    if isinstance(source, str | Path):
        picture = read_image(Path(source), purpose="score")
        return picture.pixels, picture.warnings
    pil = sys.modules.get("PIL.Image")
    if isinstance(source, np.ndarray):
        return source, ()
    if pil is None or not isinstance(source, pil.Image):
        raise InputError(
            f"an image is a {type(source).__name__}, expected a path, a PIL image, a numpy array (h, w[, 3]) "
            "or, of measures, a tensor ([b,] 3, h, w)"
        )
    if source.mode not in GREY_OR_COLOUR:
        raise InputError(
            f"a PIL image is of mode {source.mode}, expected {', '.join(GREY_OR_COLOUR)}; "
            "convert it first, such as by .convert('RGB')"
        )
    return np.asarray(source), ()


def is_tensor(source: Source) -> bool:
    """Return whether it is a tensor of torch.

    Example:
        >>> is_tensor("photograph.png")
        False
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.Tensor)


def make_batches(sources: list[Source], device: Any = None) -> list[Batch]:
    """Bring sources, of which one is a tensor, to batches of one size, type and device.

    Args:
        sources: Tensors of integers count as of 0 to 255; others keep their type, which arrays take.
        device: None for that of the first tensor.
    """
    import torch

    tensors = [each for each in sources if is_tensor(each)]
    dtype = next((each.dtype for each in tensors if each.is_floating_point()), torch.float32)
    batches = [_make_batch(each, dtype).to(device or tensors[0].device) for each in sources]
    most = max(map(len, batches))
    return [each.expand(most, *each.shape[1:]) if len(each) == 1 else each for each in batches]


def _make_batch(source: Source, dtype: Any) -> Tensor:
    import torch

    if not is_tensor(source):
        array = convert_image(read_source(source)[0], np.dtype(np.float64))
        return torch.from_numpy(np.ascontiguousarray(array)).to(dtype).permute(2, 0, 1)[None]
    batch = source[None] if source.ndim == 3 else source
    return batch.to(dtype) / 255 if batch.dtype == torch.uint8 else batch
