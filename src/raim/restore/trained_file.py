"""The file that `raim train` makes: weights as safetensors, and in its header how they came about.

The header's one entry `raim` is JSON: schema, architecture, recipe, figures, versions. Nothing in such a file is
executed, and its sizes are checked against the architecture before anything is loaded.
"""

import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from raim.devices import find_device
from raim.errors import InputError
from raim.files import place_file
from raim.networks.tiles import Tiling
from raim.restore.descriptor import Context, Photograph, Restorer

SCHEMA = 1
ENTRY = "raim"
HALFNET = "halfnet"
TILE_PX = 384
KINDS: Mapping[str, type] = MappingProxyType(
    {"name": str, "architecture": dict, "recipe": str, "figures": dict, "made": dict}
)
SECONDS_PER_MEGAPIXEL = 8.0  # 64 channels, 12 blocks, one core of a 2026 server


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TrainedFacts:
    """What a trained model says of itself.

    Attributes:
        name: Of its recipe.
        architecture: "halfnet" with its sizes, or "file" with the name that spandrel gives it.
        recipe: The recipe's text, changes of the command line included.
        figures: Measures of the validation, at the end and of the inputs as they were.
        made: Versions, steps, seconds, seed, device.
    """

    name: str
    architecture: Mapping[str, Any]
    recipe: str
    figures: Mapping[str, Any]
    made: Mapping[str, Any]


def read_facts(path: Path) -> TrainedFacts | None:
    """Read what a model file says of its training; None for files of others.

    Raises:
        InputError: The file claims to be one of ours and is not in its form.
    """
    from safetensors import SafetensorError, safe_open

    if path.suffix.lower() != ".safetensors":
        return None
    try:
        with safe_open(path, framework="np") as file:
            stated = (file.metadata() or {}).get(ENTRY)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path.name} cannot be read as a model ({error}); copy it again") from error
    if stated is None:
        return None
    try:
        plain = json.loads(stated)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path.name} says nothing usable of its training ({error}); train it again"
        ) from error
    schema = plain.get("schema") if isinstance(plain, dict) else None
    if schema != SCHEMA:
        raise InputError(f"{path.name} is of schema {schema!r:.40}; this version of raim reads {SCHEMA}")
    wrong = [key for key, kind in KINDS.items() if not isinstance(plain.get(key), kind)]
    if wrong:
        raise InputError(f"{path.name} says nothing usable of its {', '.join(wrong)}; train it again")
    return TrainedFacts(**{key: plain[key] for key in KINDS})


def write_trained(path: Path, tensors: Mapping[str, Any], facts: TrainedFacts) -> None:
    """Write a .safetensors file of arrays by name, whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    from safetensors.numpy import save

    header = json.dumps({"schema": SCHEMA, **dataclasses.asdict(facts)})
    place_file(path, save({name: tensors[name] for name in sorted(tensors)}, metadata={ENTRY: header}))


def restorer_from_trained(path: Path, facts: TrainedFacts) -> Restorer:
    """Make the restorer of a halfnet.

    Raises:
        InputError: Its sizes are impossible, or its weights are not those of its architecture.
        MissingExtraError: torch is not installed.
    """
    network = load_halfnet(path, path.stat().st_mtime_ns)
    reach = network.shape.reach_px
    tiling = Tiling(tile_px=TILE_PX, overlap_px=reach + reach % 2, multiple=2)
    score = facts.figures.get("score")
    is_number = isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score)

    def compute(image: Photograph, context: Context) -> Photograph:
        from raim.networks.torch import from_device, run_torch_tiled, to_device

        moved = network.to(find_device(context.device))

        def restore_tile(tile: Photograph) -> Photograph:
            return from_device(moved(to_device(tile.transpose(2, 0, 1), context.device))).transpose(1, 2, 0)

        sized, threads = tiling.with_tile(context.tile_px), context.threads
        return run_torch_tiled(image, restore_tile, sized, threads=threads, on_progress=context.on_progress)

    return Restorer(
        name=facts.name if facts.name.isprintable() else path.stem,  # it goes to terminals
        purpose="trained by raim train" + (f", SCORE {score:.2f} in its validation" if is_number else ""),
        compute=compute,
        has_weights_of_user=True,
        source="raim train",
        seconds_per_megapixel=SECONDS_PER_MEGAPIXEL,
        devices=("cpu", "torch"),
    )


@functools.lru_cache(maxsize=2)
def load_halfnet(path: Path, changed_ns: int) -> Any:
    """Load a `HalfNet`; kept until the file changes.

    Raises:
        InputError: The file holds none, or other weights than its sizes say.
    """
    del changed_ns  # a part of the key
    facts = read_facts(path)
    if facts is None or facts.architecture.get("name") != HALFNET:
        raise InputError(
            f'{path.name} holds no halfnet; to train its own architecture write architecture = "file"'
        )
    from safetensors.torch import load_file

    from raim.networks.halfnet import HalfNet, HalfNetShape

    channels, blocks = (facts.architecture.get(key) for key in ("channels", "blocks"))
    if type(channels) is not int or type(blocks) is not int:
        raise InputError(f"{path.name} does not say the size of its net in whole numbers; train it again")
    shape = HalfNetShape(channels=channels, blocks=blocks)
    _check_weights(path, shape)
    network = HalfNet(shape)
    weights = load_file(path)
    broken = [name for name, each in weights.items() if not bool(each.isfinite().all())]
    if broken:
        raise InputError(
            f"{path.name} holds weights that are no numbers ({broken[0]}); train or copy it again"
        )
    network.load_state_dict(weights)
    return network.eval()


def _check_weights(path: Path, shape: Any) -> None:
    """Refuse other weights than those of a size, by the header alone."""
    import torch
    from safetensors import safe_open

    from raim.networks.halfnet import HalfNet

    with torch.device("meta"):  # takes no memory
        wanted = {name: tuple(each.shape) for name, each in HalfNet(shape).state_dict().items()}
    with safe_open(path, framework="np") as file:
        found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
        kinds = {file.get_slice(name).get_dtype() for name in found}
    other = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    if other:
        raise InputError(
            f"{path.name} does not hold the weights that it names ({other[0]}: {found.get(other[0], 'none')}, "
            f"expected {wanted.get(other[0], 'none')}); train it again"
        )
    if kinds != {"F32"}:
        raise InputError(
            f"{path.name} holds weights of {', '.join(sorted(kinds))}, expected F32; train it again"
        )
