import json
import shutil
import sqlite3
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from measure_forms import replace_forms
from raim.errors import InputError, ManifestError, SubmissionError, WorkerDiedError
from raim.images import read_image, write_image
from raim.metrics import psnr, ssim
from raim.scoring import PROFILES, MeasureChoice, Profile, photograph, score_folders, score_pair, submission
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


@pytest.mark.parametrize("side", ["good", "reference"])
def test_an_odd_name_costs_its_own_photograph(pairs, quick, side):
    first, *others = sorted((pairs / "reference").iterdir())
    for folder in ("good", "reference"):
        (pairs / folder / "odd\x1b.png").write_bytes(first.read_bytes())
    shutil.copy(pairs / side / first.name, pairs / side / f"{first.stem}.jpg")
    (entry,) = score_folders([pairs / "good"], pairs / "reference", profile=quick).entries
    reasons = {image.name: image.unscored for image in entry.images}
    assert "in several formats" in reasons.pop(first.stem)
    assert "control" in reasons.pop(r"odd\x1b")
    assert reasons == {file.stem: None for file in others}


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
        lambda *args, **more: (measured.append(args[0]), original(*args, **more))[1],
    )
    score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache)
    assert measured == ["psnr", "ssim"]  # of the one photograph that was left


def test_a_changed_file_is_measured_again(pairs, quick):
    cache = pairs / "cache.sqlite"
    before = score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache)
    shutil.copy(pairs / "reference" / "0.png", pairs / "good" / "0.png")
    after = score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache)
    assert before.entries[0].images[0].values["psnr"] < 80 == after.entries[0].images[0].values["psnr"]
    assert before.entries[0].images[1:] == after.entries[0].images[1:]


def test_warnings_of_decoding_are_reported_from_the_cache_too(pairs, quick):
    from PIL import Image

    with Image.open(pairs / "good" / "0.png") as image:
        image.convert("RGBA").save(pairs / "good" / "0.png")
    tables = [
        score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=pairs / "c.sqlite")
        for _ in range(2)
    ]
    for table in tables:
        assert "alpha" in table.entries[0].images[0].warnings[0]


def replace_by(pixels):
    return lambda file: write_image(file, pixels)


def cut_half(file):
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def become_folder(file):
    file.unlink()
    file.mkdir()
    (file / "inner.txt").write_text("no image")


def become_loop(file):
    file.unlink()
    file.symlink_to(file.name)


@pytest.mark.parametrize(
    ("spoil", "reason", "failed"),
    [
        (Path.unlink, "missing: there is no file named 1", False),
        (become_folder, "missing: there is no file named 1", False),
        (replace_by(np.zeros((40, 51, 3), np.uint8)), "1.png is 51x40, its reference 50x40", False),
        (replace_by(np.zeros((1, 1, 3), np.uint8)), "1.png is 1x1, its reference 50x40", False),
        (replace_by(np.zeros((40, 50), np.uint8)), "it is grey, its reference colour", False),
        (replace_by(np.zeros((40, 50), np.uint16)), "it is grey, its reference colour", False),
        (lambda file: file.write_bytes(b"no image"), "1.png: it is no image that raim reads", True),
        (lambda file: file.write_bytes(b""), "1.png: ", True),
        (cut_half, "1.png: ", True),
        (become_loop, "1.png cannot be read: ", True),
    ],
)
def test_an_image_that_cannot_be_scored_gets_its_reason_and_costs_no_other(
    pairs, quick, spoil, reason, failed
):
    spoil(pairs / "good" / "1.png")
    table = score_folders([pairs / "good", pairs / "poor"], pairs / "reference", profile=quick)
    assert [entry.name for entry in table.entries] == ["poor", "good"]
    poor, entry = table.entries
    assert reason in entry.images[1].unscored
    assert entry.images[1].failed == failed
    assert set(entry.images[1].values.values()) == {None}
    assert (poor.n_scored, entry.n_scored, entry.n_expected) == (3, 2, 3)
    assert table.why_unranked(entry) == "2 of 3 images have a score; none: 1"


def test_a_broken_reference_leaves_its_image_unscored_for_all(pairs, quick):
    content = (pairs / "reference" / "2.png").read_bytes()
    (pairs / "reference" / "2.png").write_bytes(content[: len(content) // 2])
    table = score_folders([pairs / "good", pairs / "poor"], pairs / "reference", profile=quick)
    for entry in table.entries:
        assert entry.images[2].unscored.startswith("its reference cannot be used: 2.png")
        assert entry.images[2].failed
        assert (entry.n_scored, table.why_unranked(entry) is None) == (2, False)


def test_a_reference_too_small_for_the_profile_is_expected_of_nobody(pairs, quick):
    for name in ("reference", "good", "poor"):
        write_image(pairs / name / "2.png", np.full((14, 90, 3), len(name), np.uint8))
    for cache in (None, pairs / "c.sqlite", pairs / "c.sqlite"):
        table = score_folders(
            [pairs / "good", pairs / "poor"], pairs / "reference", profile=quick, cache=cache
        )
        assert table.ranks() == {"good": 1, "poor": 2}
        for entry in table.entries:
            small = entry.images[2]
            assert small.unscored == (
                "ssim: the image is 90x14 (86x10 once 2 px are cut off each side), SSIM needs at least 11x11"
            )
            assert small.values["psnr"] > 20
            assert (small.is_expected, small.failed, entry.n_expected) == (False, False, 2)


def test_an_entry_that_cannot_be_opened_costs_no_other(pairs, quick):
    (pairs / "torn.zip").write_bytes(b"PK" + b"no zip" * 9)
    table = score_folders([pairs / "torn.zip", pairs / "good"], pairs / "reference", profile=quick)
    assert table.ranks() == {"good": 1}
    torn = table.entries[1]
    assert {image.failed for image in torn.images} == {True}
    assert "torn.zip" in torn.images[0].unscored


def test_what_fails_in_a_measure_is_that_candidates_and_is_not_kept(pairs, quick, monkeypatch):
    cache = pairs / "cache.sqlite"
    failing = []

    def fail(restored, reference, **options):
        if failing and np.array_equal(restored, failing[0]):
            raise RuntimeError("boom")
        return ssim(restored, reference, **options)

    replace_forms(monkeypatch, "ssim", array_form=fail)
    failing.append(read_image(pairs / "good" / "1.png").pixels[2:-2, 2:-2])
    folders = [pairs / "good", pairs / "poor"]
    table = score_folders(folders, pairs / "reference", profile=quick, cache=cache)
    assert [entry.name for entry in table.entries] == ["poor", "good"]
    broken = table.entries[1].images[1]
    assert broken.failed
    assert "ssim: RuntimeError: boom" in broken.unscored
    assert broken.values["psnr"] > 20
    failing.clear()
    again = score_folders(folders, pairs / "reference", profile=quick, cache=cache)
    assert again.ranks() == {"good": 1, "poor": 2}


def test_memory_that_runs_out_for_some_together_is_enough_for_each(pairs, quick, monkeypatch):
    alive = []
    original = photograph.read_image

    def read(content, **options):
        if len(alive) > 1:
            raise MemoryError
        return original(content, **options)

    def group(*args):
        alive.clear()
        return measure_group(*args)

    measure_group = photograph._measure_group
    prepare = photograph._prepare
    monkeypatch.setattr(photograph, "read_image", read)
    monkeypatch.setattr(photograph, "_measure_group", group)
    monkeypatch.setattr(photograph, "_prepare", lambda *args: (prepare(*args), alive.append(1))[0])
    names = list("abcde")
    table = score_folders([pairs / "good"] * 5, pairs / "reference", profile=quick, names=names)
    assert [entry.n_scored for entry in table.entries] == [3] * 5


@pytest.mark.parametrize(
    "limit", [("PIXELS_BYTES", 3 * 36 * 46 * 3), ("FEATURES_BYTES", 450_000_000), ("MOST_TOGETHER", 3)]
)
def test_candidates_are_in_memory_a_few_at_a_time(pairs, quick, monkeypatch, limit):
    largest = []
    original = photograph._measure_group
    monkeypatch.setattr(
        photograph, "_measure_group", lambda *args: (largest.append(len(args[0])), original(*args))[1]
    )
    monkeypatch.setattr(photograph, *limit)
    names = [str(number) for number in range(7)]
    table = score_folders([pairs / "good"] * 7, pairs / "reference", profile=quick, names=names)
    assert max(largest) == 3
    assert [entry.n_scored for entry in table.entries] == [3] * 7


def test_a_photograph_whose_process_dies_is_scored_again_candidate_by_candidate(pairs, quick, monkeypatch):
    asked = []

    def die_together(score, tasks, workers):
        for task in tasks:
            asked.append((task.name, len(task.candidates), workers))
            is_poison = task.name == "1" and (
                len(task.candidates) > 1 or task.candidates[0].container.name == "poor"
            )
            yield task, WorkerDiedError("its process ended") if is_poison else score(task)

    monkeypatch.setattr(run_module, "map_processes", die_together)
    reported = []
    table = score_folders(
        [pairs / "good", pairs / "poor"],
        pairs / "reference",
        profile=quick,
        on_progress=lambda *now: reported.append(now),
    )
    assert asked == [("0", 2, 1), ("1", 2, 1), ("2", 2, 1), ("1", 1, 2), ("1", 1, 2)]
    assert table.ranks() == {"good": 1}
    assert [image.failed for image in table.entries[1].images] == [False, True, False]
    assert reported == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_measure_twice_in_a_profile_is_right_in_pairs_and_folders(pairs):
    labels = {"PSNR-Y": "y", "PSNR-RGB": "rgb"}
    profile = Profile(
        name="twice",
        note="",
        border_px=0,
        measures=tuple(
            MeasureChoice(name="psnr", label=label, options={"colour": colour}, weight=1, zero_at=0, one_at=1)
            for label, colour in labels.items()
        ),
    )
    cache = pairs / "cache.sqlite"
    for _ in range(2):
        table = score_folders([pairs / "poor"], pairs / "reference", profile=profile, cache=cache)
        for image in table.entries[0].images:
            files = [
                read_image(pairs / folder / f"{image.name}.png").pixels for folder in ("poor", "reference")
            ]
            expected = {label: psnr(*files, colour=colour) for label, colour in labels.items()}
            assert expected["PSNR-Y"] > expected["PSNR-RGB"] + 1
            assert image.values == pytest.approx({**expected, "score": sum(expected.values())})
            assert image.values == score_pair(*files, profile).values


def test_values_of_niqe_are_shared_by_references_but_sizes_are_compared(pairs):
    niqe = MeasureChoice(name="niqe", weight=1, zero_at=10, one_at=0)
    exact = MeasureChoice(name="psnr", weight=1, zero_at=0, one_at=50)
    image = np.random.default_rng(3).integers(0, 256, (100, 200, 3), np.uint8)
    for folder, pixels in (("n", image), ("first", image), ("second", 255 - image), ("other", image[1:])):
        (pairs / folder).mkdir()
        write_image(pairs / folder / "0.png", pixels)
    alone = Profile(name="alone", note="", border_px=0, measures=(niqe,))
    both = Profile(name="both", note="", border_px=0, measures=(niqe, exact))
    cache = pairs / "cache.sqlite"
    scored = {
        (profile.name, folder): score_folders([pairs / "n"], pairs / folder, profile=profile, cache=cache)
        for profile in (alone, both)
        for folder in ("first", "second", "other")
    }
    found = {key: table.entries[0].images[0].values["niqe"] for key, table in scored.items()}
    assert found["both", "second"] == found["alone", "first"] > 0
    assert found["alone", "other"] is found["both", "other"] is None


def test_a_cache_that_cannot_be_used_is_reported_and_stops_nothing(pairs, quick):
    table = score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=pairs / "good")
    assert table.entries[0].n_scored == 3
    assert "RAIM_CACHE_DIR" in table.notes[0]


def test_a_file_that_changes_while_it_is_scored_gets_no_number(pairs, quick, monkeypatch):
    monkeypatch.setattr(submission.ArchiveMember, "sha256", lambda _: "0" * 64)
    table = score_folders([pairs / "good"], pairs / "reference", profile=quick)
    assert {image.unscored for image in table.entries[0].images} == {
        f"{number}.png changed while it was scored; score it again" for number in range(3)
    }


@pytest.mark.parametrize(("engine", "expected"), [("torch", [1]), ("ncnn", [])])
def test_where_torch_computes_each_of_several_processes_has_one_thread(monkeypatch, engine, expected):
    asked = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(set_num_threads=asked.append))
    monkeypatch.setattr("raim.networks.features.choose_engine", lambda *_, **__: engine)
    for threads in (None, 1):
        photograph._limit_threads(photograph.Setting(profile=PROFILES["raim-2024"], threads=threads))
    assert asked == expected


def test_sixteen_bit_and_eight_bit_candidates_go_together(pairs, quick):
    shutil.copytree(pairs / "good", pairs / "wide")
    wide = read_image(pairs / "good" / "0.png").pixels.astype(np.uint16) * 257
    write_image(pairs / "wide" / "0.png", wide)
    table = score_folders([pairs / "good", pairs / "wide"], pairs / "reference", profile=quick)
    assert values(table)["wide"][0] == pytest.approx(values(table)["good"][0], abs=1e-9)


def test_a_reference_that_does_not_fit_into_memory_in_one_type_costs_only_the_candidates_of_it(
    pairs, quick, monkeypatch
):
    original = photograph.convert_image
    shutil.copytree(pairs / "good", pairs / "wide")
    wide = read_image(pairs / "good" / "0.png").pixels.astype(np.uint16) * 257
    write_image(pairs / "wide" / "0.png", wide)

    def convert(image, dtype):
        if image.dtype != dtype:
            raise MemoryError
        return original(image, dtype)

    monkeypatch.setattr(photograph, "convert_image", convert)
    table = score_folders([pairs / "wide", pairs / "good"], pairs / "reference", profile=quick)
    good, other = table.entries
    assert (good.name, good.n_scored, other.n_scored) == ("good", 3, 2)
    assert other.images[0].failed
    assert other.images[0].unscored.startswith("memory ran out")


@pytest.mark.parametrize(
    "spoil",
    [
        {"measured": {"value": "abc", "unscored": None, "warning": None}, "warnings": []},
        {"measured": {"value": 30.0, "unscored": None, "warning": None, "more": 1}, "warnings": []},
        {"measured": {"value": 30.0, "unscored": None, "warning": None}, "warnings": 5},
        {"measured": {"value": 30.0, "unscored": None, "warning": None}, "warnings": [5]},
        {"measured": {"value": None, "unscored": None, "warning": None}, "warnings": []},
        {"measured": {"value": float("nan"), "unscored": None, "warning": None}, "warnings": []},
        {"measured": {"value": -float("inf"), "unscored": None, "warning": None}, "warnings": []},
        {"measured": {"value": "1e400", "unscored": None, "warning": None}, "warnings": []},
        {"measured": {"value": 10**400, "unscored": None, "warning": None}, "warnings": []},
    ],
)
def test_a_damaged_record_of_the_cache_is_measured_again_and_replaced(pairs, quick, monkeypatch, spoil):
    cache = pairs / "cache.sqlite"
    first = score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache)
    text = json.dumps(spoil).replace('"1e400"', "1e400")
    with sqlite3.connect(cache) as database:
        database.execute("UPDATE measured SET record = ?", (text,))
    database.close()
    again = score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache)
    assert again.as_dict() == first.as_dict()
    forbid_measuring(monkeypatch)
    third = score_folders([pairs / "good"], pairs / "reference", profile=quick, cache=cache)
    assert third.as_dict() == first.as_dict()


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
    assert table.notes == ()


def test_a_manifest_without_scenarios_of_all_images_is_not_passed_over(pairs, quick, tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("name,scenario\n0,blur\nother,blur\n")
    (note,) = score_folders([pairs / "good"], pairs / "reference", profile=quick, manifest=path).notes
    assert "2 without a scenario, since no row names them: 1, 2" in note
    path.write_text("name,scenario\n0000,blur\n")
    with pytest.raises(ManifestError, match="no row names an image: it has 0000, the images are 0, 1, 2"):
        score_folders([pairs / "good"], pairs / "reference", profile=quick, manifest=path)


def test_entries_of_one_name_are_distinguished_by_their_paths(pairs, quick):
    shutil.copytree(pairs / "good", pairs / "other" / "good")
    table = score_folders([pairs / "good", pairs / "other" / "good"], pairs / "reference", profile=quick)
    assert {entry.name for entry in table.entries} == {str(pairs / "good"), str(pairs / "other" / "good")}


def test_progress_is_reported_before_the_first_and_after_each(pairs, quick):
    reported = []
    score_folders(
        [pairs / "good"], pairs / "reference", profile=quick, on_progress=lambda *now: reported.append(now)
    )
    assert reported == [(0, 3), (1, 3), (2, 3), (3, 3)]


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


def test_a_device_that_is_not_here_is_refused_before_the_work(pairs, quick, monkeypatch):
    def refuse(name):
        raise InputError(f"there is no device {name!r} here")

    monkeypatch.setattr(run_module, "check_device", refuse)
    with pytest.raises(InputError, match="there is no device 'cuda' here"):
        score_folders(
            [pairs / "good"], pairs / "reference", profile=quick, device="cuda", on_progress=pytest.fail
        )


def test_a_folder_without_images_is_refused(pairs, quick):
    (pairs / "empty").mkdir()
    with pytest.raises(SubmissionError, match="no image"):
        score_folders([pairs / "empty"], pairs / "reference", profile=quick)


def test_the_cache_lies_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path))
    assert run_module.default_cache() == tmp_path / "scores.sqlite"
