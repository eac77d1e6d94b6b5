import csv

from raim.challenge.ranking_files import read_numbers
from raim.scoring import EntryScore, ImageScore, ScoreTable, write_csv


def test_rows_are_images_then_scenarios_then_the_entry(quick, tmp_path):
    images = (
        ImageScore(name="0", scenario="blur", values={"psnr": 30.0, "ssim": 0.9, "score": 24.0}),
        ImageScore(
            name="1",
            scenario="blur",
            values={"psnr": float("inf"), "ssim": None, "score": None},
            unscored="ssim: small",
        ),
    )
    table = ScoreTable(profile=quick, entries=(EntryScore(name="a", images=images),), raim_version="0.1.0")
    write_csv(table, tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["kind"], row["name"], row["score"]) for row in rows] == [
        ("image", "0", "24"),
        ("image", "1", ""),
        ("scenario", "mean", "24"),
        ("entry", "mean", "24"),
    ]
    assert (rows[1]["psnr"], rows[1]["ssim"], rows[1]["unscored"]) == ("inf", "", "ssim: small")
    assert list(rows[0])[-5:] == ["rank", "n_scored", "n_expected", "warnings", "unscored"]
    assert [(row["n_scored"], row["n_expected"]) for row in rows] == [
        ("", ""),
        ("", ""),
        ("1", "2"),
        ("1", "2"),
    ]
    assert rows[3]["unscored"] == "1 of 2 images have a score; none: 1"


def test_names_that_a_spreadsheet_takes_for_formulas_are_escaped_and_come_back(quick, tmp_path):
    values = {"psnr": 30.0, "ssim": 0.9, "score": -24.0}
    image = ImageScore(name="=i", scenario="@s", values=values, warnings=("-w",))
    entries = tuple(EntryScore(name=name, images=(image,)) for name in ("-a", "'-a", "=1+1"))
    write_csv(ScoreTable(profile=quick, entries=entries, raim_version="0.1.0"), tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["entry"] for row in rows} == {"'-a", "''-a", "'=1+1"}
    first = rows[0]
    assert [first[key] for key in ("name", "scenario", "warnings", "score")] == ["'=i", "'@s", "'-w", "-24"]
    assert dict(read_numbers(tmp_path / "t.csv", "score").values) == dict.fromkeys(
        ("-a", "'-a", "=1+1"), -24.0
    )


def test_the_row_of_an_entry_has_its_rank_and_the_table_is_read_back(quick, tmp_path):
    def entry(name, *scores):
        images = tuple(
            ImageScore(
                name=str(number),
                values={"psnr": 30.0, "ssim": 0.9, "score": score},
                unscored=None if score else "missing",
            )
            for number, score in enumerate(scores)
        )
        return EntryScore(name=name, images=images)

    entries = (entry("a", 10.0, 20.0), entry("b", 20.0, 10.0), entry("c", 5.0, 5.0), entry("d", 90.0, None))
    write_csv(ScoreTable(profile=quick, entries=entries, raim_version="0.1.0"), tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["entry"]: row["rank"] for row in rows if row["kind"] == "entry"} == {
        "a": "1",
        "b": "1",
        "c": "3",
        "d": "",
    }
    assert {row["rank"] for row in rows if row["kind"] != "entry"} == {""}
    found = read_numbers(tmp_path / "t.csv", "score")
    assert found.values == {"a": 15.0, "b": 15.0, "c": 5.0, "d": 90.0}
    assert found.incomplete == {"d": "1 of 2 images have a score"}
