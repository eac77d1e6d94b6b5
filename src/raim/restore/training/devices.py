"""Lightning Fabric, as far as training uses it: devices, precision, several processes."""

import warnings
from typing import Any

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
        device: "cpu", "cuda", "mps", or "auto".
        devices: How many, at least 1.
        strategy: "auto" or one that Lightning Fabric knows, such as "ddp".
        precision: "32-true", "bf16-mixed" or "16-mixed".

    Raises:
        InputError: There is no such device here, or it cannot do that.
    """
    if devices < 1:
        raise InputError(f"{devices} devices were asked for; there must be at least 1")
    try:
        return LightningFabric(
            accelerator="gpu" if device == "cuda" else device,
            devices=devices,
            strategy=strategy,
            precision=precision,
        )
    except (RuntimeError, ValueError, ImportError, LookupError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"cannot train on {devices} x {device} ({reason}); take --device cpu") from error
    except Exception as error:
        if (
            type(error).__name__ != "MisconfigurationException"
        ):  # not importable from one place in all versions
            raise
        raise InputError(f"cannot train on {devices} x {device} ({error}); take --device cpu") from error
