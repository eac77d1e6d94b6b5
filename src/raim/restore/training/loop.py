"""Training: one loop that reads from top to bottom.

Everything in a step is a function of the recipe, the step and the weights: patches are drawn from (seed, step, place
in the batch), torch's own generator is seeded for each step, the learning rate is a formula. So a run that was killed
anywhere goes on from its last checkpoint to the same weights, bit for bit on the CPU with the same number of threads.

Source: cosine, Loshchilov and Hutter, ICLR 2017 (arXiv 1608.03983); a decay of the average that grows from 0.1 as in
TensorFlow's ExponentialMovingAverage; devices and precision by Lightning Fabric.
"""

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from raim.devices import to_double
from raim.errors import InputError, TrainingError
from raim.restore.training.learner import Fabric, Learner, prepare_learner, start_fabric, update_average
from raim.restore.training.losses import Loss, compute_loss
from raim.restore.training.patches import Patches, feed, find_files
from raim.restore.training.recipe import Recipe, Schedule
from raim.restore.training.records import Recorder
from raim.restore.training.run_folder import MODEL, list_checkpoints, open_run, read_newest
from raim.restore.training.sources import ImageCache
from raim.restore.training.trainable import Trainable, build_trainable
from raim.restore.training.validation import make_pairs, score_restored, validate
from raim.scoring import find_profile

AVERAGE_START = 10  # steps: decay (1 + n) / (10 + n) at the beginning
VALIDATION_SEED = 0  # runs of other seeds are tried on the same pairs


@dataclass(frozen=True, kw_only=True, slots=True)
class Listener:
    """Whom a run tells what happens.

    Attributes:
        on_step: (steps done, in all), after each.
        on_note: A sentence.
        on_validated: (steps done, means of the measures and of "score"), after each validation, when all of it is
            written.
    """

    on_step: Callable[[int, int], None] = lambda _done, _total: None
    on_note: Callable[[str], None] = lambda _text: None
    on_validated: Callable[[int, Mapping[str, float | None]], None] = lambda _done, _means: None


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """What came of a run.

    Attributes:
        model: The file that `raim restore --model` takes.
        run: Its folder.
        steps: Done, those of earlier starts included.
        identity: Means of the validation's inputs as they are.
        means: Means of the restored ones at the end.
    """

    model: Path
    run: Path
    steps: int
    identity: Mapping[str, float | None]
    means: Mapping[str, float | None]


def train(
    recipe: Recipe,
    run: Path,
    *,
    device: str = "cpu",
    devices: int = 1,
    strategy: str = "auto",
    overwrite: bool = False,
    listener: Listener | None = None,
) -> Trained:
    """Train a model by a recipe, or go on with a run that was stopped.

    Args:
        recipe: See `read_recipe`.
        run: Folder of the run; what lies there of the same recipe is gone on with.
        device: As torch calls it: "cpu", "cuda", "cuda:1", "mps"; or "auto".
        devices: How many; each takes its part of every batch.
        strategy: Of Lightning Fabric, for several devices.
        overwrite: Begin again, whatever lies in the folder.
        listener: Whom to tell.

    Returns:
        Where the model is, and how good it was in validation.

    Raises:
        InputError: Data, model or folder cannot be used, or the disk is full; the last checkpoint stays whole.
        ImageError: A photograph cannot be read.
        TrainingError: The loss or the gradient is no number; the last checkpoint stays whole.
        MissingExtraError: A library of the extra `train` is not installed.
    """
    fabric = start_fabric(device, devices, strategy, recipe.schedule.precision)
    return fabric.launch(_train, recipe, run, overwrite=overwrite, listener=listener or Listener())


def _train(fabric: Fabric, recipe: Recipe, run: Path, *, overwrite: bool, listener: Listener) -> Trained:
    """Get everything ready, begin or go on after the last checkpoint, say what came of it."""
    model = build_trainable(recipe.model, recipe.seed)
    _check_sizes(recipe, model, fabric.world_size)
    cache, schedule, profile = ImageCache(), recipe.schedule, find_profile(recipe.loss.profile)
    patches = Patches(
        sources=find_files(recipe.sources, schedule.patch_px, scale=model.scale),
        patch_px=schedule.patch_px,
        seed=recipe.seed,
        cache=cache,
    )
    pairs = make_pairs(
        recipe.validation, seed=VALIDATION_SEED, scale=model.scale, multiple=model.multiple, cache=cache
    )
    with open_run(run, recipe, model, fabric, overwrite=overwrite) as folder:
        state = read_newest(folder.path, listener.on_note)
        start = 0 if state is None else int(state["step"])
        learner = prepare_learner(fabric, model, schedule, state)
        if state is not None:
            listener.on_note(f"going on after step {start} of {schedule.steps}")
        identity = (
            score_restored([pair.degraded for pair in pairs], pairs, profile).means
            if model.scale == 1
            else None
        )
        with contextlib.closing(
            Recorder(
                folder=folder, recipe=recipe, identity=identity, step=start, is_writing=fabric.is_global_zero
            )
        ) as recorder:

            def try_out(step: int) -> None:
                if fabric.is_global_zero:
                    validated = validate(learner.average, pairs, profile, device=fabric.device)
                    recorder.record_validation(step, validated, pairs, learner.average)
                    listener.on_validated(step, validated.means)
                fabric.barrier()

            _learn(fabric, recipe, learner, patches, recorder, try_out=try_out, on_step=listener.on_step)
            if start == schedule.steps:  # an earlier start has done them all
                if fabric.is_global_zero:
                    recorder.validation_file.open_at(start - 1)
                try_out(start)
    return Trained(
        model=run / MODEL, run=run, steps=schedule.steps, identity=identity or {}, means=recorder.means
    )


def _learn(
    fabric: Fabric,
    recipe: Recipe,
    learner: Learner,
    patches: Patches,
    recorder: Recorder,
    *,
    try_out: Callable[[int], None],
    on_step: Callable[[int, int], None],
) -> None:
    """Go through the steps."""
    schedule, start = recipe.schedule, recorder.step
    size, rank = schedule.batch // fabric.world_size, fabric.global_rank
    places = range(rank * size, (rank + 1) * size)
    with feed(patches, range(start, schedule.steps), places, schedule.loaders) as batches:
        for step, batch in enumerate(batches, start):
            began = time.perf_counter()
            # Nets with dropout draw from torch's generator.
            torch.manual_seed((recipe.seed * 1_000_003 + step) * 1_009 + rank & (2**63 - 1))
            rate = find_learning_rate(schedule, step)
            for group in learner.optimizer.param_groups:
                group["lr"] = rate
            degraded, reference = (
                torch.from_numpy(part).to(fabric.device) for part in (batch.degraded, batch.reference)
            )
            with fabric.autocast():
                restored = learner.prepared(degraded)
            loss = compute_loss(recipe.loss, restored.float(), reference)
            fabric.backward(loss.total)
            norm = fabric.clip_gradients(
                learner.prepared, learner.optimizer, max_norm=schedule.clip_norm, error_if_nonfinite=False
            )
            # Only now: by its gradient every device learns that the loss of one is no number, and stops as well.
            _check_finite("loss", loss.total, loss, step, recorder.folder.path)
            if schedule.precision != "16-mixed":  # there a scaler leaves such a step out
                _check_finite("length of the gradient", norm, loss, step, recorder.folder.path)
            learner.optimizer.step()
            learner.optimizer.zero_grad()
            update_average(learner.average, learner.network, decay=find_decay(schedule, step))

            done = step + 1
            is_last = done == schedule.steps
            is_tried = is_last or done % recipe.validation.every_steps == 0
            is_kept = is_last or done % recipe.checkpoint_steps == 0
            if is_tried or is_kept:
                _check_finite("sum of the weights", _sum(learner.network), loss, step, recorder.folder.path)
            if is_last or done % recipe.log_steps == 0:
                recorder.log(done, loss, rate, norm, time.perf_counter() - began)
            if is_tried:
                try_out(done)
            if is_kept and fabric.is_global_zero:
                recorder.record_checkpoint(done, learner.state(fabric))
            on_step(done, schedule.steps)


def find_learning_rate(schedule: Schedule, step: int) -> float:
    """Compute the learning rate of a step: a straight rise, then a cosine.

    Example:
        >>> schedule = Schedule(steps=100, learning_rate=1.0, warm_up_steps=10, final_share=0.0)
        >>> [round(find_learning_rate(schedule, step), 3) for step in (0, 9, 55, 99)]
        [0.1, 1.0, 0.5, 0.0]
    """
    if step < schedule.warm_up_steps:
        return schedule.learning_rate * (step + 1) / schedule.warm_up_steps
    share = (step - schedule.warm_up_steps) / max(1, schedule.steps - schedule.warm_up_steps)
    fall = (1 + math.cos(math.pi * share)) / 2
    return schedule.learning_rate * (schedule.final_share + (1 - schedule.final_share) * fall)


def find_decay(schedule: Schedule, step: int) -> float:
    """Compute how much of the average stays in a step: little at first, so that the first weights do not weigh on it.

    Example:
        >>> [round(find_decay(Schedule(steps=9, average_decay=0.99), step), 3) for step in (0, 10, 10_000)]
        [0.1, 0.55, 0.99]
    """
    return min(schedule.average_decay, (1 + step) / (AVERAGE_START + step))


def _check_sizes(recipe: Recipe, model: Trainable, n_devices: int) -> None:
    schedule = recipe.schedule
    if schedule.patch_px % model.multiple:
        raise InputError(
            f"patch_px is {schedule.patch_px}; this model takes multiples of {model.multiple}, such as "
            f"{schedule.patch_px // model.multiple * model.multiple or model.multiple}"
        )
    if schedule.batch % n_devices:
        raise InputError(
            f"a batch of {schedule.batch} cannot be shared by {n_devices} devices; take a multiple"
        )


@torch.no_grad()
def _sum(network: nn.Module) -> Tensor:
    """Sum the magnitudes of all weights: no number as soon as one of them is none."""
    return torch.stack([to_double(weight).abs().sum() for weight in network.parameters()]).sum()


def _check_finite(what: str, value: Tensor, loss: Loss, step: int, run: Path) -> None:
    if bool(torch.isfinite(value).all()):
        return
    there = list_checkpoints(run)
    kept = f"the last good checkpoint is {there[0]}" if there else "there is no checkpoint yet"
    said = ", ".join(f"{name} {term.item():.4g}" for name, term in loss.terms.items())
    raise TrainingError(
        f"step {step + 1}: the {what} is {value.item():g} ({said}); {kept}. Take a lower schedule.learning_rate or "
        'schedule.precision = "32-true" and begin again in another folder; model.start can name the model.safetensors '
        "of this one"
    )
