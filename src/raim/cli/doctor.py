"""`raim doctor`: what is here, what is missing, and the command that mends it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from raim import __version__
from raim.processes import count_cores

LIBRARIES = ("numpy", "numba", "ncnn", "imagecodecs", "tifffile", "pillow", "safetensors", "pypi-simple")
# Import name, what it is for, and how it comes.
EXTRAS = {
    "torch": ("GPUs, training, differentiable measures", "pip install 'raim[torch]'"),
    "lightning_fabric": ("raim train", "pip install 'raim[train]'"),
    "cv2": ("raim align, raim demo, the restorer nlm", "pip install 'raim[demo]'"),
    "skimage": ("raim demo, the recipes that come with raim", "pip install 'raim[demo]'"),
}
LEAST_FREE_BYTES = 500 * 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        what: The thing looked at.
        state: What was found.
        mend: The command that mends it; empty where nothing is amiss.
        is_needed: Whether scoring does not work without it.
    """

    what: str
    state: str
    mend: str = ""
    is_needed: bool = False


@click.command()
def command() -> None:
    """Show versions, devices, caches and what is missing, with the command that mends it.

    Exits 2 if something is missing that scoring needs.
    """
    findings = [*find_versions(), *find_processor(), *find_devices(), *find_caches(), *find_weights()]
    for finding in findings:
        mark = "!!" if finding.is_needed else ("--" if finding.mend else "ok")
        click.echo(f"{mark}  {finding.what:<22} {finding.state}")
        if finding.mend:
            click.echo(f"    {'':<22} mend: {finding.mend}")
    if any(finding.is_needed for finding in findings):
        sys.exit(2)


def find_versions() -> Iterator[Finding]:
    """Look at Python, raim and the libraries."""
    yield Finding(what="raim", state=__version__)
    yield Finding(what="Python", state=f"{platform.python_version()} ({platform.platform()})")
    for name in LIBRARIES:
        try:
            yield Finding(what=name, state=importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(what=name, state="missing", mend=f"pip install {name}", is_needed=name != "ncnn")
    for module, (purpose, mend) in EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            yield Finding(what=module, state=f"not installed (optional: {purpose})", mend=mend)


def find_processor() -> Iterator[Finding]:
    """Look at the processor's cores and vector units."""
    from numba.core.codegen import get_host_cpu_features

    features = get_host_cpu_features()
    units = [
        name
        for name in ("avx2", "fma", "avx512f", "avx512_bf16", "neon")
        if f"+{name.replace('_', '')}" in features.replace("_", "")
    ]
    yield Finding(
        what="processor",
        state=f"{count_cores()} cores; {', '.join(units) or 'no vector unit known to raim'}",
    )
    if importlib.util.find_spec("ncnn"):
        from raim.metrics.trunk import load_engine

        yield Finding(
            what="engine", state=f"ncnn, {getattr(load_engine('ncnn'), 'pack', 1)} channels at a time"
        )


def find_devices() -> Iterator[Finding]:
    """Look for devices that `--device` takes."""
    if importlib.util.find_spec("torch") is None:
        yield Finding(what="devices", state="cpu")
        return
    import torch

    names = [
        f"cuda:{index} ({torch.cuda.get_device_name(index)})" for index in range(torch.cuda.device_count())
    ]
    yield Finding(what="devices", state=", ".join(["cpu", *names]) + f"; torch {torch.__version__}")


def find_caches() -> Iterator[Finding]:
    """Look at the folders that raim writes to."""
    from raim.scoring import default_cache

    scores = default_cache()
    free = shutil.disk_usage(_existing(scores.parent)).free
    writable = os.access(_existing(scores.parent), os.W_OK)
    state = f"{scores.parent} ({free / 2**30:.1f} GiB free)"
    if not writable:
        yield Finding(
            what="cache",
            state=f"{state}, cannot be written to",
            mend="export RAIM_CACHE_DIR=<a folder of yours>",
        )
    elif free < LEAST_FREE_BYTES:
        yield Finding(
            what="cache", state=f"{state}, nearly full", mend="free some space, or move it by RAIM_CACHE_DIR"
        )
    else:
        yield Finding(what="cache", state=state)


def find_weights() -> Iterator[Finding]:
    """Look at the pretrained weights, without using the network."""
    from raim.weights import SCORING, WEIGHTS, weights_state

    for name, weights in WEIGHTS.items():
        state = weights_state(name)
        is_scoring = weights.group == SCORING
        mend = "" if state != "missing" else f"raim weights fetch {'' if is_scoring else name}".strip()
        yield Finding(
            what=f"weights {name}",
            state=state if is_scoring else f"{state} (for restoring)",
            mend=mend,
            is_needed=bool(mend) and is_scoring,
        )


def _existing(path: Path) -> Path:
    """Give the nearest folder above that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
