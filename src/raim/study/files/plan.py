"""A study's plan: its design, every judge's trials, and a sheet for each judge to fill in where no server is used."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from raim.challenge.modes import MODES
from raim.errors import InputError, unknown_name
from raim.files import place_file
from raim.study.design import STUDY_SCHEMA, StudyDesign
from raim.study.files.problems import votes_error
from raim.study.files.values import (
    need_choice,
    need_list,
    need_mapping,
    need_text,
    need_texts,
    need_whole,
    parse_json,
)
from raim.study.files.votes_table import REASON
from raim.study.planning import plan_judge, plan_training
from raim.study.trial import Trial, label_of
from raim.study.votes import Kind
from raim.tables import format_table


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgePlan:
    """What one judge sees.

    Attributes:
        judge: Name.
        hidden: Entries that the judge does not see, for a tie to the team.
        training: Trials before the first that counts; positions of their own.
        trials: In the judge's order.
    """

    judge: str
    hidden: tuple[str, ...] = ()
    training: tuple[Trial, ...] = ()
    trials: tuple[Trial, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyPlan:
    """What everybody sees.

    Attributes:
        design: From which it was drawn.
        judges: In the order of their numbers.
        excluded: Names of judges who do not vote, for a tie to a team.
    """

    design: StudyDesign
    judges: tuple[JudgePlan, ...]
    excluded: tuple[str, ...] = ()

    def find(self, judge: str, part: str, position: int) -> Trial | None:
        """Return the trial at a place of a judge's training or voting; None if there is none."""
        for each in self.judges:
            if each.judge == judge:
                trials = each.training if part == "training" else each.trials
                return trials[position - 1] if 1 <= position <= len(trials) else None
        return None


def make_plan(
    design: StudyDesign,
    *,
    names: Sequence[str] = (),
    ties: Mapping[str, Collection[str]] | None = None,
) -> StudyPlan:
    """Draw the trials of every judge.

    Args:
        design: Of the study.
        names: Of the judges; J01, J02, ... if none are given.
        ties: For a judge, the entries of teams they are tied to. What happens to them is the design's rule.

    Raises:
        InputError: A tie names nobody, or nobody is left.

    Example:
        >>> design = StudyDesign(seed=1, entries=("a", "b"), images={"1": ""}, n_judges=3, conflicts="exclude-judge")
        >>> plan = make_plan(design, ties={"J02": ["a"]})
        >>> [each.judge for each in plan.judges], plan.excluded
        (['J01', 'J03'], ('J02',))
    """
    everybody = tuple(names) or _default_names(design.n_judges)
    tied = {judge: frozenset(entries) for judge, entries in (ties or {}).items() if entries}
    _check_ties(design, everybody, tied)
    excluded = tuple(name for name in everybody if name in tied and design.conflicts == "exclude-judge")
    judges = tuple(
        _plan_one(design, name, index, tied.get(name, frozenset()))
        for index, name in enumerate(everybody)
        if name not in excluded
    )
    if not judges:
        raise InputError("every judge is tied to a team, so nobody is left to vote; invite others")
    return StudyPlan(design=design, judges=judges, excluded=excluded)


def format_plan(plan: StudyPlan) -> str:
    """Return a plan as JSON that `parse_plan` reads back as the same."""
    plain = {
        "schema": STUDY_SCHEMA,
        "design": plan.design.to_plain(),
        "excluded": list(plan.excluded),
        "judges": [
            {
                "judge": each.judge,
                "hidden": list(each.hidden),
                "training": [_trial_to_plain(trial) for trial in each.training],
                "trials": [_trial_to_plain(trial) for trial in each.trials],
            }
            for each in plan.judges
        ],
    }
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def parse_plan(text: str, *, file_name: str = "plan.json") -> StudyPlan:
    """Read what `format_plan` gave.

    Raises:
        VotesError: It is not that; the reason is said.
    """
    try:
        plain = need_mapping(parse_json(text), "the plan")
        need_choice(plain.get("schema"), (STUDY_SCHEMA,), "schema")
        return StudyPlan(
            design=StudyDesign.from_plain(need_mapping(plain.get("design"), "design")),
            judges=tuple(_read_judge(each) for each in need_list(plain.get("judges"), "judges")),
            excluded=need_texts(plain.get("excluded", []), "excluded"),
        )
    except InputError as error:
        raise votes_error(file_name, [str(error)]) from error


def format_sheet(design: StudyDesign, judge: JudgePlan) -> str:
    """Return a judge's sheet as CSV: trials and labels, without entries and kinds; `pick` or `grade` is empty.

    Example:
        >>> design = StudyDesign(seed=1, entries=("a", "b"), images={"1": ""}, criteria=(), n_training=0, n_traps=0)
        >>> print(format_sheet(design, make_plan(design).judges[0]).splitlines()[:3])
        ['judge,part,position,image,label,pick', 'J01,voting,1,1,A,', 'J01,voting,1,1,B,']
    """
    reasons = [f"{REASON}{name}" for name in design.criteria]
    rows = [
        [judge.judge, part, trial.position, trial.image, label_of(place), None, *(None for _ in reasons)]
        for part, trials in (("training", judge.training), ("voting", judge.trials))
        for trial in trials
        for place in range(len(trial.tiles))
    ]
    return format_table(
        ["judge", "part", "position", "image", "label", MODES[design.mode].answer, *reasons], rows
    )


def write_plan(plan: StudyPlan, folder: Path) -> tuple[Path, ...]:
    """Write plan.json and a sheet for each judge into a folder, which is made if need be.

    Returns:
        The files, plan.json first. It tells who is who: it is the organiser's alone.

    Raises:
        InputError: There is a plan already, which votes may belong to; or it cannot be written.
    """
    sheets = folder / "sheets"
    if (folder / "plan.json").exists():
        raise InputError(
            f"{folder / 'plan.json'} is there already, and votes may belong to it; name another folder"
        )
    try:
        sheets.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{sheets} cannot be made: {error.strerror}") from error
    files = {folder / "plan.json": format_plan(plan)}
    width = max(2, len(str(len(plan.judges))))
    for number, judge in enumerate(plan.judges, start=1):
        files[sheets / f"{number:0{width}d}.csv"] = format_sheet(plan.design, judge)
    for path, text in files.items():
        place_file(path, text.encode())
    return tuple(files)


def _default_names(n_judges: int) -> tuple[str, ...]:
    width = max(2, len(str(n_judges)))
    return tuple(f"J{number:0{width}d}" for number in range(1, n_judges + 1))


def _check_ties(design: StudyDesign, names: Sequence[str], ties: Mapping[str, Collection[str]]) -> None:
    if len(set(names)) != len(names):
        raise InputError("two judges have the same name; their votes could not be distinguished")
    for judge, entries in ties.items():
        if judge not in names:
            raise unknown_name("judge", judge, names)
        for entry in entries:
            if entry not in design.entries:
                raise unknown_name("entry", entry, design.entries)


def _plan_one(design: StudyDesign, name: str, index: int, hidden: frozenset[str]) -> JudgePlan:
    return JudgePlan(
        judge=name,
        hidden=tuple(sorted(hidden)),
        training=plan_training(design, index, hidden=hidden),
        trials=plan_judge(design, index, hidden=hidden),
    )


def _trial_to_plain(trial: Trial) -> dict[str, Any]:
    return {
        "position": trial.position,
        "image": trial.image,
        "kind": trial.kind,
        "tiles": list(trial.tiles),
        "repeats": trial.repeats,
    }


def _read_judge(plain: object) -> JudgePlan:
    judge = need_mapping(plain, "judge")
    return JudgePlan(
        judge=need_text(judge.get("judge"), "judge"),
        hidden=need_texts(judge.get("hidden", []), "hidden"),
        training=_read_trials(judge.get("training", [])),
        trials=_read_trials(judge.get("trials")),
    )


def _read_trials(plain: object) -> tuple[Trial, ...]:
    trials = tuple(_read_trial(each) for each in need_list(plain, "trials"))
    if [trial.position for trial in trials] != list(range(1, len(trials) + 1)):
        raise InputError("positions of trials do not count from 1 without gaps")
    return trials


def _read_trial(plain: object) -> Trial:
    trial = need_mapping(plain, "trial")
    repeats = trial.get("repeats")
    return Trial(
        position=need_whole(trial.get("position"), "position"),
        image=need_text(trial.get("image"), "image"),
        kind=need_choice(trial.get("kind"), get_args(Kind), "kind"),
        tiles=need_texts(trial.get("tiles"), "tiles"),
        repeats=None if repeats is None else need_whole(repeats, "repeats"),
    )
