"""What a recipe says: one frozen record for each table of the file. `recipe_reading` makes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from raim.data.camera import draws
from raim.data.camera.draws import Draw
from raim.data.camera.stage import Value

Architecture = Literal["halfnet", "file"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
# Names of scikit-image's photographs in place of a folder: they lie in its wheel.
SCIKIT_IMAGE = "scikit-image"
DRAWS: Mapping[str, Callable[..., Draw]] = MappingProxyType(
    {
        "uniform": draws.uniform,
        "log_uniform": draws.log_uniform,
        "whole": draws.whole,
        "one_of": draws.one_of,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A number that is drawn for each patch; loading processes are sent this.

    Attributes:
        kind: A name of `DRAWS`.
        ends: Lowest and highest value, or the options of "one_of".
    """

    kind: str
    ends: tuple[Value, ...]

    @property
    def draw(self) -> Draw:
        """The distribution.

        Example:
            >>> Drawn(kind="uniform", ends=(0.5, 2.0)).draw.words
            '0.5 to 2'
        """
        return DRAWS[self.kind](*self.ends)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """What is trained.

    Attributes:
        architecture: "halfnet", our own, or "file": that of the model file `start`, which spandrel reads.
        channels: Of a halfnet.
        blocks: Of a halfnet.
        start: A model file to begin with; None: a halfnet that does nothing yet.
        layers: Beginnings of the names of the weights that learn, such as "tail"; empty: all do.
    """

    architecture: Architecture = "halfnet"
    channels: int = 64
    blocks: int = 12
    start: Path | None = None
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where patches come from: clean photographs through the camera model, or pairs as they are.

    Attributes:
        photographs: A folder of clean photographs, or "scikit-image"; None for pairs.
        pairs: A folder with input/ and reference/, as `raim align` and `raim degrade` make it; None for photographs.
        only: Stems that are taken; empty: all.
        leave_out: Stems that are not.
        presets: Of the camera, one drawn for each patch.
        camera: Parameters that are drawn otherwise than the preset does.
        shrink: Photographs are first made so many times smaller, which removes the noise they have themselves.
        mix_colours: Red, green and blue change places at random in each patch, so that the colours of a few
            photographs are not learnt by heart.
        brightness: Factor on the encoded values before the camera, above 0 to 1.
        soften_px: Deviation of a Gaussian blur before the camera: at a camera's own pixels photographs are softer, and
            freer of noise, than those that are passed around.
        weight: How often this source is taken, relative to the others.
    """

    photographs: Path | Literal["scikit-image"] | None = None
    pairs: Path | None = None
    only: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    camera: Mapping[str, Drawn | Value] = field(default_factory=dict[str, Drawn | Value])
    shrink: int = 1
    mix_colours: bool = False
    brightness: Drawn | float = 1.0
    soften_px: Drawn | float = 0.0
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LossChoice:
    """What is made small; the sum of its terms.

    Attributes:
        profile: Whose measures, with their options and weights.
        l1: Weight of the mean absolute difference.
        score: Weight of (100 - SCORE) / 100.
        measures: Weights of single measures of the profile, each as 0 at its `one_at` and 1 at its `zero_at`.
        niqe_floor: Below this NIQE counts for nothing, unless the references are lower; clean photographs measure 3.
        niqe_guard: How much each point below that costs, in points of NIQE.
    """

    profile: str = "raim-2024"
    l1: float = 1.0
    score: float = 0.0
    measures: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    niqe_floor: float = 3.0
    niqe_guard: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: Updates of the weights.
        batch: Patches in one of them, over all devices.
        patch_px: Side of a patch.
        learning_rate: The highest, after warming up.
        final_share: What is left of it at the end of the cosine.
        warm_up_steps: Over which it rises from near 0.
        weight_decay: Of AdamW.
        clip_norm: The gradient is made no longer than this.
        average_decay: Of the exponential moving average of the weights, which is what is validated and kept.
        precision: As Lightning Fabric names it.
        threads: Of torch on the CPU; 0: as many as there are cores.
        loaders: Processes that make patches; 0: the training process does.
    """

    steps: int
    batch: int = 8
    patch_px: int = 96
    learning_rate: float = 5e-4
    final_share: float = 0.02
    warm_up_steps: int = 50
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    average_decay: float = 0.999
    precision: Precision = "32-true"
    threads: int = 0
    loaders: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Validation:
    """What the averaged weights are tried on, scored by `raim.scoring`.

    Attributes:
        source: Where its pairs come from.
        count: How many pairs; of a folder of pairs the first ones by name.
        crop_px: Side of the square in the middle that is taken.
        every_steps: How often.
        shown: Pairs in a sample sheet.
    """

    source: Source
    count: int = 4
    crop_px: int = 256
    every_steps: int = 500
    shown: int = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """All that decides what comes out.

    Attributes:
        name: Of the recipe; the model is called so.
        note: What it is for.
        expect: Command, machine, time and the number to expect.
        seed: Of the first weights and of every patch.
        model: What is trained.
        sources: Where patches come from.
        loss: What is made small.
        schedule: How long and how fast.
        validation: What it is tried on.
        checkpoint_steps: How often the state is kept.
        log_steps: How often a line of the log is written.
        text: The file, with the changes of the command line below it.
    """

    name: str
    note: str = ""
    expect: str = ""
    seed: int = 0
    model: ModelChoice
    sources: tuple[Source, ...]
    loss: LossChoice
    schedule: Schedule
    validation: Validation
    checkpoint_steps: int = 250
    log_steps: int = 10
    text: str = ""
