"""The table of built-in restorers, and restorers by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from raim.errors import InputError, unknown_name
from raim.restore.auto import auto
from raim.restore.classical import IDENTITY, bicubic, nlm
from raim.restore.composition import chain
from raim.restore.descriptor import Restorer
from raim.restore.ffdnet import ffdnet
from raim.restore.maxim import MAXIM_DEBLUR
from raim.restore.model_file import builtin_model
from raim.restore.reduction import reduced
from raim.restore.rrdbnet import rrdbnet

DAT = "Chen et al., ICCV 2023 (arXiv 2308.03364); zhengchen1999/DAT"

_REAL_ESRGAN = rrdbnet(
    "real-esrgan-x4plus",
    "enlarge 4 times what is blurred, noisy and compressed",
    "Wang et al., ICCVW 2021 (arXiv 2107.10833); xinntao/Real-ESRGAN",
)
_BUILT_IN = (
    auto(_REAL_ESRGAN),
    IDENTITY,
    bicubic(2),
    bicubic(4),
    nlm(),
    ffdnet(),
    MAXIM_DEBLUR,
    _REAL_ESRGAN,
    rrdbnet(
        "realsr-df2k-x4",
        "enlarge 4 times what cameras and JPEG made",
        "Ji et al., CVPRW 2020; Tencent/Real-SR",
    ),
    *(builtin_model(f"dat-light-x{scale}", scale, DAT) for scale in (2, 3, 4)),
)

RESTORERS: Mapping[str, Restorer] = MappingProxyType({restorer.name: restorer for restorer in _BUILT_IN})

WITH_SIGMA: Mapping[str, Callable[[float | None], Restorer]] = MappingProxyType(
    {"ffdnet": ffdnet, "nlm": nlm}
)
MEASURED = "measure"


def find_restorer(name: str, *, sigma: float | None = None, reduction: int | str | None = None) -> Restorer:
    """Return a built-in restorer, or a chain of them.

    Args:
        name: A key of `RESTORERS`, or several with commas between, each taking what the one before gave.
        sigma: Noise level for those that take one, of 255; None for the measured one.
        reduction: 1 to 4 makes those that enlarge work at scale 1, `"measure"` does so by the factor that each
            photograph's bandwidth allows; None leaves them at their own scale.

    Raises:
        UnknownNameError: There is no such restorer; the nearest is named.
        InputError: The reduction is not one of the stated ones, or sigma is below 0.

    Example:
        >>> find_restorer("real-esrgan-x4plus").scale, find_restorer("ffdnet,real-esrgan-x4plus", reduction=4).scale
        (4, 1)
    """
    if sigma is not None and not 0 <= sigma <= 255:
        raise InputError(f"sigma is {sigma:g}; expected a standard deviation from 0 to 255")
    found = []
    for part in map(str.strip, name.split(",")):
        if part not in RESTORERS:
            raise unknown_name("restorer", part, RESTORERS)
        restorer = RESTORERS[part] if sigma is None or part not in WITH_SIGMA else WITH_SIGMA[part](sigma)
        found.append(restorer if reduction is None else at_scale_one(restorer, reduction))
    return chain(found)


def at_scale_one(restorer: Restorer, reduction: int | str) -> Restorer:
    """Return a restorer of scale 1: the same if it is known to be one, else by reducing the photograph first.

    Raises:
        InputError: The reduction is neither "measure" nor 1 to 4.
    """
    if isinstance(reduction, str) and reduction != MEASURED:
        raise InputError(f"the reduction is {reduction!r}; expected 1, 2, 3, 4 or {MEASURED!r}")
    if restorer.scale == 1 and not restorer.is_external:
        return restorer
    return reduced(restorer, None if isinstance(reduction, str) else reduction)
