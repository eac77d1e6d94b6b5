"""What a run leaves behind: lines of the logs, sample sheets, training.json, the model file, checkpoints."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from torch import Tensor, nn

from raim.images import write_image
from raim.restore.trained_file import TrainedFacts, write_trained
from raim.restore.training.logs import LOG, TENSORBOARD, VALIDATION, CsvLog, TensorBoard
from raim.restore.training.losses import Loss
from raim.restore.training.recipe import Recipe
from raim.restore.training.run_folder import MODEL, SAMPLES, RunFolder, write_checkpoint
from raim.restore.training.trainable import arrays_of
from raim.restore.training.validation import Validated, ValidationPair
from raim.scoring import find_profile

GAP_PX, HEADING_PX, TEXT_PX = 6, 22, 13  # of a sample sheet
GROUND, INK = (255, 255, 255), (20, 20, 20)
MADE = ("raim_version", "torch_version", "device", "threads", "precision", "seed", "profile")
Numbers = Mapping[str, float | None]


@dataclass(kw_only=True, slots=True)
class Recorder:
    """Writes for one run; what cannot be written is an `InputError`. On all devices but the first it does nothing.

    `identity` are means of the validation's inputs as they are, None for a model that enlarges; `means` are those of
    the last validation, `step` counts the steps done, `began` is the clock at the start.
    """

    folder: RunFolder
    recipe: Recipe
    identity: Numbers | None
    step: int
    is_writing: bool
    means: Numbers = field(default_factory=dict)
    began: float = field(init=False)
    log_file: CsvLog = field(init=False)
    validation_file: CsvLog = field(init=False)
    board: TensorBoard | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Open the logs at the step."""
        self.began = time.monotonic()
        path, loss = self.folder.path, self.recipe.loss
        profile = find_profile(loss.profile)
        single = [each.name for each in profile.measures if each.name in loss.measures]
        terms = (*(["l1"] if loss.l1 else []), *single, *(["score"] if loss.score else []))
        columns = ("step", "loss", *terms, "learning_rate", "gradient_norm", "seconds")
        self.log_file = CsvLog(path=path / LOG, columns=columns)
        self.validation_file = CsvLog(path=path / VALIDATION, columns=("step", *profile.columns))
        if self.is_writing:
            self.log_file.open_at(self.step)
            self.validation_file.open_at(self.step)
            self.write_facts()
            self.board = TensorBoard(folder=path / TENSORBOARD, step=self.step)

    def close(self) -> None:
        """Close what is open."""
        if self.board is not None:
            self.board.close()

    @property
    def seconds(self) -> float:
        """How long the run has taken, earlier starts included."""
        return self.folder.seconds_before + time.monotonic() - self.began

    def log(self, step: int, loss: Loss, rate: float, norm: Tensor, seconds: float) -> None:
        """Write a line of the log."""
        self.step = step
        if self.board is None:
            return
        numbers: dict[str, float | None] = {
            "loss": loss.total.item(),
            **{name: term.item() for name, term in loss.terms.items()},
            "learning_rate": rate,
            "gradient_norm": norm.item(),
            "seconds": seconds,
        }
        self.log_file.add(step, numbers)
        self.board.add("train", step, numbers)

    def record_validation(
        self, step: int, validated: Validated, pairs: Sequence[ValidationPair], average: nn.Module
    ) -> None:
        """Write what came of a validation: a line, a sheet, the facts, and the model as it is now."""
        self.step, self.means = step, validated.means
        sheet = draw_sheet(pairs, validated, step=step, shown=self.recipe.validation.shown)
        write_image(self.folder.path / SAMPLES / f"step-{step:08d}.png", sheet)
        self.validation_file.add(step, validated.means)
        if self.board is not None:
            self.board.add("validation", step, validated.means)
            self.board.add_picture("samples", step, sheet)
        self.write_facts()
        known = self.folder.facts
        facts = TrainedFacts(
            name=self.recipe.name,
            architecture=known["architecture"],
            recipe=self.recipe.text,
            figures={**self.means, "identity": self.identity},
            made={
                **{key: known[key] for key in MADE},
                "step": step,
                "steps": self.recipe.schedule.steps,
                "seconds": round(self.seconds, 1),
            },
        )
        write_trained(self.folder.path / MODEL, arrays_of(average), facts)

    def record_checkpoint(self, step: int, state: dict[str, Any]) -> None:
        """Keep the state, and write down how far the run is, from where it can go on."""
        write_checkpoint(self.folder.path, step, state)
        self.step = step
        self.write_facts()

    def write_facts(self) -> None:
        """Write training.json."""
        changed = {
            "step": self.step,
            "seconds": round(self.seconds, 1),
            "identity": self.identity,
            "is_finished": self.step == self.recipe.schedule.steps,
        }
        self.folder.write_facts(changed)


def draw_sheet(
    pairs: Sequence[ValidationPair], validated: Validated, *, step: int, shown: int
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw a sheet at native pixels: of each of the first pairs the input, what the net makes of it, the reference."""
    listed = list(zip(pairs, validated.restored, validated.scores, strict=True))[:shown]
    rows = [_draw_row(*each, step) for each in listed]
    sheet = Pillow.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), GROUND)
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return np.array(sheet)


def _draw_row(pair: ValidationPair, restored: np.ndarray, score: float | None, step: int) -> Pillow.Image:
    said = "no SCORE" if score is None else f"SCORE {score:.2f}"
    titles = (f"{pair.name}: input", f"step {step}: {said}", "reference")
    pictures = (pair.degraded, restored, pair.reference)
    width = max(picture.shape[1] for picture in pictures)
    height = max(picture.shape[0] for picture in pictures)
    row = Pillow.new("RGB", (3 * width + 4 * GAP_PX, height + HEADING_PX + GAP_PX), GROUND)
    pen, font = ImageDraw.Draw(row), ImageFont.load_default(TEXT_PX)
    for place, (title, picture) in enumerate(zip(titles, pictures, strict=True)):
        left = GAP_PX + place * (width + GAP_PX)
        pen.text((left, (HEADING_PX - TEXT_PX) // 2), _shorten(title, width, font), fill=INK, font=font)
        row.paste(Pillow.fromarray(np.ascontiguousarray(picture)), (left, HEADING_PX))
    return row


def _shorten(title: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    while len(title) > 1 and font.getlength(title) > width:
        title = title[:-2] + "…" if title.endswith("…") else title[:-1] + "…"
    return title
