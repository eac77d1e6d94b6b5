"""`raim study`: plan, analyse and export a blinded study that is kept in files."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raim.challenge.modes import MODES
from raim.errors import InputError

if TYPE_CHECKING:
    from raim.challenge.ranking_files import TeamNumbers
    from raim.study import Analysis, Ballots
    from raim.study.files import StudyDocument

PATH = click.Path(path_type=Path)
NAMES = click.Choice(list(MODES))
VOTES = click.argument("votes", nargs=-1, required=True, type=PATH)
PLAN = click.option("--plan", "plan_path", type=PATH, help="plan.json, which says who saw what.")
MODE = click.option(
    "--mode", type=NAMES, help="What a judge did in a trial; default: inferred from the votes."
)
POINTS = click.option("--points", metavar="3,2,1", help="For the first, second, third pick.")


@click.group(name="study")
def command() -> None:
    """Plan, analyse and export a blinded study in files (docs/study.md); `raim serve` runs one on pages."""


@command.command(short_help="Draw who sees what in which order.")
@click.argument("out", type=PATH)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), required=True, help="All orders follow from it.")
@click.option("--entry", "entries", multiple=True, required=True, help="A candidate; once for each of them.")
@click.option("--challenge", type=PATH, help="Folder of a challenge: its [study] and its images.")
@click.option("--images", type=PATH, help="CSV with name and, perhaps, issue of each image.")
@click.option(
    "--judge", "judges", multiple=True, help="A judge's name; once for each. Default: J01, J02, ..."
)
@click.option("--judges", "n_judges", type=click.IntRange(1, 10_000), help="How many judges, without names.")
@click.option("--mode", type=NAMES, help="What a judge does in a trial; default: top-three.")
@POINTS
@click.option(
    "--tiles", type=click.IntRange(0, 1000), help="Candidates a trial shows; default: 0, all of them."
)
@click.option("--repeats", "repeats_share", type=click.FloatRange(0, 1), help="Share of images shown twice.")
@click.option("--traps", type=click.IntRange(0, 1000), help="Trials with a blurred copy.")
@click.option("--training", type=click.IntRange(0, 1000), help="Trials before the first that counts.")
@click.option("--criterion", "criteria", multiple=True, help="What judges look at; once for each.")
@click.option("--conflicts", type=click.Choice(["exclude-judge", "hide-tile"]), help="Of a judge with a tie.")
@click.option("--tie", "ties", multiple=True, metavar="JUDGE=ENTRY", help="A judge's tie to a team.")
def plan(  # noqa: PLR0917 - click passes options by name
    out: Path,
    seed: int,
    entries: tuple[str, ...],
    challenge: Path | None,
    images: Path | None,
    judges: tuple[str, ...],
    n_judges: int | None,
    mode: str | None,
    points: str | None,
    tiles: int | None,
    repeats_share: float | None,
    traps: int | None,
    training: int | None,
    criteria: tuple[str, ...],
    conflicts: str | None,
    ties: tuple[str, ...],
) -> None:
    """Draw who sees what in which order, and write it into the folder OUT.

    OUT gets plan.json, which tells who is who and is the organiser's alone, and for each judge a sheet to fill in,
    which tells it nowhere. The same seed gives the same plan.
    """
    from raim.cli.study_plan import describe_plan, make_design, read_ties
    from raim.files import check_folder
    from raim.study.files import make_plan, write_plan

    check_folder(out)
    design = make_design(
        seed=seed,
        entries=entries,
        challenge=challenge,
        images=images,
        changes={
            "judges": len(judges) or n_judges,
            "mode": mode,
            "points": points,
            "tiles": tiles,
            "repeats_share": repeats_share,
            "traps": traps,
            "training": training,
            "criteria": criteria or None,
            "conflicts": conflicts,
        },
    )
    drawn = make_plan(design, names=judges, ties=read_ties(ties))
    files = write_plan(drawn, out)
    click.echo(describe_plan(drawn, files))


@command.command(short_help="Points, ranks, intervals, agreement, judges to look at.")
@VOTES
@PLAN
@MODE
@POINTS
@click.option("--scores", type=PATH, help="CSV with team,score: with them there are final scores and ranks.")
@click.option("--weights", default="0.4,0.6", show_default=True, help="Shares of score and study.")
@click.option("--allow-incomplete", is_flag=True, help="Rank entries with missing images too, with a note.")
@click.option("--leave-out", multiple=True, metavar="ENTRY=REASON", help="Leave an entry out after the vote.")
@click.option("--exclude", multiple=True, metavar="JUDGE=REASON", help="Leave a judge's votes out.")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=2024, show_default=True, help="Of intervals."
)
@click.option(
    "--draws", type=click.IntRange(100, 100_000), default=2000, show_default=True, help="Of intervals."
)
@click.option("--power", is_flag=True, help="Show what other numbers of judges and images would tell apart.")
@click.option("--json", "json_path", type=PATH, help="Write everything as JSON, without names of judges.")
@click.option("--csv", "csv_path", type=PATH, help="Write team,points, as raim rank reads them.")
def analyse(  # noqa: PLR0917 - click passes options by name
    votes: tuple[Path, ...],
    plan_path: Path | None,
    mode: str | None,
    points: str | None,
    scores: Path | None,
    weights: str,
    allow_incomplete: bool,  # noqa: FBT001 - a flag of the command line
    leave_out: tuple[str, ...],
    exclude: tuple[str, ...],
    seed: int,
    draws: int,
    power: bool,  # noqa: FBT001 - a flag of the command line
    json_path: Path | None,
    csv_path: Path | None,
) -> None:
    """Say what the votes of a study say: points and ranks with intervals, agreement, and judges who deserve a look.

    VOTES is a study.json, an archive, or one or more tables of votes or filled-in sheets. A flag changes nothing by
    itself: results with and without the flagged judges are shown, and --exclude is the organiser's word.
    """
    from raim.cli.ranking_options import read_reasons, read_weights
    from raim.cli.study_tables import print_analysis, print_power
    from raim.files import check_writable
    from raim.study import analyse as analyse_ballots

    for output in (json_path, csv_path):
        if output is not None:
            check_writable(output)
    document = _read(votes, plan_path, mode, points)
    ballots = document.ballots
    left_out = read_reasons("--leave-out", leave_out, ballots.entries, what="entry")
    excluded = read_reasons("--exclude", exclude, ballots.judges, what="judge")
    read = None if scores is None else _read_scores(scores, ballots)
    found = analyse_ballots(
        ballots,
        scores=None
        if read is None
        else {name: value for name, value in read.values.items() if value is not None},
        weights=read_weights(weights),
        left_out=frozenset(left_out),
        incomplete=None if read is None else read.incomplete,
        allow_incomplete=allow_incomplete,
        excluded_judges=frozenset(excluded),
        seed=seed,
        n_draws=draws,
    )
    print_analysis(
        found,
        is_simulated=document.is_simulated,
        notes=(*document.notes, *(() if read is None else read.notes)),
        reasons={**left_out, **excluded},
    )
    if power:
        print_power(ballots)
    if json_path is not None:
        _write(json_path, _format_analysis(found, document, left_out, excluded))
    if csv_path is not None:
        _write(csv_path, _format_points(found))


@command.command(short_help="An archive without names of judges, for everybody.")
@VOTES
@click.argument("out", type=PATH)
@PLAN
@MODE
@POINTS
@click.option("--code-entries", is_flag=True, help="Call entries E1, E2, ... in place of their names.")
@click.option("--times", is_flag=True, help="Say when votes were made and how long judges have looked.")
def export(  # noqa: PLR0917 - click passes options by name
    votes: tuple[Path, ...],
    out: Path,
    plan_path: Path | None,
    mode: str | None,
    points: str | None,
    code_entries: bool,  # noqa: FBT001 - a flag of the command line
    times: bool,  # noqa: FBT001 - a flag of the command line
) -> None:
    """Write the study of VOTES to OUT: a .zip without names of judges, a .json with everything, or a .csv of votes.

    The same votes give the same bytes. A .json and a .csv hold the names of judges as VOTES has them.
    """
    from raim.files import check_writable, place_file
    from raim.study.files import format_document, format_votes, make_archive

    suffix = out.suffix.lower()
    if suffix not in {".zip", ".json", ".csv"}:
        raise InputError(f"{out} is neither .zip (without names), .json (everything) nor .csv (votes)")
    if suffix != ".zip" and (code_entries or times):
        raise InputError(f"--code-entries and --times are for a .zip; {out} holds everything as it is")
    check_writable(out)
    document = _read(votes, plan_path, mode, points)
    if suffix == ".zip":
        place_file(out, make_archive(document, code_entries=code_entries, with_times=times))
    elif suffix == ".json":
        place_file(out, format_document(document).encode())
    else:
        place_file(out, format_votes(document.ballots, is_simulated=document.is_simulated).encode())
    for note in document.notes:
        click.echo(f"note: {note}")
    click.echo(f"written: {out}")


def _read(
    paths: tuple[Path, ...], plan_path: Path | None, mode: str | None, points: str | None
) -> "StudyDocument":
    from raim.study.files import check_points, read_plan, read_study_files

    return read_study_files(
        paths,
        plan=None if plan_path is None else read_plan(plan_path),
        mode=mode,
        points=None if points is None else check_points(points),
    )


def _read_scores(path: Path, ballots: "Ballots") -> "TeamNumbers":
    from raim.challenge.ranking_files import match_team_names, read_team_numbers

    scores = match_team_names(read_team_numbers(path, "score"), ballots.entries)
    if not set(scores.values) & set(ballots.entries):
        raise InputError(
            f"{path} has no score of any entry ({', '.join(ballots.entries)}); names must be written the same in both"
        )
    return scores


def _format_analysis(
    found: "Analysis", document: "StudyDocument", left_out: dict[str, str], excluded: dict[str, str]
) -> str:
    from raim import __version__
    from raim.study import analysis_as_plain

    codes = {name: code for code, name in found.names.items()}
    plain = {
        "raim_version": __version__,
        "is_simulated": document.is_simulated,
        "left_out_reasons": left_out,
        "excluded_reasons": {codes[name]: reason for name, reason in excluded.items()},
        **analysis_as_plain(found),
    }
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _format_points(found: "Analysis") -> str:
    from raim.tables import format_table

    rows = [(row.entry, row.points.value, row.points.low, row.points.high) for row in found.entries]
    return format_table(["team", "points", "low", "high"], rows)


def _write(path: Path, text: str) -> None:
    from raim.files import place_file

    place_file(path, text.encode())
    click.echo(f"written: {path}")
