"""Our own trainable restorer: a residual net that works at half resolution and keeps the size.

    change = up(tail(blocks(head(down(x)))))              a block: b + conv(relu(conv(b)))
    y = x + change - grain Y(change)                      Y: brightness, BT.601

`down` puts each 2x2 square of pixels into 12 channels and `up` puts them back, so that nothing is lost and a layer
sees twice as far at a quarter of the cost. The last layer, and the last one of every block, begin at zero: an
untrained net is `identity`. With 64 channels and 12 blocks it has 900,173 parameters.

`grain`, one number, begins at 0. It is the share of the change of brightness that is not made, and so of the grain that
stays; what is changed in colour alone is changed whole. Recipes can train it alone (`layers = ["grain"]`).

Source: blocks without normalisation from Lim et al., "Enhanced Deep Residual Networks for Single Image
Super-Resolution", CVPRW 2017 (arXiv 1707.02921), section 3.1; half resolution from Zhang et al., "FFDNet", IEEE TIP
2018 (arXiv 1710.04026), section III-A; zero at the start from Zhang et al., "Fixup Initialization", ICLR 2019; Y from
Recommendation ITU-R BT.601-7, section 2.5.1. `grain` is ours.
"""

from dataclasses import dataclass

from raim.errors import InputError, need_extra

need_extra("this model", "torch", "torch")

import torch
from torch import Tensor, nn
from torch.nn import functional

HALF = 2  # the factor of `down`
LUMA = (0.299, 0.587, 0.114)  # of red, green, blue in Y
MOST_CHANNELS, MOST_BLOCKS = 512, 100  # beyond that a file is not to be believed


@dataclass(frozen=True, kw_only=True, slots=True)
class HalfNetShape:
    """The size of a net.

    Attributes:
        channels: Of every layer between, 8 to 512.
        blocks: Residual blocks of two convolutions, 1 to 100.
    """

    channels: int = 64
    blocks: int = 12

    def __post_init__(self) -> None:
        if not (8 <= self.channels <= MOST_CHANNELS and 1 <= self.blocks <= MOST_BLOCKS):
            raise InputError(
                f"a half-resolution net of {self.channels} channels and {self.blocks} blocks was asked for; "
                f"expected 8 to {MOST_CHANNELS} channels and 1 to {MOST_BLOCKS} blocks"
            )

    @property
    def reach_px(self) -> int:
        """How far a pixel of the result looks, in pixels.

        Example:
            >>> HalfNetShape().reach_px
            53
        """
        return HALF * (2 * self.blocks + 2) + 1


class Block(nn.Module):  # type: ignore[misc] # torch is not typed for the checker
    """Two convolutions beside a way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = _begin_at_zero(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to (b, channels, h, w)."""
        changed: Tensor = self.second(functional.relu(self.first(x)))
        return x + changed


class HalfNet(nn.Module):  # type: ignore[misc] # as above
    """The net.

    Args:
        shape: Its size.

    Example:
        >>> net = HalfNet(HalfNetShape())
        >>> sum(parameter.numel() for parameter in net.parameters())
        900173
        >>> x = torch.rand(1, 3, 16, 24)
        >>> bool((net(x) == x).all())
        True
    """

    def __init__(self, shape: HalfNetShape) -> None:
        super().__init__()
        self.shape = shape
        planes = 3 * HALF**2
        self.head = nn.Conv2d(planes, shape.channels, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(shape.channels) for _ in range(shape.blocks)))
        self.tail = _begin_at_zero(nn.Conv2d(shape.channels, planes, 3, padding=1))
        self.grain = nn.Parameter(torch.zeros(1))
        self.register_buffer("luma", torch.tensor(LUMA)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Restore (b, 3, h, w) in [0, 1] with even sides."""
        features = self.blocks(self.head(functional.pixel_unshuffle(x, HALF)))
        change = functional.pixel_shuffle(self.tail(features), HALF)
        return x + change - self.grain * (self.luma * change).sum(1, keepdim=True)


def _begin_at_zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
