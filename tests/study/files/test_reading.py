import csv
import io
import unicodedata
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from raim.errors import InputError, VotesError
from raim.study import StudyDesign, mean_points, points_array, simulate_ballots
from raim.study.files import (
    format_document,
    format_sheet,
    format_votes,
    make_archive,
    make_plan,
    read_plan,
    read_study_files,
    write_plan,
)
from raim.study.trial import label_of

ENTRIES = ("x", "y", "z", "w")
IMAGES = {"1": "moire", "2": "", "3": "noise"}


def write(folder, text, name="votes.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def without_names(ballots):
    return {
        (vote.judge, vote.kind, vote.position): (vote.shown, vote.choice, dict(vote.ratings))
        for vote in ballots.votes
    }


def test_a_table_alone_gives_the_same_votes(document, tmp_path):
    read = read_study_files([write(tmp_path, format_votes(document.ballots, is_simulated=True))])
    assert read.ballots.votes == document.ballots.votes
    assert set(read.ballots.entries) == set(document.ballots.entries)
    assert read.ballots.criteria == document.ballots.criteria
    assert (read.ballots.mode, read.ballots.points, read.is_simulated) == ("top-three", (3, 2, 1), True)
    assert read.ballots.issues == document.ballots.issues


def test_a_table_with_its_plan_gives_the_same_ballots(document, tmp_path):
    plan = make_plan(document.design)
    read = read_study_files([write(tmp_path, format_votes(document.ballots))], plan=plan)
    assert read.ballots == document.ballots
    assert read.design == document.design


@pytest.mark.parametrize("mode", ["json", "archive"])
def test_whole_studies_are_known_by_what_is_in_them(document, tmp_path, mode):
    path = tmp_path / "votes.dat"
    path.write_bytes(format_document(document).encode() if mode == "json" else make_archive(document))
    assert without_names(read_study_files([path]).ballots) == without_names(document.ballots)
    with pytest.raises(InputError, match="read it alone"):
        read_study_files([path, write(tmp_path, "judge,pick\n")])


def test_filled_in_sheets_and_the_plan_give_the_study_back(document, tmp_path):
    plan = make_plan(document.design)
    files = write_plan(plan, tmp_path / "plan")
    votes = {(vote.judge, vote.position): vote for vote in document.ballots.votes}
    for path in files[1:]:
        fill_in(path, votes)
    read = read_study_files(files[1:], plan=read_plan(files[0]))
    assert without_names(read.ballots) == without_names(document.ballots)
    assert {vote.kind for vote in read.ballots.votes} == {"counted", "repeat", "trap"}


def fill_in(path, votes):
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    for row in rows:
        vote = votes.get((row["judge"], int(row["position"])))
        if vote is not None and row["part"] == "voting":
            names = {label_of(place): entry for place, entry in enumerate(vote.shown)}
            picks = {entry: str(number) for number, entry in enumerate(vote.choice, start=1)}
            row["pick"] = picks.get(names[row["label"]], "")
    held = io.StringIO()
    writer = csv.DictWriter(held, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(held.getvalue(), encoding="utf-8", newline="")


def test_the_least_table_is_judge_image_entry_and_pick(tmp_path):
    text = "judge,image,entry,pick\nAnn,1,x,1\nAnn,1,y,2\nAnn,1,z,\nBob,1,y,1\nBob,1,x,\nBob,1,z,2\n"
    read = read_study_files([write(tmp_path, text)])
    assert mean_points(points_array(read.ballots)).tolist() == [1.5, 2.5, 1.0]
    assert "no plan" in read.notes[0]
    assert read.notes[1].startswith("mode top-three, points 3/2/1: as the votes look")


def test_a_table_of_picks_only_takes_everybody_to_have_seen_all_and_says_so(tmp_path):
    text = "judge,image,entry,pick\nAnn,1,x,1\nAnn,1,y,2\nAnn,1,w,3\nBob,1,y,1\nBob,1,x,2\nBob,1,z,3\n"
    read = read_study_files([write(tmp_path, text)])
    assert {vote.shown for vote in read.ballots.votes} == {("w", "x", "y", "z")}
    assert "all 4 entries" in read.notes[0]
    assert mean_points(points_array(read.ballots)).tolist() == [0.5, 2.5, 2.5, 0.5]


@pytest.mark.parametrize(
    ("rows", "mode"),
    [
        ("Ann,1,x,1,\nAnn,1,y,,\n", "pairwise"),
        ("Ann,1,x,1,\nAnn,1,y,,\nAnn,1,z,,\n", "best"),
        ("Ann,1,x,,5\nAnn,1,y,,2\n", "rating"),
        ("Ann,1,x,1,\nAnn,1,y,2,\nAnn,1,z,,\n", "top-three"),
    ],
)
def test_the_mode_is_inferred_from_the_votes(tmp_path, rows, mode):
    assert read_study_files([write(tmp_path, "judge,image,entry,pick,grade\n" + rows)]).ballots.mode == mode


def test_points_and_mode_may_be_stated(tmp_path):
    text = "judge,image,entry,pick\nAnn,1,x,1\nAnn,1,y,\nAnn,1,z,\n"
    read = read_study_files([write(tmp_path, text)], mode="top-three", points=(5, 1))
    assert (read.ballots.mode, read.ballots.points) == ("top-three", (5, 1))


SHEETS = {
    "as it was": lambda text: text.encode(),
    "semicolons and line ends of Windows": lambda text: (
        "\ufeff" + text.replace(",", ";").replace("\n", "\r\n")
    ).encode(),
    "numbers with a point": lambda text: text.replace(",1\n", ",1.0\n").replace(",2\n", ",2.0\n").encode(),
    "numbers with a comma": lambda text: text.replace(",", ";").replace(";1\n", ";1,0\n").encode(),
    "Windows-1252": lambda text: text.encode("cp1252"),
    "UTF-16 and tabs": lambda text: text.replace(",", "\t").encode("utf-16"),
    "empty columns and rows": lambda text: (text.replace("\n", ",,\n") + ",,,,,,,\n\n").encode(),
    "letters in two signs": lambda text: unicodedata.normalize("NFD", text).encode(),
    "blanks that nobody sees": lambda text: text.replace("Zoë", "\u200bZoë\u00a0").encode(),
    "capitals": lambda text: text.replace("judge,part,position", "Judge,PART,Position").encode(),
    "shortened names of images": lambda text: text.replace("0042", "42").encode(),
}


@pytest.mark.parametrize("form", SHEETS)
def test_a_sheet_comes_back_from_every_spreadsheet(tmp_path, form):
    design = StudyDesign(
        seed=1,
        entries=("=Alpha", "@home", "Gämma"),
        images={"0042": ""},
        n_judges=1,
        criteria=(),
        n_training=0,
        n_traps=0,
    )
    plan = make_plan(design, names=["Zoë"])
    lines = format_sheet(design, plan.judges[0]).splitlines()
    text = "\n".join(
        [lines[0], *(f"{line}{pick}" for line, pick in zip(lines[1:], (1, 2, 3) * 9, strict=False)), ""]
    )
    (tmp_path / "sheet.csv").write_bytes(SHEETS[form](text))
    read = read_study_files([tmp_path / "sheet.csv"], plan=plan)
    assert read.ballots.votes[0].choice == plan.judges[0].trials[0].tiles
    assert (read.ballots.votes[0].judge, read.ballots.votes[0].image) == ("Zoë", "0042")
    said = {"Windows-1252": "was read as Windows-1252", "shortened names of images": "42 as 0042"}
    assert all(said.get(form, "") in note for note in read.notes)
    assert len(read.notes) == (form in said)


def test_a_workbook_of_votes_is_recognised(tmp_path):
    with zipfile.ZipFile(tmp_path / "votes.csv", "w") as archive:
        archive.writestr("[Content_Types].xml", "")
    with pytest.raises(
        VotesError, match=r"is an Excel workbook \(.xlsx\), not CSV; in the spreadsheet choose"
    ):
        read_study_files([tmp_path / "votes.csv"])


def test_every_problem_of_every_file_is_listed_with_its_line(tmp_path):
    first = write(tmp_path, "judge,image,entry,pick\n,1,x,1\nAnn,1,y,two\nAnn,1,z\n", "a.csv")
    second = write(tmp_path, "judge,image,enrty,pick\n", "b.csv")
    with pytest.raises(VotesError) as caught:
        read_study_files([first, second])
    listed = [text.replace(f"{tmp_path}/", "") for text in caught.value.problems]
    assert listed[:3] == [
        "a.csv, line 2: it names no judge",
        "a.csv, line 3: pick is 'two'; expected a whole number from 1",
        "a.csv, line 4: it has 3 cells, the first line names 4 columns",
    ]
    assert listed[3].startswith("b.csv, line 1: no column named 'enrty'; did you mean 'entry'?")
    assert len(listed) == 4


WRONG = {
    "twice the same pick": ("Ann,1,x,1\nAnn,1,y,1\nAnn,1,z,\n", "the picks of this trial are 1, 1"),
    "a gap": ("Ann,1,x,1\nAnn,1,y,3\nAnn,1,z,\n", "the picks of this trial are 1, 3"),
    "an entry twice": ("Ann,1,x,1\nAnn,1,x,\n", "an entry is shown twice"),
    "no entry": ("Ann,1,,1\nAnn,1,x,\n", "it names no entry"),
    "nothing": ("", "there is no vote in it"),
    "the copy": ("Ann,1,x,1\nAnn,1,blurred copy,\n", "'blurred copy' is no entry"),
}


@pytest.mark.parametrize("name", WRONG)
def test_votes_that_cannot_be_are_refused(tmp_path, name):
    rows, message = WRONG[name]
    with pytest.raises(VotesError, match=message):
        read_study_files([write(tmp_path, "judge,image,entry,pick\n" + rows)])


def test_two_counted_votes_of_a_judge_on_an_image_are_refused(tmp_path):
    text = "judge,image,position,entry,pick\nAnn,1,1,x,1\nAnn,1,1,y,\nAnn,1,2,x,1\nAnn,1,2,y,\n"
    with pytest.raises(VotesError, match="2 counted votes on image '1'"):
        read_study_files([write(tmp_path, text)])


def test_what_differs_from_the_plan_is_reported(document, tmp_path):
    plan = make_plan(document.design)
    trial = plan.judges[0].trials[0]
    image = next(name for name in document.design.images if name != trial.image)
    text = f"judge,position,image,label,pick\nJ01,1,{image},A,1\nJ01,99,1,A,1\nJ01,2,,Z,1\nNobody,1,,A,1\n"
    with pytest.raises(VotesError) as caught:
        read_study_files([write(tmp_path, text)], plan=plan)
    listed = "\n".join(caught.value.problems)
    for message in (
        f"the image is '{image}', in the plan it is '{trial.image}'",
        "the plan has no voting trial 99 of judge 'J01'",
        "there is no label 'Z'; this trial has A to D",
        "the plan has no voting trial 1 of judge 'Nobody'",
    ):
        assert message in listed


def test_absent_judges_of_the_plan_are_known(document, tmp_path):
    came = tuple(vote for vote in document.ballots.votes if vote.judge != "J02")
    text = format_votes(replace(document.ballots, votes=came))
    assert read_study_files([write(tmp_path, text)], plan=make_plan(document.design)).ballots.judges == (
        "J01",
        "J02",
        "J03",
    )


def test_files_that_are_not_there_or_no_text_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_study_files([tmp_path / "none.csv"])
    (tmp_path / "latin.csv").write_bytes("judge,image\nJosé,1\n".encode("latin-1"))
    with pytest.raises(VotesError, match="not UTF-8"):
        read_study_files([tmp_path / "latin.csv"])


@pytest.mark.parametrize(
    ("mode", "points"), [("best", (1,)), ("pairwise", (1,)), ("rating", ()), ("top-three", (3, 2, 1))]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_votes_of_every_mode_with_reasons_come_back_from_a_table(tmp_path, mode, points, seed):
    design = StudyDesign(seed=seed, mode=mode, points=points, entries=ENTRIES, images=IMAGES, n_judges=3)
    ballots = simulate_ballots(design, dict.fromkeys(ENTRIES, 0.0), np.random.default_rng(seed))
    votes = tuple(
        replace(vote, reasons={vote.choice[0]: ("noise", "fidelity")} if vote.choice else {})
        for vote in ballots.votes
    )
    ballots = replace(ballots, criteria=("fidelity", "noise"), votes=votes)
    path = write(tmp_path, format_votes(ballots))
    read = read_study_files([path]).ballots
    assert read.mode == mode
    assert [sorted(vote.reasons.get(name, ())) for vote in read.votes for name in vote.choice[:1]] == [
        ["fidelity", "noise"] for vote in ballots.votes if vote.choice
    ]
    plan = make_plan(replace(design, criteria=("fidelity", "noise")))
    assert without_names(read_study_files([path], plan=plan).ballots) == without_names(ballots)
