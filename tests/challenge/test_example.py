from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from raim.challenge import as_plain, find_problems, read_challenge, write_example
from raim.data import read_manifest
from raim.errors import InputError, UnknownNameError
from raim.images import read_image
from raim.scoring import PROFILES, find_profile, score_pair


def test_the_example_validates_without_a_note(example):
    assert find_problems(example, profiles=PROFILES, read_manifest=read_manifest) == []


def test_the_example_is_the_same_for_the_same_seed(example, tmp_path):
    files = write_example(tmp_path / "again", first_day=date(2026, 3, 1), rng=np.random.default_rng(0))
    for file in files:
        assert file.read_bytes() == (example / file.relative_to(tmp_path / "again")).read_bytes()


@pytest.mark.parametrize("day", [date(2024, 2, 29), date(2026, 12, 31)], ids=str)
def test_the_example_validates_whenever_it_begins(tmp_path, day):
    write_example(tmp_path, first_day=day, rng=np.random.default_rng(0))
    challenge = read_challenge(tmp_path, profiles=PROFILES, read_manifest=read_manifest)
    assert challenge.phases[0].opens.date() == day


@pytest.mark.parametrize("name", ["challenge.toml", "description.md", "data"])
def test_what_is_there_is_never_replaced(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_example(tmp_path, first_day=date(2026, 3, 1), rng=np.random.default_rng(0))
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_the_example_follows_the_report(example):
    challenge = read_challenge(example, profiles=PROFILES, read_manifest=read_manifest)
    assert (challenge.weights.score, challenge.weights.study) == (0.4, 0.6)
    assert (challenge.study.judges, challenge.study.points) == (18, (3, 2, 1))
    assert challenge.finalists.count == 10
    assert challenge.study.criteria == ("textures and details", "noise", "artifacts", "fidelity")


@pytest.mark.parametrize("measure", ["psnr", "ssim", "niqe"])
def test_the_examples_images_are_large_enough_for_every_measure(example, measure):
    profile = find_profile("raim-2024")
    profile = replace(profile, measures=tuple(each for each in profile.measures if each.name == measure))
    folder = example / "data/tuning-pairs"
    pair = [read_image(folder / part / "0001.png").pixels for part in ("input", "reference")]
    assert np.isfinite(score_pair(*pair, profile).values[measure])


def test_records_become_plain_values(example):
    plain = as_plain(read_challenge(example, profiles=PROFILES, read_manifest=read_manifest))
    assert plain["phases"][0]["opens"] == "2026-03-01T12:00:00+00:00"
    assert plain["timezone"] == "UTC"
    assert plain["data_sets"][0]["images"][0]["input_file"] == "data/tuning-pairs/input/0001.png"
    assert plain["phases"][1]["scored"] == {"on": "feedback-pairs", "tries_per_day": 5, "tries_in_all": 60}


def test_an_example_that_cannot_be_written_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written to .*file/sub: Not a directory"):
        write_example(tmp_path / "file" / "sub", first_day=date(2026, 3, 1), rng=np.random.default_rng(0))


def test_paths_outside_the_challenge_stay_whole(example):
    challenge = read_challenge(example, profiles=PROFILES, read_manifest=read_manifest)
    elsewhere = replace(challenge, data_sets=(replace(challenge.data_sets[0], folder=Path("/other")),))
    assert as_plain(elsewhere)["data_sets"][0]["folder"] == "/other"


def test_a_phase_that_is_not_there_is_named_with_the_nearest(example):
    challenge = read_challenge(example, profiles=PROFILES, read_manifest=read_manifest)
    assert challenge.phase("final").kind == "final"
    with pytest.raises(UnknownNameError, match="no phase named 'finl'; did you mean 'final'"):
        challenge.phase("finl")
