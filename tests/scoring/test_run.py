import shutil
import zipfile

import numpy as np
import pytest

from raim.errors import InputError, ManifestError, SubmissionError
from raim.images import read_image, write_image
from raim.scoring import photograph, score_folders, score_pair
from raim.scoring import run as run_module


def values(table):
    return {entry.name: [image.values for image in entry.images] for entry in table.entries}


def forbid_measuring(monkeypatch):
    def fail(*_args, **_options):
        raise AssertionError("something was measured again")

    monkeypatch.setattr(photograph, "measure_candidates", fail)


def test_entries_are_scored_as_their_pairs_are_and_sorted_best_first(pairs, quick):
    table = score_folders([pairs / "poor", pairs / "good"], pairs / "reference", profile=quick)
    assert [entry.name for entry in table.entries] == ["good", "poor"]
    for entry in table.entries:
        for image in entry.images:
            files = [pairs / folder / f"{image.name}.png" for folder in (entry.name, "reference")]
            alone = score_pair(*(read_image(file).pixels for file in files), quick)
            assert image.values == pytest.approx(alone.values, abs=1e-12)


def test_a_zip_scores_as_its_folder(pairs, quick):
    with zipfile.ZipFile(pairs / "packed.zip", "w") as archive:
        for file in (pairs / "good").iterdir():
            archive.write(file, f"results/{file.name}")
    table = score_folders([pairs / "packed.zip", pairs / "good"], pairs / "reference", profile=quick)
    assert values(table)["packed"] == values(table)["good"]


def test_worker_processes_change_no_number(pairs, quick):
    alone = score_folders([pairs / "good"], pairs / "reference", profile=quick)
    together = score_folders([pairs / "good"], pairs / "reference", profile=quick, workers=2)
    assert alone.as_dict() == together.as_dict()


def test_what_was_measured_is_never_measured_again(pairs, quick, monkeypatch):
    cache = pairs / "cache.sqlite"
    first = score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache)
    forbid_measuring(monkeypatch)
    assert (
        score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache).as_dict()
        == first.as_dict()
    )


def test_an_interrupted_run_goes_on_where_it_was(pairs, quick, monkeypatch):
    cache = pairs / "cache.sqlite"

    def stop_after_two(done, _total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_folders(
            [pairs / "good"], pairs / "reference", profile=quick, cache=cache, on_progress=stop_after_two
        )
    measured = []
    original = photograph.measure_candidates
    monkeypatch.setattr(
        photograph,
        "measure_candidates",
        lambda *args, **more: (measured.append(args[0].name), original(*args, **more))[1],
    )
    score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache)
    assert measured == ["psnr", "ssim"]  # of the one photograph that was left


def test_a_changed_file_is_measured_anew(pairs, quick):
    cache = pairs / "cache.sqlite"
    before = score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache)
    shutil.copy(pairs / "reference" / "0.png", pairs / "good" / "0.png")
    after = score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache)
    assert before.entries[0].images[0].values["psnr"] < 80 == after.entries[0].images[0].values["psnr"]
    assert before.entries[0].images[1:] == after.entries[0].images[1:]


def test_warnings_of_decoding_are_told_from_the_cache_too(pairs, quick):
    from PIL import Image

    with Image.open(pairs / "good" / "0.png") as image:
        image.convert("RGBA").save(pairs / "good" / "0.png")
    tables = [
        score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=pairs / "c.sqlite")
        for _ in range(2)
    ]
    for table in tables:
        assert "alpha" in table.entries[0].images[0].warnings[0]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: (folder / "1.png").unlink(), "missing: there is no file named 1"),
        (lambda folder: (folder / "1.png").write_bytes(b"no image"), "1.png: it is no image that raim reads"),
        (
            lambda folder: write_image(folder / "1.png", np.zeros((40, 51, 3), np.uint8)),
            "1.png is 51x40, its reference 50x40",
        ),
        (
            lambda folder: write_image(folder / "1.png", np.zeros((40, 50), np.uint8)),
            "it is grey, its reference colour",
        ),
    ],
)
def test_an_image_that_cannot_be_scored_gets_its_reason_and_no_number(pairs, quick, spoil, reason):
    spoil(pairs / "good")
    table = score_folders([pairs / "good", pairs / "poor"], pairs / "reference", profile=quick)
    entry = next(entry for entry in table.entries if entry.name == "good")
    assert reason in entry.images[1].unscored
    assert set(entry.images[1].values.values()) == {None}
    assert len(entry.scored) == 2
    assert [entry.name for entry in table.entries] == ["poor", "good"]


def test_a_broken_reference_leaves_its_image_unscored_for_all(pairs, quick):
    content = (pairs / "reference" / "2.png").read_bytes()
    (pairs / "reference" / "2.png").write_bytes(content[: len(content) // 2])
    table = score_folders([pairs / "good", pairs / "poor"], pairs / "reference", profile=quick)
    for entry in table.entries:
        assert entry.images[2].unscored.startswith("its reference cannot be used: 2.png")


def test_sixteen_bit_and_eight_bit_candidates_go_together(pairs, quick):
    shutil.copytree(pairs / "good", pairs / "wide")
    wide = read_image(pairs / "good" / "0.png").pixels.astype(np.uint16) * 257
    write_image(pairs / "wide" / "0.png", wide)
    table = score_folders([pairs / "good", pairs / "wide"], pairs / "reference", profile=quick)
    assert values(table)["wide"][0] == pytest.approx(values(table)["good"][0], abs=1e-9)


def test_files_without_a_reference_are_left_out_with_a_note(pairs, quick):
    shutil.copy(pairs / "good" / "0.png", pairs / "good" / "extra.png")
    table = score_folders([pairs / "good"], pairs / "reference", profile=quick)
    assert "extra.png" in table.entries[0].notes[-1]
    assert len(table.entries[0].images) == 3


def test_scenarios_come_from_the_manifest(pairs, quick):
    table = score_folders(
        [pairs / "good"], pairs / "reference", profile=quick, manifest=pairs / "manifest.csv"
    )
    assert list(table.entries[0].by_scenario()) == ["blur", "denoise"]
    assert len(table.manifest_sha256) == 64


def test_entries_of_one_name_are_told_apart_by_their_paths(pairs, quick):
    shutil.copytree(pairs / "good", pairs / "other" / "good")
    table = score_folders([pairs / "good", pairs / "other" / "good"], pairs / "reference", profile=quick)
    assert {entry.name for entry in table.entries} == {str(pairs / "good"), str(pairs / "other" / "good")}


def test_progress_is_told_before_the_first_and_after_each(pairs, quick):
    told = []
    score_folders(
        [pairs / "good"], pairs / "reference", profile=quick, on_progress=lambda *now: told.append(now)
    )
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"restored": []}, InputError, "nothing to score"),
        ({"workers": 0}, InputError, "0 workers"),
        ({"names": ["a", "a"]}, InputError, "give each its own name"),
        ({"reference": "nowhere"}, InputError, "nowhere"),
        ({"manifest": "reference/0.png"}, ManifestError, "0.png"),
    ],
)
def test_what_cannot_be_scored_at_all_is_refused(pairs, quick, options, error, message):
    arguments = {"restored": [pairs / "good"], "reference": pairs / "reference", "profile": quick} | options
    for key in ("reference", "manifest"):
        if isinstance(arguments.get(key), str):
            arguments[key] = pairs / arguments[key]
    with pytest.raises(error, match=message):
        score_folders(arguments.pop("restored"), arguments.pop("reference"), **arguments)


def test_a_folder_without_images_is_refused(pairs, quick):
    (pairs / "empty").mkdir()
    with pytest.raises(SubmissionError, match="no image"):
        score_folders([pairs / "empty"], pairs / "reference", profile=quick)


def test_the_cache_lies_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path))
    assert run_module.default_cache() == tmp_path / "scores.sqlite"
