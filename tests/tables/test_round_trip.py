"""Every table that raim writes comes back from every reader of such tables, with the same names and numbers."""

import dataclasses
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raim.challenge import Entrant, rank_teams
from raim.challenge.ranking_files import format_csv, read_team_numbers
from raim.data import ManifestRow, format_manifest, parse_manifest
from raim.data.alignment import pairs as aligned
from raim.data.alignment.pairs import MadePair
from raim.data.camera import PRESETS
from raim.data.degradation import read_cameras
from raim.data.degradation import table as degraded
from raim.data.degradation.plan import Photograph, PlannedPair
from raim.data.degradation.table import MadeFiles
from raim.scoring import PROFILES, EntryScore, ImageScore, ScoreTable, write_csv
from raim.study import StudyDesign
from raim.study.files import format_sheet, format_votes, make_plan, read_study_files, vote_columns, vote_rows
from raim.study.votes import Ballots, Vote
from raim.tables import clean_name, format_table, parse_table, read_table

SHA256 = "0" * 64
STARTS = (
    "",
    "=",
    "+",
    "-",
    "@",
    "\t=",
    "\r",
    "'",
    "''=",
    "' =",
    " '=",
    "\ufeff",
    "e\u0301",
    "0",
    "1,",
    ";",
    '"',
    "#",
)
INNER = st.text("a1,;\t\"' =-+@\n\r\u00a0\u200b", max_size=4) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)
NAMES = st.lists(
    st.tuples(st.sampled_from(STARTS), INNER).map(lambda parts: f"{parts[0]}{parts[1]}n"),
    min_size=2,
    max_size=3,
    unique_by=clean_name,
)
PROFILE = PROFILES["raim-2024"]


def of_scores(names, folder):
    """What raim score writes, as raim rank, raim study and raim report read it."""
    image = ImageScore(
        name=names[0], scenario=names[1], values=dict.fromkeys(PROFILE.columns, -1.5), warnings=(names[0],)
    )
    entries = tuple(EntryScore(name=name, images=(image,)) for name in names)
    write_csv(ScoreTable(profile=PROFILE, entries=entries, raim_version="1"), folder / "scores.csv")
    return read_team_numbers(folder / "scores.csv", "score").values, dict.fromkeys(names, -1.5)


def of_rankings(names, folder):
    ranking = rank_teams([Entrant(team=name, score=70.0, points=-2.0) for name in names])
    (folder / "r.csv").write_text(format_csv(ranking), encoding="utf-8", newline="")
    points = read_team_numbers(folder / "r.csv", "points").values
    return (read_team_numbers(folder / "r.csv", "score").values, points), (
        dict.fromkeys(names, 70.0),
        dict.fromkeys(names, -2.0),
    )


def of_reports(names, folder):
    pytest.importorskip("jinja2", reason="the extra `report` is not installed")
    from raim.report.closed.data_files import format_grid
    from raim.report.closed.folder import read_folder
    from raim.report.closed.grid import Cell, Grid, Heading

    headings = [Heading(key="team", title=""), *(Heading(key=key, title="") for key in ("score", "points"))]
    rows = tuple((Cell(value=name), Cell(value=-0.5), Cell(value=3)) for name in names)
    text = format_grid(Grid(name="teams", title="", headings=tuple(headings), rows=rows))
    for file in ("scores.csv", "points.csv"):
        (folder / file).write_text(text, encoding="utf-8", newline="")
    ranking = read_folder(folder).ranking
    return {row.team: (row.score, row.points) for row in ranking.rows}, dict.fromkeys(names, (-0.5, 3.0))


def of_points(names, folder):
    """What raim study analyse --csv writes."""
    text = format_table(["team", "points", "low", "high"], [(name, -1.25, None, 3.0) for name in names])
    (folder / "p.csv").write_text(text, encoding="utf-8", newline="")
    return read_team_numbers(folder / "p.csv", "points").values, dict.fromkeys(names, -1.25)


def of_manifests(names, folder):
    rows = [
        ManifestRow(name=f"{place:04d}", scenario=name, width=7, height=9) for place, name in enumerate(names)
    ]
    read = parse_manifest(format_manifest(rows)).rows
    return [(row.scenario, row.width) for row in read], [(name, 7) for name in names]


def of_votes(names, folder):
    ballots = made_ballots(names)
    (folder / "v.csv").write_text(format_votes(ballots), encoding="utf-8", newline="")
    return shown_of(read_study_files([folder / "v.csv"]).ballots), shown_of(ballots)


def of_votes_of_a_server(names, folder):
    pytest.importorskip("sqlalchemy", reason="the extra `server` is not installed")
    from raim.server.export_table import ExportTable, csv_pieces

    ballots = made_ballots(names)
    table = ExportTable(name="v", title="", columns=vote_columns(ballots), read=lambda: vote_rows(ballots))
    (folder / "v.csv").write_text("".join(csv_pieces(table)), encoding="utf-8", newline="")
    return shown_of(read_study_files([folder / "v.csv"]).ballots), shown_of(ballots)


def made_ballots(names):
    vote = Vote(
        judge=names[0],
        image=names[1],
        position=1,
        shown=tuple(names),
        choice=(names[1],),
        reasons={names[1]: (names[0],)},
    )
    return Ballots(
        mode="best", points=(1,), criteria=(names[0],), entries=tuple(names), images=(names[1],),
        issues={names[1]: names[0]}, judges=(names[0],), votes=(vote,),
    )  # fmt: skip


def shown_of(ballots):
    (vote,) = ballots.votes
    return [
        vote.judge,
        vote.image,
        *vote.shown,
        *vote.choice,
        *vote.reasons,
        *ballots.criteria,
        *ballots.issues.values(),
    ]


def of_sheets(names, folder):
    design = StudyDesign(
        seed=1, mode="best", points=(1,), entries=tuple(names), images={names[0]: ""}, n_judges=1,
        criteria=(), n_training=0, n_traps=0, repeats_share=0.0,
    )  # fmt: skip
    plan = make_plan(design, names=[names[1]])
    sheet = parse_table(format_sheet(design, plan.judges[0]), "s", known=["judge", "pick"])
    filled = [{**row.cells, "pick": int(row.cells["label"] == "A") or None} for row in sheet.rows]
    text = format_table(sheet.columns, [list(row.values()) for row in filled])
    (folder / "s.csv").write_text(text, encoding="utf-8", newline="")
    (vote,) = read_study_files([folder / "s.csv"], plan=plan).ballots.votes
    first = plan.judges[0].trials[0]
    own = (names[1], names[0], first.tiles, first.tiles[:1])  # the plan has names as they were given
    assert (vote.judge, vote.image, vote.shown, vote.choice) == own
    return (), ()


def of_alignments(names, folder):
    made = {field.name: 1 for field in dataclasses.fields(MadePair)}
    texts = {
        "scene": names[0],
        "input_file": names[1],
        "reference_files": "a;b",
        "mode": "blur",
        "found_by": "sift",
    }
    numbers = {"scale": -1.5, "correlation": math.nan, "reference_noise": None}
    hashes = dict.fromkeys(("input_sha256", "reference_sha256", "mask_sha256"), SHA256)
    pair = MadePair(**{**made, **texts, **numbers, **hashes, "name": "0001", "scenario": names[0]})
    (folder / "m.csv").write_text(aligned.format_aligned_pairs([pair]), encoding="utf-8", newline="")
    cells = read_table(folder / "m.csv").rows[0].cells
    assert (cells["scale"], cells["correlation"], cells["reference_noise"]) == ("-1.5", "", "")
    (row,) = parse_manifest((folder / "m.csv").read_bytes()).rows
    return (cells["scene"], cells["input_file"], row.scenario), (names[0], names[1], names[0])


def of_degradations(names, folder):
    preset = PRESETS["denoise"]
    camera = preset.draw_camera(np_generator(names), height=96, width=96)
    photograph = Photograph(path=Path(names[0].replace("/", "")), stem="a", height=96, width=96)
    plan = PlannedPair(
        name="a_denoise", photograph=photograph, preset="denoise", variant=1, seed=7, camera=camera
    )
    sizes = dict.fromkeys(("input_width", "input_height", "width", "height"), 96)
    hashes = dict.fromkeys(("fingerprint", "source_sha256", "input_sha256", "reference_sha256"), SHA256)
    pair = degraded.DegradedPair(plan=plan, files=MadeFiles(name="a_denoise", **sizes, **hashes))
    (folder / "m.csv").write_text(degraded.format_degraded_pairs([pair]), encoding="utf-8", newline="")
    assert read_cameras(folder / "m.csv") == {"a_denoise": camera}
    return read_table(folder / "m.csv").rows[0].cells["source"], photograph.path.name


def np_generator(names):
    import numpy as np

    return np.random.default_rng(len("".join(names)))


def cleaned(value):
    """Give what is expected as a reader of tables gives it."""
    if isinstance(value, str):
        return clean_name(value)
    if isinstance(value, dict):
        return {cleaned(key): cleaned(each) for key, each in value.items()}
    return type(value)(map(cleaned, value)) if isinstance(value, list | tuple) else value


PAIRS = [
    of_scores, of_rankings, of_reports, of_points, of_manifests, of_votes, of_votes_of_a_server, of_sheets,
    of_alignments, of_degradations,
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.__name__)
@settings(max_examples=25)
@given(NAMES)
def test_names_and_numbers_come_back(pair, names):
    with tempfile.TemporaryDirectory() as folder:
        read, written = pair(names, Path(folder))
    assert read == cleaned(written)
