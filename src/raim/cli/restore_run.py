"""What `raim restore` does once it knows the restorer: files or a submission, and the page that compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from raim.cli.progress import show_progress, show_share
from raim.cli.restore_messages import announce_plan, describe_outcome, raise_errors, summarise
from raim.data import image_stem, read_manifest
from raim.errors import InputError
from raim.restore import Restorer
from raim.restore.batch import Options, Outcome, Plan, plan_jobs, restore_batch
from raim.restore.submission import pack_submission, plan_submission, remove_parts


@dataclass(frozen=True, kw_only=True, slots=True)
class Stated:
    """What the user states about a submission; None for what is not stated."""

    description: str | None
    has_extra_data: bool | None
    manifest: Path | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How photographs are restored, and how much is said.

    Attributes:
        restorer: The restorer.
        options: Of the batch.
        work: What makes the results, see `raim.restore.batch.describe_work`.
        compare: The page that compares before and after; None for none.
        is_quiet: Whether nothing but errors is said.
    """

    restorer: Restorer
    options: Options
    work: str
    compare: Path | None
    is_quiet: bool

    def make_files(self, source: Path, target: Path, *, suffix: str | None) -> None:
        """Restore to a file or a folder.

        Raises:
            RaimError: Photographs could not be restored; the others are done.
        """
        outcomes = self._restore(plan_jobs(source, target, suffix=suffix))
        self._finish(outcomes, str(target))

    def make_submission(self, source: Path, target: Path, stated: Stated) -> None:
        """Restore into a folder beside the zip, pack and check it.

        Raises:
            RaimError: Images could not be restored, or the check finds something wrong; there is no zip then.
        """
        manifest = None if stated.manifest is None else read_manifest(stated.manifest)
        if self.restorer.scale != 1 and manifest is None:
            raise InputError(
                f"{self.restorer.name} gives {self.restorer.scale} times the size, a submission has that of its "
                "inputs: add --reduction, or --manifest with a CSV that states the sizes"
            )
        planned = plan_submission(source, target, overwrite=self.options.overwrite)
        if manifest is not None:
            manifest.match([image_stem(job.name) for job in planned.plan.jobs])  # refused before any work
        outcomes = self._restore(planned.plan)
        if all(outcome.made is not None for outcome in outcomes):
            is_extra = bool(self.restorer.weights) if stated.has_extra_data is None else stated.has_extra_data
            with show_progress("checking") as progress:
                readme = pack_submission(
                    planned,
                    outcomes,
                    is_on_cpu=self.options.device == "cpu",
                    has_extra_data=is_extra,
                    description=stated.description
                    or f"{self.restorer.name} ({self.restorer.source}), by raim",
                    manifest=manifest,
                    progress=progress,
                )
            self._say(f"{target}: accepted by raim check; {readme.runtime_s:g} s per image")
        self._finish(outcomes, str(planned.parts))
        remove_parts(planned)

    def _restore(self, plan: Plan) -> list[Outcome]:
        """Restore, showing what goes on."""
        if not self.is_quiet:
            announce_plan(plan, self.restorer, self.options)
        n_jobs = len(plan.jobs)
        outcomes: list[Outcome] = []
        with show_share("restoring", is_quiet=self.is_quiet) as bar:

            def take(outcome: Outcome) -> None:
                outcomes.append(outcome)
                # One that fails alone is the command's error, said at its end.
                if outcome.made is not None or n_jobs > 1:
                    bar.say(describe_outcome(outcome))

            try:
                return restore_batch(
                    plan,
                    self.restorer,
                    self.options,
                    work=self.work,
                    on_share=lambda share: bar.move(share, f"{min(len(outcomes) + 1, n_jobs)} of {n_jobs}"),
                    on_outcome=take,
                )
            except KeyboardInterrupt:
                if self.restorer.is_external and not self.options.resume:
                    click.echo("add --resume to keep what is done", err=True)
                raise

    def _finish(self, outcomes: Sequence[Outcome], place: str) -> None:
        """Write the page, say what was done, and raise what failed."""
        if self.compare is not None and any(outcome.made is not None for outcome in outcomes):
            self._write_page(self.compare, outcomes)
        if not self.options.is_submission:
            self._say(summarise(outcomes, place))
        raise_errors(outcomes)

    def _write_page(self, path: Path, outcomes: Sequence[Outcome]) -> None:
        from raim.report.comparison import Comparison, write_comparison

        entries = [
            Comparison(
                name=outcome.job.name,
                before=outcome.job.read_pixels,
                after=outcome.job.target,
                notes=outcome.made.notes,
                is_guarded=self.restorer.can_invent,
            )
            for outcome in outcomes
            if outcome.made is not None
        ]
        title = f"Restored with {self.restorer.name}"
        write_comparison(path, entries, title=title, created=datetime.now(UTC))
        self._say(f"{path}: before and after")

    def _say(self, text: str) -> None:
        if not self.is_quiet:
            click.echo(text)
