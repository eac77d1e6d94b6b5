"""Lightning Fabric, as far as training uses it: devices, precision, several processes."""

import warnings
from typing import Any

from raim.devices import CPU, find_device
from raim.errors import InputError

with warnings.catch_warnings():
    # It looks for plugins by an interface of setuptools that warns of its own age.
    warnings.filterwarnings("ignore", category=UserWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    from lightning_fabric import Fabric as LightningFabric

Fabric = Any  # its methods are made at run time


def start_fabric(device: str, devices: int, strategy: str, precision: str) -> Fabric:
    """Choose devices and precision.

    Args:
        device: torch's name for it, such as "cpu", "cuda", "cuda:1" or "mps"; "auto" for the best that is here.
        devices: How many, at least 1; of a numbered one there is one.
        strategy: "auto" or one that Lightning Fabric knows, such as "ddp".
        precision: "32-true", "bf16-mixed" or "16-mixed".

    Raises:
        InputError: There is no such device here, or it cannot do that.
    """
    if devices < 1:
        raise InputError(f"{devices} devices were asked for; there must be at least 1")
    found = None if device == "auto" else find_device(device)
    kind = device if found is None else found.type
    number = None if found is None or kind == CPU else found.index
    if number is not None and devices > 1:
        raise InputError(f"{device} is one device, {devices} were asked for; take --device {kind}")
    try:
        return LightningFabric(
            accelerator="gpu" if kind == "cuda" else kind,
            devices=devices if number is None else [number],
            strategy=strategy,
            precision=precision,
        )
    except Exception as error:
        # Its own exception for this cannot be imported from one place in all versions.
        is_known = isinstance(error, (RuntimeError, ValueError, ImportError, LookupError))
        if not is_known and type(error).__name__ != "MisconfigurationException":
            raise
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"cannot train on {devices} x {device} ({reason}); take --device cpu") from error
