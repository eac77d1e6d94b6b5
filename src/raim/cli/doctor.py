"""`raim doctor`: what is here, what is missing, and the command that fixes it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raim import __version__
from raim.devices import list_devices
from raim.processes import count_cores
from raim.sandbox import describe, probe

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# Import name, the extra that brings it, and what it is for.
EXTRAS = {
    "torch": ("torch", "GPUs, training, differentiable measures, the restorer maxim-deblur"),
    "lightning_fabric": ("train", "raim train"),
    "pi_heif": ("heif", "raim restore of HEIC"),
    "pillow_jxl": ("jxl", "raim restore of JPEG XL"),
    "cv2": ("opencv", "raim align, raim demo, the restorer nlm"),
    "scipy": ("pairs", "raim align, raim degrade"),
    "skimage": ("demo", "raim demo, the recipes that come with raim"),
    "spandrel": ("spandrel", "DAT-light, model files of others"),
    "choix": ("study", "raim study"),
    "jinja2": ("report", "pages: raim report, --html, --compare"),
    "matplotlib": ("report", "charts"),
    "fastapi": ("server", "raim serve"),
    "psycopg": ("server-postgresql", "a server on PostgreSQL"),
}
LEAST_FREE_BYTES = 500 * 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorFinding:
    """One line of the report.

    Attributes:
        what: The thing looked at.
        state: What was found.
        fix: The command that fixes it; empty where nothing is wrong.
        is_needed: Whether scoring does not work without it.
    """

    what: str
    state: str
    fix: str = ""
    is_needed: bool = False


@click.command()
def command() -> None:
    """Show versions, devices, caches and what is missing, with the command that fixes it.

    Exits 2 if something is missing that scoring needs.
    """
    parts = (
        find_versions,
        find_extras,
        find_processor,
        find_devices,
        find_sandbox,
        find_caches,
        find_weights,
    )
    findings = [finding for part in parts for finding in _look(part)]
    for finding in findings:
        mark = "!!" if finding.is_needed else ("--" if finding.fix else "ok")
        click.echo(f"{mark}  {finding.what:<22} {finding.state}")
        if finding.fix:
            click.echo(f"    {'':<22} fix: {finding.fix}")
    if any(finding.is_needed for finding in findings):
        sys.exit(2)


def _look(part: Callable[[], Iterator[DoctorFinding]]) -> Iterator[DoctorFinding]:
    """Look at a part of the report; where a library that it takes cannot be loaded, say so in its place."""
    try:
        yield from part()
    except (ImportError, OSError) as error:
        reason = " ".join(str(error).split())
        fix = "install what is missing above, or that library again"
        yield DoctorFinding(
            what=part.__name__.removeprefix("find_"),
            state=f"cannot be looked at: {reason}",
            fix=fix,
            is_needed=True,
        )


def find_versions() -> Iterator[DoctorFinding]:
    """Look at Python, raim and the libraries that raim's own metadata ask for."""
    yield DoctorFinding(what="raim", state=__version__)
    yield DoctorFinding(what="Python", state=f"{platform.python_version()} ({platform.platform()})")
    # Without ncnn, torch computes what it would.
    spare = {"ncnn"} if importlib.util.find_spec("torch") else set()
    for asked in _read_requirements():
        version = _find_version(asked.name)
        is_optional = asked.marker is not None and not asked.marker.evaluate({"extra": ""})
        if version is None and is_optional:
            continue
        fits = version is not None and asked.specifier.contains(version, prereleases=True)
        if fits and is_optional:
            continue
        plain = f"{asked.name}{asked.specifier}"
        yield DoctorFinding(
            what=asked.name,
            state=(version or "missing") if fits or version is None else f"{version}, but raim needs {plain}",
            fix="" if fits else f"pip install '{plain}'",
            is_needed=not fits and not is_optional and asked.name not in spare,
        )


def find_extras() -> Iterator[DoctorFinding]:
    """Look at what a user may want beside."""
    for module, (extra, purpose) in EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            fix = f"pip install 'raim[{extra}]'"
            yield DoctorFinding(what=module, state=f"not installed (optional: {purpose})", fix=fix)


def _read_requirements() -> list["Requirement"]:
    """Return what raim asks for, each library once for each of its ranges."""
    from packaging.requirements import Requirement

    try:
        lines = importlib.metadata.requires("raim") or []
    except importlib.metadata.PackageNotFoundError:  # it runs from its source
        return []
    asked = {}
    for line in lines:
        found = Requirement(line)
        key = (found.name, str(found.specifier))
        # The same of several extras is said once, and not as an extra's where raim itself needs it.
        if found.name != "raim" and (key not in asked or found.marker is None):
            asked[key] = found
    return list(asked.values())


def _find_version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def find_processor() -> Iterator[DoctorFinding]:
    """Look at the processor's cores and vector units."""
    from numba.core.codegen import get_host_cpu_features

    features = get_host_cpu_features()
    units = [
        name
        for name in ("avx2", "fma", "avx512f", "avx512_bf16", "neon")
        if f"+{name.replace('_', '')}" in features.replace("_", "")
    ]
    yield DoctorFinding(
        what="processor",
        state=f"{count_cores()} cores; {', '.join(units) or 'no vector unit known to raim'}",
    )
    if importlib.util.find_spec("ncnn"):
        from raim.networks.amx import has_amx
        from raim.networks.choice import measured_times
        from raim.networks.features import choose_engine

        times = measured_times()
        why = f"ncnn takes {times['ncnn']:.3f} s, winograd {times['winograd']:.3f}" if times else "no AVX-512"
        amx = "on AMX" if has_amx() else "by ncnn, without AMX"
        yield DoctorFinding(what="engine", state=f"{choose_engine()} ({why}); fast: {amx}")


def find_devices() -> Iterator[DoctorFinding]:
    """Look for devices that `--device` takes."""
    state = ", ".join(list_devices())
    if importlib.util.find_spec("torch") is not None:
        import torch

        cards = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        state += "".join(f"; cuda:{index} is {card}" for index, card in enumerate(cards))
        state += f"; torch {torch.__version__}"
    yield DoctorFinding(what="devices", state=state)


def find_sandbox() -> Iterator[DoctorFinding]:
    """Look at what holds back the process in which a challenge server decodes images of teams."""
    missing = probe()
    fix = "a kernel of Linux 5.13 or newer, a container that allows these calls (docs/security.md)"
    yield DoctorFinding(
        what="sandbox", state=describe(missing), fix=fix if missing and sys.platform == "linux" else ""
    )


def find_caches() -> Iterator[DoctorFinding]:
    """Look at the folders that raim writes to."""
    from raim.scoring import default_cache

    scores = default_cache()
    free = shutil.disk_usage(_existing(scores.parent)).free
    writable = os.access(_existing(scores.parent), os.W_OK)
    state = f"{scores.parent} ({free / 2**30:.1f} GiB free)"
    if not writable:
        yield DoctorFinding(
            what="cache",
            state=f"{state}, cannot be written to",
            fix="export RAIM_CACHE_DIR=<a folder of yours>",
        )
    elif free < LEAST_FREE_BYTES:
        yield DoctorFinding(
            what="cache", state=f"{state}, nearly full", fix="free some space, or move it by RAIM_CACHE_DIR"
        )
    else:
        yield DoctorFinding(what="cache", state=state)


def find_weights() -> Iterator[DoctorFinding]:
    """Look at the pretrained weights, without using the network."""
    from raim.weights import SCORING, WEIGHTS, weights_folders, weights_state

    is_offline = weights_folders().is_offline
    for name, weights in WEIGHTS.items():
        state = weights_state(name)
        is_scoring = SCORING in weights.groups
        fix = "" if state != "missing" else f"raim weights fetch {'' if is_scoring else name}".strip()
        yield DoctorFinding(
            what=f"weights {name}",
            state=state if is_scoring else f"{state} (for restoring)",
            fix=fix,
            is_needed=bool(fix) and is_scoring and is_offline,  # else they are fetched at first use
        )


def _existing(path: Path) -> Path:
    """Return the nearest folder above that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
