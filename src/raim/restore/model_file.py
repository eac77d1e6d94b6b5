"""Any model file that spandrel reads, or that `raim train` made: DAT-light of the built-in table, and files of users.

Architectures whose licences restrict their use, Restormer among them, are in the package spandrel_extra_arches: where
the user has installed it, its models are read too. A user's pickle is read by spandrel's unpickler, which makes nothing
but tensors and plain containers.

Source: https://github.com/chaiNNer-org/spandrel; Chen et al., "Dual Aggregation Transformer for Image
Super-Resolution", ICCV 2023 (arXiv 2308.03364) for DAT.
"""

import contextlib
import functools
import importlib.metadata
import importlib.util
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from raim.devices import find_device
from raim.errors import InputError, need_extra
from raim.networks.tiles import Network, Tiling
from raim.restore.descriptor import Context, Photograph, Restorer
from raim.restore.trained_file import HALFNET, read_facts, restorer_from_trained

# Exact for nets of up to 32 convolutions; transformers look no further than their windows of 8 to 32 pixels, a few
# layers deep. An ESRGAN of 350 convolutions differs by up to 10/255 (measured).
OVERLAP_PX = 32
RAMP_PX = 8
TILE_PX = 160
# They learn the light, or what is alike, from means over the whole photograph. spandrel discourages tiles for two more:
# SwinIR and SCUNet look no further than their windows, and lose no more than other deep nets.
WHOLE_ONLY = frozenset({"HVICIDNet", "MixDehazeNet", "RetinexFormer"})
# What a net takes beside its tensors, in libraries and packed weights: with these, nets of five kinds took 0.6 to 1.1
# times the estimate on the processor (docs/benchmarks.md).
FIXED_BYTES = 200_000_000
WORK_SHARE = 1.3
PROBE_PX = 64
# spandrel is MIT, the code of DAT in it Apache-2.0; of other architectures it is whatever their authors chose.
DAT_LICENCE = "Apache-2.0; MIT"
FILE_LICENCE = "the architecture's, in {package}"
EXTRA = "spandrel_extra_arches"
EXTRA_NOTE = (
    f". Restormer, MPRNet, MIRNet-v2, SRFormer and some more are in {EXTRA}, which raim uses where it is installed "
    f"(pip install {EXTRA}); several of them may not be used commercially"
)
# Where windows of attention, or pixels of the coarsest scale, begin, where no attribute of the net says it.
GRIDS = {"MoESR": 2, "SCUNet": 64}  # SCUNet: windows of 8 pixels at an eighth of the size
SUFFIXES = (".pth", ".pt", ".safetensors", ".ckpt")


def restorer_from_file(path: Path) -> Restorer:
    """Read a model file.

    Args:
        path: Of a .pth, .pt, .ckpt or .safetensors file.

    Raises:
        InputError: It is no such file, no model that spandrel knows, or none that takes and gives RGB.
        MissingExtraError: spandrel is not installed.
    """
    if not path.is_file():
        raise InputError(f"there is no model file {path}")
    facts = read_facts(path)
    if facts is not None and facts.architecture.get("name") == HALFNET:
        return restorer_from_trained(path, facts)
    model = load_network(path)
    package = type(model.architecture).__module__.partition(".")[0]

    def compute(image: Photograph, context: Context) -> Photograph:
        if package == EXTRA:
            context.on_note(
                f"{model.architecture.name} is of {EXTRA}: see its licence before any commercial use"
            )
        return _run(model, image, context)

    def measure_memory(height: int, width: int) -> int:
        """Estimate the bytes for a whole photograph, by those that the model takes for a small one."""
        return FIXED_BYTES + round(WORK_SHARE * _bytes_per_pixel(model) * height * width)

    return Restorer(
        name=path.stem,
        purpose=f"{model.architecture.name} from {path.name}",
        compute=compute,
        scale=model.scale,
        licence=FILE_LICENCE.format(package=package),
        has_weights_of_user=True,
        source="a file of yours",
        seconds_per_megapixel=300.0,
        devices=("cpu", "torch"),
        whole_memory=measure_memory if _is_better_whole(model) else None,
        can_tile=_can_tile(model),
    )


def load_network(path: Path) -> Any:
    """Load a model file by spandrel, which describes the net; kept until the file changes.

    Raises:
        InputError: It is no model that spandrel knows, or none that takes and gives RGB; or spandrel_extra_arches is
            installed and broken.
        MissingExtraError: spandrel is not installed.
    """
    need_extra("this restorer", "spandrel", "spandrel")
    return _load_file(path, path.stat().st_mtime_ns)


def builtin_model(name: str, scale: int, source: str) -> Restorer:
    """Describe a model of the table of weights; it is loaded when it first runs."""

    def compute(image: Photograph, context: Context) -> Photograph:
        need_extra("this restorer", "spandrel", "spandrel")
        return _run(_load_builtin(name), image, context)

    return Restorer(
        name=name,
        purpose=f"enlarge {scale} times, trained on bicubic reductions",
        compute=compute,
        scale=scale,
        is_range_known=True,
        licence=DAT_LICENCE,
        source=source,
        weights=(name,),
        seconds_per_megapixel=530.0,
        devices=("cpu", "torch"),
    )


@functools.lru_cache(maxsize=2)
def _load_file(path: Path, changed_ns: int) -> Any:
    del changed_ns  # a part of the key: another file of the same name is loaded again
    import spandrel

    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path.name} is no model file; expected one of {', '.join(SUFFIXES)}")
    has_extra = _register_extra()
    try:
        with _meshgrid_unwarned():
            model = spandrel.ModelLoader(device="cpu").load_from_file(path)
    except spandrel.UnsupportedModelError as error:
        raise InputError(
            f"{path.name} holds no model that spandrel {importlib.metadata.version('spandrel')} knows; its README "
            f"lists those it does{'' if has_extra else EXTRA_NOTE}"
        ) from error
    except Exception as error:  # a damaged file makes unpicklers raise anything
        raise InputError(
            f"{path.name} cannot be read as a model ({type(error).__name__}: {error}); copy it again"
        ) from error
    return _check(path.name, model)


@functools.cache
def _load_builtin(name: str) -> Any:
    import spandrel
    import torch

    from raim.weights import load_weights

    state: dict[str, torch.Tensor] = {
        key: torch.from_numpy(np.array(value)) for key, value in load_weights(name).items()
    }
    with _meshgrid_unwarned():
        return _check(name, spandrel.ModelLoader(device="cpu").load_from_state_dict(state))


@functools.cache
def _register_extra() -> bool:
    """Let spandrel know the architectures of spandrel_extra_arches; say whether the user has installed it."""
    if importlib.util.find_spec(EXTRA) is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what torch has deprecated since
            importlib.import_module(EXTRA).install(ignore_duplicates=True)
    except Exception as error:  # raim neither pins that package nor tests it with all versions of spandrel
        raise InputError(
            f"{EXTRA} is installed and cannot be loaded ({type(error).__name__}: {error}); update or remove it"
        ) from error
    return True


@contextlib.contextmanager
def _meshgrid_unwarned() -> Iterator[None]:
    """Let architectures in spandrel call torch.meshgrid in the form that torch warns of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.meshgrid", category=UserWarning)
        yield


def _check(name: str, model: Any) -> Any:
    """Refuse what does not take and give RGB."""
    import spandrel

    if not isinstance(model, spandrel.ImageModelDescriptor):
        raise InputError(
            f"{name} is a {model.architecture.name} model that needs more than a picture (a mask); "
            "take one that restores a picture alone"
        )
    channels = (model.input_channels, model.output_channels)
    if channels != (3, 3):
        kind = "grey photographs" if channels[0] == 1 else "other data than RGB"
        raise InputError(
            f"{name} is a model for {kind}: {channels[0]} channels in, {channels[1]} out; expected 3 and 3"
        )
    return model


def _is_better_whole(model: Any) -> bool:
    import spandrel

    return model.tiling is not spandrel.ModelTiling.SUPPORTED


def _can_tile(model: Any) -> bool:
    return model.architecture.id not in WHOLE_ONLY


@functools.lru_cache(maxsize=2)
def _bytes_per_pixel(model: Any) -> float:
    import torch

    from raim.networks.torch import count_peak

    side, _ = _pad_sides(model, PROBE_PX, PROBE_PX)
    probe = np.zeros((side, side, 3), np.float32)
    network = _network(model.to(find_device("cpu")), "cpu")
    with torch.inference_mode():
        return count_peak(lambda: network(probe)) / side**2


def find_grid(model: Any) -> int:
    """Find the pixels after which a net does the same again: its windows of attention, its coarsest scale.

    Tiles that begin on this grid see the same windows and the same coarse pixels as the whole photograph has; others
    differ from it by up to 40/255 (NAFNet) and 20/255 (DAT), measured.
    """
    net = model.model
    sides: list[Any] = []
    for name in ("window_size", "split_size", "pad_size", "padder_size"):
        for stated in (getattr(net, name, None), getattr(net, "hyperparameters", {}).get(name)):
            sides += stated if isinstance(stated, list | tuple) else [stated]
    steps = [side for side in sides if isinstance(side, int) and side > 0]
    return math.lcm(max(1, model.size_requirements.multiple_of), GRIDS.get(model.architecture.id, 1), *steps)


def make_tiling(model: Any, *, height: int, width: int, tile_px: int | None) -> Tiling:
    """Choose tiles for a model: the whole photograph where that is better and no tiles are asked for."""
    needs = model.size_requirements
    multiple = find_grid(model)
    # What a tile reads begins on the grid by itself, half a ramp and the overlap before what it gives.
    overlap = OVERLAP_PX if multiple == 1 else -(-OVERLAP_PX // multiple) * multiple - RAMP_PX // 2
    is_whole = _is_better_whole(model) and (tile_px is None or not _can_tile(model))
    tile = max(height, width) + multiple if is_whole else max(TILE_PX, 5 * multiple, needs.minimum)
    tiling = Tiling(tile_px=tile, overlap_px=overlap, ramp_px=RAMP_PX, multiple=multiple, scale=model.scale)
    return tiling if is_whole else tiling.with_tile(tile_px)


def _run(model: Any, image: Photograph, context: Context) -> Photograph:
    """Run a model in tiles."""
    from raim.networks.torch import run_torch_tiled

    model = model.to(find_device(context.device)).eval()
    tiling = make_tiling(model, height=image.shape[0], width=image.shape[1], tile_px=context.tile_px)
    return run_torch_tiled(
        image,
        _network(model, context.device),
        tiling,
        threads=context.threads,
        on_progress=context.on_progress,
    )


def _network(model: Any, device: str) -> Network:
    from raim.networks.torch import from_device, to_device

    def network(tile: Photograph) -> Photograph:
        height, width = tile.shape[:2]
        high, wide = _pad_sides(model, height, width)
        grown = np.pad(tile, [(0, high - height), (0, wide - width), (0, 0)], mode="reflect")
        with _meshgrid_unwarned():
            # The descriptor itself would clip infinity and a result in 0..255 to white, without a word.
            restored = model._call_fn(model.model, to_device(grown.transpose(2, 0, 1), device))  # noqa: SLF001
            restored = restored[..., : height * model.scale, : width * model.scale]
            return from_device(restored).transpose(1, 2, 0)

    return network


def _pad_sides(model: Any, height: int, width: int) -> tuple[int, int]:
    """Return the sides of what a model is run on: of its least size, of its multiple, square where it must be."""
    needs = model.size_requirements
    least = max(needs.minimum, max(height, width) if needs.square else 0)
    high, wide = (-(-max(side, least) // needs.multiple_of) * needs.multiple_of for side in (height, width))
    return high, wide
