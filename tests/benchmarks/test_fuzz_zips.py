import pytest

from benchmark_scripts import load_scripts
from raim.scoring.submission import check, layout, zip_listing
from raim.scoring.submission.image_check import ImageFindings

scripts = load_scripts(["fuzz", "fuzz_zips"])


def test_spoiled_zips_are_refused_or_read_right_and_honest_ones_accepted(tmp_path):
    outcomes = list(scripts["fuzz_zips"].run_cases(50, 1, tmp_path))
    assert [each.fault for each in outcomes if each.fault] == []
    assert len({each.words for each in outcomes}) > 12
    assert not list(tmp_path.glob("*.zip"))


@pytest.mark.parametrize(
    ("module", "name", "wrong"),
    [
        (check, "check_restored", lambda *_: ImageFindings(name="a.png")),  # contents are not looked at
        (layout, "JUNK_FILES", frozenset()),  # honest zips are refused
        (zip_listing, "DAMAGE", ()),  # errors that nobody raises on purpose
    ],
)
def test_the_fuzzing_of_zips_finds_what_is_wrong(tmp_path, monkeypatch, module, name, wrong):
    monkeypatch.setattr(module, name, wrong)
    assert any(each.fault for each in scripts["fuzz_zips"].run_cases(60, 1, tmp_path))
