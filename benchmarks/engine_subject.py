"""The process that is timed while one engine runs RRDBNet over one tile.

Run by engines.py: python engine_subject.py ENGINE TILE.npy RESULT.npy THREADS. Every engine gets the same tile,
reflected at its borders, and the same weights. The first run is not timed; its result is written.
"""

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from raim.networks.rrdbnet import BORDER_PX, SCALE, enlarge
from raim.networks.tiles import reflect
from raim.restore.descriptor import Context
from raim.restore.rrdbnet import load_parts
from raim.weights import fetch_files, load_weights
from turns import take_turns

WEIGHTS = "real-esrgan-x4plus"
Run = Callable[[np.ndarray], np.ndarray]  # (3, h, w) to (3, 4h, 4w), float32


def raim_engine(threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """Give what `raim restore` runs: (h, w, 3) to (4h, 4w, 3), which reflects the borders itself."""
    context = Context(threads=threads)
    parts = load_parts(WEIGHTS, context)
    return lambda tile: enlarge(tile, parts, context.on_progress)


def ncnn_whole(threads: int, *, is_bf16: bool) -> Run:
    """Give the published net, run at once over all of a tile."""
    import ncnn

    from raim.networks.ncnn import FLOAT32_ONLY

    files = fetch_files(WEIGHTS)
    (param,) = [path for name, path in files.items() if name.endswith(".param")]
    (binary,) = [path for name, path in files.items() if name.endswith(".bin")]
    net = ncnn.Net()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(net))  # at exit ncnn would free it after its allocators
    net.opt.num_threads = threads
    for option in FLOAT32_ONLY:
        if hasattr(net.opt, option):
            setattr(net.opt, option, False)
    net.opt.use_bf16_storage = is_bf16
    if net.load_param(str(param)) or net.load_model(str(binary)):
        raise SystemExit("ncnn could not load the net")

    def run(planes: np.ndarray) -> np.ndarray:
        extractor = net.create_extractor()
        extractor.input("data", ncnn.Mat(planes))
        status, mat = extractor.extract("output")
        if status:
            raise SystemExit(f"ncnn stopped with status {status}")
        return np.array(mat)

    return run


def torch_whole(threads: int, *, layout: str, is_bf16: bool) -> Run:
    """Give raim's torch form of the net, as one function of the whole tile."""
    import torch

    from raim.networks.rrdbnet import BLOCKS_IN_GROUP, SHARE
    from raim.networks.rrdbnet_torch import N_GROUPS, dense_block, head
    from raim.networks.torch import apply_convolution

    torch.set_num_threads(threads)
    form = getattr(torch, layout)
    kind = torch.bfloat16 if is_bf16 else torch.float32
    tensors = {
        name: torch.from_numpy(array.astype(np.float32)).to(
            kind, memory_format=form if array.ndim == 4 else torch.contiguous_format
        )
        for name, array in load_weights(WEIGHTS).items()
    }

    def run(planes: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            x = torch.from_numpy(planes)[None].to(kind, memory_format=form)
            features = apply_convolution(tensors, "conv_first", x)
            body = features
            for group in range(N_GROUPS):
                inner = body
                for block in range(BLOCKS_IN_GROUP):
                    inner = dense_block(tensors, f"body.{group}.rdb{block + 1}", inner)
                body = body + SHARE * inner
            return head(tensors, features + apply_convolution(tensors, "conv_body", body))[0].float().numpy()

    return run


def spandrel_whole(threads: int) -> Run:
    """Give spandrel's RRDBNet as it makes it, without its clipping."""
    import spandrel
    import torch

    torch.set_num_threads(threads)
    state = {
        name: torch.from_numpy(array.astype(np.float32)) for name, array in load_weights(WEIGHTS).items()
    }
    net = spandrel.ModelLoader(device="cpu").load_from_state_dict(state).model.eval()

    def run(planes: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return net(torch.from_numpy(planes)[None])[0].numpy()

    return run


# The order is that of the table; the reference of the differences is TRUTH.
ENGINES: dict[str, Callable[[int], Any]] = {
    "raim restore": raim_engine,
    "ncnn fp32, the whole tile": lambda threads: ncnn_whole(threads, is_bf16=False),
    "ncnn bf16 storage, the whole tile": lambda threads: ncnn_whole(threads, is_bf16=True),
    "torch contiguous": lambda threads: torch_whole(threads, layout="contiguous_format", is_bf16=False),
    "torch channels_last": lambda threads: torch_whole(threads, layout="channels_last", is_bf16=False),
    "torch bf16, channels_last": lambda threads: torch_whole(threads, layout="channels_last", is_bf16=True),
    "spandrel's RRDBNet": spandrel_whole,
}
TRUTH = "torch contiguous"


def run_tile(run: Run, tile: np.ndarray) -> np.ndarray:
    """Run a net over a tile (h, w, 3) whose borders are reflected as `raim restore` does it."""
    planes = np.ascontiguousarray(reflect(tile, BORDER_PX, 1).transpose(2, 0, 1))
    cut = slice(BORDER_PX * SCALE, -BORDER_PX * SCALE)
    return run(planes)[:, cut, cut].transpose(1, 2, 0)


def prepare(name: str, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """Give an engine as a function of a tile (h, w, 3)."""
    made = ENGINES[name](threads)
    return made if name == "raim restore" else lambda tile: run_tile(made, tile)


def main() -> None:
    """Run once, write what came out, then take turns."""
    name, source, target, threads = sys.argv[1:5]
    tile = np.load(source)
    compute = prepare(name, int(threads))
    np.save(Path(target), compute(tile))

    def run() -> dict[str, float | None]:
        compute(tile)
        return {}

    take_turns(run)


if __name__ == "__main__":
    main()
