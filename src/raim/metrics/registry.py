"""The measures that there are. A new one is a module with its record, and a line here."""

from collections.abc import Mapping
from types import MappingProxyType

from raim.errors import unknown_name
from raim.metrics.dists import DISTS
from raim.metrics.gmsd import GMSD
from raim.metrics.lpips import LPIPS
from raim.metrics.ms_ssim import MS_SSIM
from raim.metrics.niqe import NIQE
from raim.metrics.psnr import PSNR
from raim.metrics.record import MeasureRecord
from raim.metrics.ssim import SSIM

MEASURES: Mapping[str, MeasureRecord] = MappingProxyType(
    {record.name: record for record in (PSNR, SSIM, MS_SSIM, GMSD, LPIPS, DISTS, NIQE)}
)


def find_measure(name: str) -> MeasureRecord:
    """Return the record of that name.

    Raises:
        UnknownNameError: There is none; the nearest is named.

    Example:
        >>> find_measure("niqe").needs_reference
        False
    """
    if name not in MEASURES:
        raise unknown_name("measure", name, MEASURES)
    return MEASURES[name]
