"""`raim rank`: scores and points of a study to the final ranking."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raim.errors import need_extra

if TYPE_CHECKING:
    from raim.challenge import Award, Weights

PATH = click.Path(path_type=Path)


@click.command()
@click.option("--scores", type=PATH, required=True, help="CSV with team,score; or what raim score wrote.")
@click.option("--points", type=PATH, help="CSV with team,points: of the study. Without it SCORE alone ranks.")
@click.option("--weights", default="0.4,0.6", show_default=True, help="Shares of score and study.")
@click.option("--decimals", default=2, show_default=True, type=click.IntRange(0, 10), help="Of final scores.")
@click.option(
    "--awards", type=PATH, help="A challenge.toml whose awards are given (and its weights, if not said)."
)
@click.option("--leave-out", multiple=True, metavar="TEAM=REASON", help="Leave an entry out after the vote.")
@click.option("--allow-incomplete", is_flag=True, help="Rank entries with missing images too, with a note.")
@click.option("--json", "json_path", type=PATH, help="Write the ranking as JSON.")
@click.option("--csv", "csv_path", type=PATH, help="Write the ranking as CSV.")
@click.option("--html", "html_path", type=PATH, help="Write the ranking as a page with its charts.")
@click.pass_context
def command(  # noqa: PLR0917 - click passes options by name
    context: click.Context,
    scores: Path,
    points: Path | None,
    weights: str,
    decimals: int,
    awards: Path | None,
    leave_out: tuple[str, ...],
    allow_incomplete: bool,  # noqa: FBT001 - a flag of the command line
    json_path: Path | None,
    csv_path: Path | None,
    html_path: Path | None,
) -> None:
    r"""Join SCORE and the points of a study to the final ranking.

    \b
    S3n   = 100 (S3 - min S3) / (max S3 - min S3)
    final = 0.4 S2 + 0.6 S3n

    Teams whose final scores are equal after rounding share the better rank. With --leave-out both rankings are shown.
    A team without a score ("", n/a, nan, inf), or with missing images (n_scored, n_expected, or the rows of its
    images), has no rank, with the reason.
    """
    from raim.challenge import Entrant, rank_teams
    from raim.challenge.ranking_files import (
        format_csv,
        join_numbers,
        match_team_names,
        ranking_as_plain,
        read_team_numbers,
    )
    from raim.cli.rank_table import print_ranking
    from raim.cli.ranking_options import read_reasons
    from raim.files import check_writable

    if html_path is not None:
        need_extra("--html", "report", "choix", "scipy", "jinja2", "matplotlib")
    for output in (json_path, csv_path, html_path):
        if output is not None:
            check_writable(output)
    by_score = read_team_numbers(scores, "score")
    by_points = (
        None if points is None else match_team_names(read_team_numbers(points, "points"), by_score.values)
    )
    teams = tuple(by_score.values) if by_points is None else join_numbers(by_score.values, by_points.values)
    reasons = read_reasons("--leave-out", leave_out, teams)
    is_stated = context.get_parameter_source("weights") is not click.core.ParameterSource.DEFAULT
    shares, given = _read_rules(weights, awards, is_stated=is_stated, has_study=points is not None)
    ranking = rank_teams(
        [
            Entrant(
                team=team,
                score=by_score.values.get(team),
                points=None if by_points is None else by_points.values.get(team),
                left_out=reasons.get(team, ""),
                incomplete=by_score.incomplete.get(team, ""),
            )
            for team in teams
        ],
        weights=shares,
        decimals=decimals,
        awards=given,
        allow_incomplete=allow_incomplete,
    )
    print_ranking(ranking, notes=(*by_score.notes, *(by_points.notes if by_points else ())))
    _write(json_path, json.dumps(ranking_as_plain(ranking), indent=1, ensure_ascii=False) + "\n")
    _write(csv_path, format_csv(ranking))
    if html_path is not None:
        from raim.report.closed import Material
        from raim.report.closed.page import render_report_page
        from raim.report.pages import write_page

        write_page(html_path, render_report_page(Material(title="Final ranking", ranking=ranking)))
        click.echo(f"written: {html_path}")


def _read_rules(
    text: str, awards: Path | None, *, is_stated: bool, has_study: bool
) -> "tuple[Weights, tuple[Award, ...]]":
    from raim.challenge import Weights, read_challenge
    from raim.cli.ranking_options import read_weights
    from raim.data import read_manifest
    from raim.scoring.profiles import PROFILES

    if not has_study and not is_stated:
        text = "1,0"
    shares = read_weights(text)
    if awards is None:
        return shares, ()
    challenge = read_challenge(awards, profiles=PROFILES, read_manifest=read_manifest, check_hashes=False)
    if is_stated or not has_study:
        return shares, challenge.awards
    return Weights(score=challenge.weights.score, study=challenge.weights.study), challenge.awards


def _write(path: Path | None, text: str) -> None:
    from raim.files import place_file

    if path is not None:
        place_file(path, text.encode())
        click.echo(f"written: {path}")
