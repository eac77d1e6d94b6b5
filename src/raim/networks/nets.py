"""The nets as records: which parts follow each other, and which weights they have.

Source: VGG16 (Simonyan and Zisserman 2015, table 1, configuration D) up to relu5_3 and AlexNet (Krizhevsky 2014, "One
weird trick", as torchvision has it) up to relu5. Every convolution is followed by a ReLU. Taps are the layers that
LPIPS (Zhang et al. 2018) and DISTS (Ding et al. 2020) compare. FFDNet: Zhang, Zuo, Zhang, IEEE TIP 27(9), 2018, section
III. RRDBNet, MAXIM and halfnet are in modules of their own.
"""

from dataclasses import dataclass
from typing import Literal

from raim.errors import UnscorableError


@dataclass(frozen=True, kw_only=True, slots=True)
class Convolution:
    """A square convolution with a ReLU behind it.

    Attributes:
        inputs: Channels in.
        outputs: Channels out.
        kernel: Side of the kernel in pixels.
        stride: Step in pixels.
        padding: Zeros on each side, in pixels.
        is_tap: Whether its ReLU's output is a feature that measures compare.
    """

    inputs: int
    outputs: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    is_tap: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Pooling:
    """A pooling over square windows.

    Attributes:
        kind: "max", or "l2": the square root of the Hann-weighted mean of squares (DISTS).
        channels: Channels in and out.
        kernel: Side of the window in pixels.
        stride: Step in pixels.
        padding: Zeros on each side, in pixels.
    """

    kind: Literal["max", "l2"]
    channels: int
    kernel: int
    stride: int = 2
    padding: int = 0

    @property
    def inputs(self) -> int:
        """Channels in."""
        return self.channels


Layer = Convolution | Pooling


@dataclass(frozen=True, kw_only=True, slots=True)
class Backbone:
    """A named chain of layers whose features measures compare.

    Attributes:
        name: Of the net.
        weights: The entry of `raim.weights` that holds its convolutions.
        layers: In order.
    """

    name: str
    weights: str
    layers: tuple[Layer, ...]

    @property
    def tap_channels(self) -> tuple[int, ...]:
        """Channels of each tapped feature, in order."""
        return tuple(
            layer.outputs for layer in self.layers if isinstance(layer, Convolution) and layer.is_tap
        )

    def number_of(self, index: int) -> int:
        """Count the convolutions before a layer, by which weights are named."""
        return sum(isinstance(layer, Convolution) for layer in self.layers[:index])

    @property
    def smallest_px(self) -> int:
        """Side of the smallest image that leaves a pixel of the last feature."""
        least = 1
        for layer in reversed(self.layers):
            least = max((least - 1) * layer.stride + layer.kernel - 2 * layer.padding, 1)
        return least

    def check_size(self, height: int, width: int) -> None:
        """Refuse images that leave no pixel of the last feature.

        Raises:
            UnscorableError: They are too small.

        Example:
            >>> ALEXNET.check_size(31, 30)
            Traceback (most recent call last):
            raim.errors.UnscorableError: the image is 30x31, alexnet needs at least 31 pixels on each side
        """
        if min(height, width) < self.smallest_px:
            raise UnscorableError(
                f"the image is {width}x{height}, {self.name} needs at least {self.smallest_px} pixels on each side"
            )


def _vgg16(kind: Literal["max", "l2"]) -> Backbone:
    """Chain VGG16's five blocks; DISTS replaces each max pooling by an L2 pooling of 3x3."""
    blocks = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    layers: list[Layer] = []
    channels = 3
    for index, (outputs, repeats) in enumerate(blocks):
        if index and kind == "max":
            layers.append(Pooling(kind="max", channels=channels, kernel=2))
        elif index:
            layers.append(Pooling(kind="l2", channels=channels, kernel=3, padding=1))
        for repeat in range(repeats):
            layers.append(Convolution(inputs=channels, outputs=outputs, is_tap=repeat == repeats - 1))
            channels = outputs
    return Backbone(name=f"vgg16-{kind}", weights="vgg16", layers=tuple(layers))


VGG16 = {"max": _vgg16("max"), "l2": _vgg16("l2")}

ALEXNET = Backbone(
    name="alexnet",
    weights="alexnet",
    layers=(
        Convolution(inputs=3, outputs=64, kernel=11, stride=4, padding=2, is_tap=True),
        Pooling(kind="max", channels=64, kernel=3),
        Convolution(inputs=64, outputs=192, kernel=5, padding=2, is_tap=True),
        Pooling(kind="max", channels=192, kernel=3),
        Convolution(inputs=192, outputs=384, is_tap=True),
        Convolution(inputs=384, outputs=256, is_tap=True),
        Convolution(inputs=256, outputs=256, is_tap=True),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """Convolutions of 3x3 in a row, each but the last followed by a ReLU.

    Attributes:
        weights: The entry of `raim.weights`.
        convolutions: Their names there, in order.
    """

    weights: str
    convolutions: tuple[str, ...]


FFDNET = Chain(weights="ffdnet-color", convolutions=tuple(f"model.{2 * index}" for index in range(12)))
