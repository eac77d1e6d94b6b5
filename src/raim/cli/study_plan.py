"""What `raim study plan` makes of its options."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from raim.cli.wording import say_count
from raim.errors import InputError

if TYPE_CHECKING:
    from raim.challenge import StudyRule
    from raim.study import StudyDesign
    from raim.study.files import StudyPlan


def make_design(
    *,
    seed: int,
    entries: tuple[str, ...],
    challenge: Path | None,
    images: Path | None,
    changes: Mapping[str, Any],
) -> "StudyDesign":
    """Make the design of a challenge's rule, or of the report's, with what the options change.

    Raises:
        InputError: Images are missing or named twice, or the design cannot be.
        ChallengeError: The challenge has problems.
        ManifestError: The list of images has problems.
    """
    from raim.challenge import StudyRule
    from raim.data import read_manifest
    from raim.study import StudyDesign

    if (challenge is None) == (images is None):
        raise InputError("name the images: either --challenge DIR, or --images with a CSV of name and issue")
    rule = StudyRule(phase="")
    if images is not None:
        manifest = read_manifest(images)
        for note in manifest.notes:
            click.echo(f"note: {note}")
        issues = {row.name: row.scenario or "" for row in manifest.rows}
    elif challenge is not None:
        rule, issues = _read_challenge(challenge)
    return StudyDesign.from_rule(_change(rule, changes), entries=entries, images=issues, seed=seed)


def _read_challenge(path: Path) -> "tuple[StudyRule, dict[str, str]]":
    from raim.challenge import read_challenge
    from raim.data import read_manifest
    from raim.scoring.profiles import PROFILES

    challenge = read_challenge(path, profiles=PROFILES, read_manifest=read_manifest, check_hashes=False)
    if challenge.study is None:
        raise InputError(f"{path} has no table [study]; add one, or name the images with --images")
    final = challenge.phase(challenge.study.phase).final
    if final is None:  # reading a challenge refuses it
        raise InputError(f"the phase {challenge.study.phase!r} of {path} takes no final submissions")
    images = challenge.data_set(final.on).images
    return challenge.study, {image.name: image.scenario or "" for image in images}


def _change(rule: "StudyRule", changes: Mapping[str, Any]) -> "StudyRule":
    from raim.challenge.modes import MODES
    from raim.study.files import check_points

    stated = {name: value for name, value in changes.items() if value is not None}
    if "points" in stated:
        stated["points"] = check_points(stated["points"])
    elif stated.get("mode", rule.mode) != rule.mode:
        stated["points"] = MODES[stated["mode"]].points
    changed = replace(rule, **stated)
    for _, fault in MODES[changed.mode].find_faults(changed.points, changed.tiles):
        raise InputError(fault)
    return changed


def read_ties(given: Iterable[str]) -> dict[str, list[str]]:
    """Read JUDGE=ENTRY of an option that may be given several times.

    Raises:
        InputError: It is not that.

    Example:
        >>> read_ties(["J01=Team A", "J01=Team B"])
        {'J01': ['Team A', 'Team B']}
    """
    ties: dict[str, list[str]] = {}
    for each in given:
        judge, sign, entry = each.partition("=")
        if not sign or not entry.strip():
            raise InputError(f"--tie is {each!r}; expected JUDGE=ENTRY")
        ties.setdefault(judge.strip(), []).append(entry.strip())
    return ties


def describe_plan(plan: "StudyPlan", files: Sequence[Path]) -> str:
    """Return what was drawn, and what to do next."""
    from raim.challenge.modes import MODES
    from raim.study.planning import count_repeats

    design, first = plan.design, plan.judges[0]
    shown = "all" if design.is_complete else f"{design.tiles} of {len(design.entries)}"
    size = f"{say_count(len(plan.judges), 'judge')}, {say_count(len(design.images), 'image')}"
    extras = f"{say_count(count_repeats(design), 'repeat')} and {say_count(design.n_traps, 'trap')}"
    lines = [
        f"{size}, {len(design.entries)} entries: a trial shows {shown}, mode {design.mode}",
        f"{len(first.trials)} trials for each judge, of which {extras}; {len(first.training)} of training before",
    ]
    if MODES[design.mode].has_power_table and design.is_complete:
        lines.append(_describe_power(len(plan.judges), len(design.images)))
    lines += [f"{name} is tied to a team and does not vote" for name in plan.excluded]
    lines += [f"{each.judge} does not see {', '.join(each.hidden)}" for each in plan.judges if each.hidden]
    return "\n".join(
        [
            *lines,
            f"written: {files[0]} (it tells who is who: keep it to yourself) and {say_count(len(files) - 1, 'sheet')}",
            f"next: raim study analyse {files[0].parent / 'sheets'}/*.csv --plan {files[0]}",
        ]
    )


def _describe_power(n_judges: int, n_images: int) -> str:
    from raim.study.power import power_table

    cell = power_table(judges=[n_judges], images=[n_images])[0]
    return (
        f"two teams whose points differ by {cell.in_s3:.1f} are distinguished four times in five, if judges are like "
        "simulated ones (docs/study.md)"
    )
