"""What a measure is, said once: its name, options, direction, range, source and both its forms.

Each measure's module ends with its record; `raim.metrics.registry` lists them. All else asks a record and compares no
names: profiles, tables, training, the server.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from raim.errors import InputError, UnscorableError, unknown_name
from raim.metrics.arrays import PixelValues

Options = Mapping[str, str | float | bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureRecord:
    """A measure.

    Attributes:
        name: In profiles, files and code.
        title: For readers.
        source: The paper, and the code whose numbers it reproduces.
        higher_is_better: Its direction.
        value_range: Least and greatest value.
        array_form: Takes a restored image, its reference (if it needs one) and the options; returns a number, or a
            record with `value` and `warning`.
        tensor_form: Takes batches in the same way, and returns a tensor of values; differentiable.
        each_form: Takes several restored images of one reference, which share its pass, and the device of torch that
            computes them; None where each is measured by itself, on the processor.
        options: What each of its options may be: one of several words, bool, or float for a number from 0 up.
        needs_reference: Whether the value depends on the reference.
        block_px: Squares of this side must fit into an image, side by side, for it to have a value.
        n_blocks: So many of them.
        weights: The names of the pretrained weights that it uses, from its options.
        unit: Of its values.
        decimals: Digits after the point that tables show.
    """

    name: str
    title: str
    source: str
    higher_is_better: bool
    value_range: tuple[float, float]
    array_form: Callable[..., Any]
    tensor_form: Callable[..., Any]
    each_form: Callable[..., list[float]] | None = None
    options: Mapping[str, tuple[str, ...] | type] = field(default_factory=dict)
    needs_reference: bool = True
    block_px: Callable[[Options], int] = lambda _: 1
    n_blocks: int = 1
    weights: Callable[[Options], tuple[str, ...]] = lambda _: ()
    unit: str = ""
    decimals: int = 4

    def measure_arrays(
        self,
        restored: Sequence[PixelValues],
        reference: PixelValues | None,
        options: Options,
        device: str = "cpu",
        engine: str = "auto",
    ) -> list[tuple[float, str | None]]:
        """Return the value of each restored image of one reference, and what to know of it."""
        if self.each_form is not None:
            values = self.each_form(restored, reference, device=device, engine=engine, **options)
            return [(value, None) for value in values]
        references = (reference,) if self.needs_reference else ()
        found = [self.array_form(image, *references, **options) for image in restored]
        return [(getattr(each, "value", each), getattr(each, "warning", None)) for each in found]

    def check_options(self, options: Options) -> None:
        """Refuse options that it does not have, and values that they cannot have.

        Raises:
            InputError: A value is none of those that its option takes.
            UnknownNameError: There is no such option; the nearest is named.

        Example:
            >>> from raim.metrics import find_measure
            >>> find_measure("psnr").check_options({"color": "y"})
            Traceback (most recent call last):
            raim.errors.UnknownNameError: no option of psnr named 'color'; did you mean 'colour'? (known: colour,
            epsilon)
            >>> find_measure("lpips").check_options({"net": "vgg"})
            Traceback (most recent call last):
            raim.errors.InputError: the option net of lpips is 'vgg', expected 'alexnet' or 'vgg16'
        """
        for key, value in options.items():
            if key not in self.options:
                raise unknown_name(f"option of {self.name}", key, self.options)
            allowed = self.options[key]
            if isinstance(allowed, tuple):
                fits, expected = value in allowed, " or ".join(map(repr, allowed))
            elif allowed is bool:
                fits, expected = isinstance(value, bool), "True or False"
            else:
                is_number = isinstance(value, int | float) and not isinstance(value, bool)
                fits, expected = is_number and 0 <= float(value) < math.inf, "a number from 0 up"
            if not fits:
                raise InputError(f"the option {key} of {self.name} is {value!r}, expected {expected}")

    def why_too_small(self, options: Options, width: int, height: int, border_px: int = 0) -> str | None:
        """Return why no image of that size has a value once its border is cut off; None where one may have.

        Example:
            >>> from raim.metrics import find_measure
            >>> find_measure("lpips").why_too_small({}, 36, 36, border_px=4)
            'the image is 36x36 (28x28 once 4 px are cut off each side), LPIPS needs at least 31x31'
            >>> find_measure("lpips").why_too_small({}, 30, 200)
            'the image is 30x200, LPIPS needs at least 31x31'
            >>> niqe = find_measure("niqe")
            >>> niqe.why_too_small({}, 191, 191), niqe.why_too_small({}, 96, 192)
            ('the image is 191x191, NIQE needs at least 2 blocks of 96x96', None)
        """
        side = self.block_px(options)
        inner = (width - 2 * border_px, height - 2 * border_px)
        if (inner[0] // side) * (inner[1] // side) >= self.n_blocks:
            return None
        blocks = f"{self.n_blocks} blocks of " if self.n_blocks > 1 else ""
        cut = f" ({inner[0]}x{inner[1]} once {border_px} px are cut off each side)" if border_px else ""
        return f"the image is {width}x{height}{cut}, {self.title} needs at least {blocks}{side}x{side}"

    def check_size(self, height: int, width: int) -> None:
        """Refuse images that are too small for it, whatever its options.

        Raises:
            UnscorableError: They are.
        """
        if (reason := self.why_too_small({}, width, height)) is not None:
            raise UnscorableError(reason)
