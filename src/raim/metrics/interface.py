"""Measures by name, as objects that are called on whatever holds an image: `raim.measure`."""

from collections.abc import Sequence
from typing import Any

from raim.devices import CPU, check_device
from raim.errors import InputError
from raim.metrics.arrays import PixelValues, convert_image, match_arrays
from raim.metrics.record import MeasureRecord, Options
from raim.metrics.registry import MEASURES, find_measure
from raim.metrics.sources import Source, is_tensor, make_batches, read_source


class Measure:
    """A measure with its options.

    It is called on paths, PIL images, arrays (h, w[, 3]) and tensors ([b,] 3, h, w), also mixed: `m(restored,
    reference)`. The value is a float; where one of them is a tensor it is a tensor, one value for each image of its
    batch, through which gradients flow.

    Attributes:
        name: As `raim.measures` lists it.
        options: As it was asked for.
        device: Of torch; None: tensors are measured where they lie, all else on the processor.
        higher_is_better: Its direction.
        needs_reference: Whether it compares with a reference; one that does not passes it over.
        value_range: Least and greatest value.
        source: The paper, and the code whose numbers it reproduces.

    Example:
        >>> import numpy as np
        >>> psnr = measure("psnr")
        >>> psnr(np.full((8, 8), 110, np.uint8), np.full((8, 8), 100, np.uint8))
        28.130803608679106
    """

    def __init__(self, record: MeasureRecord, options: Options, device: str | None = None) -> None:
        record.check_options(options)
        self.name, self.source, self.value_range = record.name, record.source, record.value_range
        self.higher_is_better, self.needs_reference = record.higher_is_better, record.needs_reference
        self.options, self.device, self._record = dict(options), device, record

    def __repr__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        return f"raim.measure({self.name!r}{options})" + (f".to({self.device!r})" if self.device else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return _find, (self.name, self.options, self.device)

    def to(self, device: str) -> "Measure":
        """Return the same measure on a device of torch: tensors go there, and so do the nets of LPIPS and DISTS.

        Raises:
            InputError: There is no such device here.
        """
        check_device(device)
        return Measure(self._record, self.options, device)

    def __call__(self, restored: Source, reference: Source | None = None) -> Any:
        """Return the value of one image.

        Raises:
            InputError: The images are not as stated, of two sizes, or the reference is missing.
            UnscorableError: The image can have no value.
        """
        return self.each([restored], reference)[0]

    def each(self, restored: Sequence[Source], reference: Source | None = None) -> list[Any]:
        """Return the values of several images of one reference, which is read, and goes through a net, once.

        Raises:
            InputError: As for one.
            UnscorableError: As for one.

        Example:
            >>> import numpy as np
            >>> grey = np.full((64, 64, 3), 128, np.uint8)
            >>> [round(value, 4) for value in measure("dists").each([grey, grey // 2], grey)]
            [0.0, 0.2097]
        """
        if not self.needs_reference:
            reference = None
        elif reference is None:
            raise InputError(f"{self.name} compares with a reference; call it as m(restored, reference)")
        elif not is_tensor(reference):
            reference = read_source(reference)[0]
        if any(map(is_tensor, [*restored, reference])):
            return [self._measure_tensors(image, reference) for image in restored]
        images = [read_source(image)[0] for image in restored]
        if reference is None:
            return self._measure_arrays([convert_image(image, image.dtype) for image in images], None)
        pairs = [match_arrays(image, reference) for image in images]
        if len({image.dtype for image, _ in pairs}) == 1:
            return self._measure_arrays([image for image, _ in pairs], pairs[0][1])
        return [value for image, other in pairs for value in self._measure_arrays([image], other)]

    def _measure_arrays(self, images: Sequence[PixelValues], reference: PixelValues | None) -> list[float]:
        found = self._record.measure_arrays(images, reference, self.options, self.device or CPU)
        return [value for value, _ in found]

    def _measure_tensors(self, image: Source, reference: Source | None) -> Any:
        if not is_tensor(image) and reference is None:  # beside tensors
            return self(image)
        sources = [image] if reference is None else [image, reference]
        values = self._record.tensor_form(*make_batches(sources, self.device), **self.options)
        return values if any(getattr(each, "ndim", 3) == 4 for each in sources) else values[0]


def _find(name: str, options: Options, device: str | None) -> Measure:
    """Return a measure again in another process."""
    return Measure(find_measure(name), options, device)


def measure(name: str, **options: str | float | bool) -> Measure:
    """Return a measure by its name, with options as its function in `raim.metrics` takes them.

    Raises:
        InputError: An option has a value that it does not take.
        UnknownNameError: There is no such measure or option; the nearest is named.

    Example:
        >>> measure("lpips", net="vgg16").higher_is_better
        False
    """
    return Measure(find_measure(name), options)


def measures() -> tuple[str, ...]:
    """Return the names of all measures.

    Example:
        >>> measures()[:2]
        ('psnr', 'ssim')
    """
    return tuple(MEASURES)
