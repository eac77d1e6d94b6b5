"""What a run leaves behind: lines of the logs, sample sheets, training.json, and the model file."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from raim.restore.trained_file import TrainedFacts, write_trained
from raim.restore.training.logs import LOG, TENSORBOARD, VALIDATION, CsvLog, TensorBoard
from raim.restore.training.losses import Loss
from raim.restore.training.recipe import LossChoice, Recipe
from raim.restore.training.run_folder import MODEL, RunFolder
from raim.restore.training.samples import draw_sheet, write_sheet
from raim.restore.training.trainable import arrays_of
from raim.restore.training.validation import Validated, ValidationPair
from raim.scoring import find_profile

Numbers = Mapping[str, float | None]


@dataclass(slots=True)
class Recorder:
    """Writes for one run; on all devices but the first it does nothing.

    Attributes:
        folder: Of the run.
        recipe: Of the run.
        identity: Means of the validation's inputs as they are; None for a model that enlarges.
        began: Clock at the start.
        log_file: log.csv.
        validation_file: validation.csv.
        board: TensorBoard; None on all devices but the first.
        step: Steps done.
        means: Of the last validation.
    """

    folder: RunFolder
    recipe: Recipe
    identity: Numbers | None
    began: float
    log_file: CsvLog
    validation_file: CsvLog
    board: TensorBoard | None
    step: int
    means: Numbers = field(default_factory=dict)

    @classmethod
    def open(
        cls, folder: RunFolder, recipe: Recipe, step: int, identity: Validated | None, *, is_writing: bool
    ) -> "Recorder":
        """Open the logs at a step, on the first device.

        Raises:
            InputError: They cannot be written.
        """
        path = folder.path
        columns = ("step", "loss", *name_terms(recipe.loss), "learning_rate", "gradient_norm", "seconds")
        recorder = cls(
            folder=folder,
            recipe=recipe,
            identity=None if identity is None else identity.means,
            began=time.monotonic(),
            log_file=CsvLog(path=path / LOG, columns=columns),
            validation_file=CsvLog(
                path=path / VALIDATION, columns=("step", *find_profile(recipe.loss.profile).columns)
            ),
            board=None,
            step=step,
        )
        if is_writing:
            recorder.log_file.open_at(step)
            recorder.validation_file.open_at(step)
            recorder.write_facts(is_finished=False)
            recorder.board = TensorBoard(folder=path / TENSORBOARD, step=step)
        return recorder

    def __enter__(self) -> "Recorder":  # noqa: PYI034 - the test run's type checks do not take Self
        return self

    def __exit__(self, *_: object) -> None:
        if self.board is not None:
            self.board.close()

    @property
    def seconds(self) -> float:
        """How long the run has taken, earlier starts included."""
        return self.folder.seconds_before + time.monotonic() - self.began

    def log(self, step: int, loss: Loss, rate: float, norm: Tensor, seconds: float) -> None:
        """Write a line of the log.

        Raises:
            InputError: It cannot be written.
        """
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

    def forget_after(self, step: int) -> None:
        """Remove the validations after a step.

        Raises:
            InputError: The file cannot be written.
        """
        if self.board is not None:
            self.validation_file.open_at(step)

    def record_validation(
        self, step: int, validated: Validated, pairs: Sequence[ValidationPair], average: nn.Module
    ) -> None:
        """Write what came of a validation: a line, a sheet, the facts, and the model as it is now.

        Raises:
            InputError: Something cannot be written.
        """
        self.step, self.means = step, validated.means
        sheet = draw_sheet(pairs, validated, step=step, shown=self.recipe.validation.shown)
        write_sheet(self.folder.path, step, sheet)
        self.validation_file.add(step, validated.means)
        if self.board is not None:
            self.board.add("validation", step, validated.means)
            self.board.add_picture("samples", step, sheet)
        is_finished = step == self.recipe.schedule.steps
        self.write_facts(is_finished=is_finished)
        write_trained(self.folder.path / MODEL, arrays_of(average), self._describe())

    def record_checkpoint(self, step: int) -> None:
        """Write down how far the run is, from where it can go on.

        Raises:
            InputError: It cannot be written.
        """
        self.step = step
        self.write_facts(is_finished=step == self.recipe.schedule.steps)

    def write_facts(self, *, is_finished: bool) -> None:
        """Write training.json.

        Raises:
            InputError: It cannot be written.
        """
        changed = {
            "step": self.step,
            "seconds": round(self.seconds, 1),
            "identity": self.identity,
            "is_finished": is_finished,
        }
        self.folder.write_facts(changed)

    def _describe(self) -> TrainedFacts:
        known = self.folder.facts
        made = {
            key: known[key]
            for key in ("raim_version", "torch_version", "device", "threads", "precision", "seed", "profile")
        }
        return TrainedFacts(
            name=self.recipe.name,
            architecture=known["architecture"],
            recipe=self.recipe.text,
            figures={**self.means, "identity": self.identity},
            made={
                **made,
                "step": self.step,
                "steps": self.recipe.schedule.steps,
                "seconds": round(self.seconds, 1),
            },
        )


def name_terms(choice: LossChoice) -> tuple[str, ...]:
    """Name the terms of a loss in the order of its log.

    Example:
        >>> name_terms(LossChoice(score=1.0))
        ('l1', 'score')
    """
    measures = [each.name for each in find_profile(choice.profile).measures if each.name in choice.measures]
    return (*(["l1"] if choice.l1 else []), *measures, *(["score"] if choice.score else []))
