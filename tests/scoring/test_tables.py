import csv

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
    assert list(rows[0])[-4:] == ["n_scored", "n_expected", "warnings", "unscored"]
    assert [(row["n_scored"], row["n_expected"]) for row in rows] == [
        ("", ""),
        ("", ""),
        ("1", "2"),
        ("1", "2"),
    ]
    assert rows[3]["unscored"] == "1 of 2 images have a score; none: 1"
