import csv
import hashlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from patience import PATIENCE_S, wait_until
from raim.data import read_manifest
from raim.data.camera import take_pair
from raim.data.degradation import degrade_folder, read_cameras
from raim.data.pair_folder import JOURNAL
from raim.errors import InputError
from raim.images import read_image, write_image
from raim.runs import PARTS

PRESETS = ["denoise", "color-noise"]


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def degrade(clean, out, **options):
    return degrade_folder(clean, out, **{"presets": PRESETS, "seed": 7, **options})


def stop_after(n_done, clean, out):
    """Degrade until so many photographs are done."""

    def stop(done, _total):
        if done == n_done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        degrade(clean, out, on_progress=stop)


def test_inputs_references_and_manifest_are_written_and_nothing_else(clean, tmp_path):
    made = degrade(clean, tmp_path / "out")
    names = [pair.files.name for pair in made.pairs]
    assert names == [
        "a_denoise",
        "a_color_noise",
        "b_denoise",
        "b_color_noise",
        "grey_denoise",
        "grey_color_noise",
    ]
    expected = {f"{folder}/{name}.png" for folder in ("input", "reference") for name in names}
    assert set(content(tmp_path / "out")) == expected | {"manifest.csv"}
    np.testing.assert_array_equal(
        read_image(tmp_path / "out/reference/b_denoise.png").pixels, read_image(clean / "b.png").pixels
    )


def test_any_number_of_workers_gives_the_same_bytes(clean, tmp_path):
    degrade(clean, tmp_path / "one")
    degrade(clean, tmp_path / "again")
    degrade(clean, tmp_path / "two", workers=2)
    assert content(tmp_path / "one") == content(tmp_path / "again") == content(tmp_path / "two")
    degrade(clean, tmp_path / "other", seed=8)
    assert content(tmp_path / "one") != content(tmp_path / "other")


def test_the_manifest_is_one_that_raim_reads(clean, tmp_path):
    degrade(clean, tmp_path / "out")
    manifest = read_manifest(tmp_path / "out/manifest.csv")
    assert manifest.scenarios() == ("denoise", "color_noise")
    row = manifest.by_name()["a_denoise"]
    assert (row.width, row.height) == (48, 36)
    for folder, stated in (("input", row.input_sha256), ("reference", row.reference_sha256)):
        file = (tmp_path / "out" / folder / "a_denoise.png").read_bytes()
        assert stated == hashlib.sha256(file).hexdigest()


def test_the_manifest_alone_makes_a_pair_again(clean, tmp_path):
    degrade(clean, tmp_path / "out")
    cameras = read_cameras(tmp_path / "out/manifest.csv")
    pair = take_pair(read_image(clean / "b.png").pixels, cameras["b_color_noise"])
    np.testing.assert_array_equal(pair.degraded, read_image(tmp_path / "out/input/b_color_noise.png").pixels)
    with (tmp_path / "out/manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["role"] == "input"]
    assert {row["seed"] for row in rows} == {"7"}
    assert {row["source"] for row in rows} == {"a.png", "b.png", "grey.tif"}
    assert [row["scenario"] or row["issue"] for row in rows] == [row["preset"] for row in rows]


def test_other_photographs_and_their_order_change_nothing(clean, tmp_path):
    degrade(clean, tmp_path / "all")
    (clean / "a.png").unlink()
    degrade(clean, tmp_path / "fewer", presets=list(reversed(PRESETS)))
    fewer, whole = content(tmp_path / "fewer"), content(tmp_path / "all")
    assert all(whole[name] == file for name, file in fewer.items() if name != "manifest.csv")


def test_progress_starts_at_none_and_ends_with_all(clean, tmp_path):
    seen = []
    degrade(clean, tmp_path / "out", on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 6) for done in range(7)]


def test_a_damaged_photograph_is_left_out_with_its_reason(clean, tmp_path):
    whole = (clean / "b.png").read_bytes()
    middle = len(whole) // 2
    (clean / "b.png").write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    made = degrade(clean, tmp_path / "out")
    assert [each.name for each in made.left_out] == ["b_denoise", "b_color_noise"]
    assert "b.png" in made.left_out[0].reason
    assert "b_denoise" not in read_manifest(tmp_path / "out/manifest.csv").by_name()


def test_what_no_pair_can_be_made_of_is_left_out_before_the_work(clean, tmp_path):
    (clean / "b.png").write_bytes((clean / "b.png").read_bytes()[:40])
    write_image(clean / "tiny.png", np.zeros((8, 90, 3), np.uint8))
    made = degrade(clean, tmp_path / "out", presets=["denoise"])
    assert [pair.files.name for pair in made.pairs] == ["a_denoise", "grey_denoise"]
    assert [each.name for each in made.left_out] == ["b_denoise", "tiny_denoise"]
    assert "b.png" in made.left_out[0].reason
    assert "tiny.png: it is 90x8; it must be at least 16 pixels" in made.left_out[1].reason
    write_image(clean / "a.jpg", np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(InputError, match=r"a\.png and a\.jpg would give files of one name"):
        degrade(clean, tmp_path / "other")


def test_a_rotated_photograph_is_set_upright(tmp_path):
    exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"  # orientation 6
    write_image(tmp_path / "side.jpg", np.zeros((40, 60, 3), np.uint8), exif=exif)
    degrade(tmp_path / "side.jpg", tmp_path / "out")
    assert read_image(tmp_path / "out/reference/side_denoise.png").pixels.shape == (60, 40, 3)


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(clean, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(
            InputError, match=r"holds 1 files that raim degrade has not written, such as notes\.txt"
        ):
            degrade(clean, tmp_path / "out", overwrite=overwrite)
    assert content(tmp_path / "out") == {"notes.txt": b"mine"}


def test_pictures_of_others_are_never_overwritten(clean, tmp_path):
    (tmp_path / "out/input").mkdir(parents=True)
    (tmp_path / "out/input/mine.png").write_bytes(b"mine")
    (tmp_path / "out/manifest.csv").write_text("name,scenario\nmine,denoise\n")
    with pytest.raises(InputError, match="has not written"):
        degrade(clean, tmp_path / "out", overwrite=True)
    assert (tmp_path / "out/input/mine.png").read_bytes() == b"mine"


def test_overwriting_removes_the_earlier_run_s_pairs(clean, tmp_path):
    degrade(clean, tmp_path / "out")
    with pytest.raises(InputError, match=r"is not empty; .* with --overwrite"):
        degrade(clean, tmp_path / "out")
    (tmp_path / "out/notes.txt").write_text("mine")
    degrade(clean, tmp_path / "out", presets=["text"], overwrite=True)
    assert (tmp_path / "out/notes.txt").read_text() == "mine"
    (tmp_path / "out/notes.txt").unlink()
    degrade(clean, tmp_path / "new", presets=["text"])
    assert content(tmp_path / "out") == content(tmp_path / "new")


def test_a_file_in_the_folder_s_place_and_no_workers_are_refused(clean, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file"):
        degrade(clean, tmp_path / "file")
    with pytest.raises(InputError, match="0 workers"):
        degrade(clean, tmp_path / "out", workers=0)


def test_a_stopped_run_goes_on_where_it_was_and_ends_with_the_same_bytes(clean, tmp_path):
    degrade(clean, tmp_path / "whole")
    out = tmp_path / "out"
    stop_after(3, clean, out)
    assert len(list((out / "input").iterdir())) == 3
    assert not (out / "manifest.csv").exists()
    with pytest.raises(InputError, match="another, interrupted run"):
        degrade(clean, out, presets=["moire"])
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    damaged = out / "reference/a_color_noise.png"
    damaged.write_bytes(b"")
    degrade(clean, out)
    kept = [path for path, time_ns in written.items() if path.stat().st_mtime_ns == time_ns]
    assert len(kept) == 4  # two of the three pairs; the damaged one is made again
    assert content(out) == content(tmp_path / "whole")


def test_a_stopped_run_makes_a_changed_photograph_again(clean, tmp_path):
    out = tmp_path / "out"
    stop_after(2, clean, out)
    with (out / JOURNAL).open("a") as journal:
        journal.write('{"name": "cut o')
    write_image(clean / "a.png", np.full((36, 48, 3), 99, np.uint8))
    degrade(clean, out)
    degrade(clean, tmp_path / "new")
    assert content(out) == content(tmp_path / "new")


def test_pairs_that_a_stopped_run_made_of_what_is_damaged_now_are_removed(clean, tmp_path):
    out = tmp_path / "out"
    stop_after(3, clean, out)
    (clean / "a.png").write_bytes(b"no image")
    degrade(clean, out)
    assert {path.stem.split("_")[0] for path in out.rglob("*.png")} == {"b", "grey"}


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a POSIX signal")
def test_ctrl_c_leaves_whole_files_only(tmp_path):
    (tmp_path / "clean").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    for index in range(30):
        write_image(tmp_path / "clean" / f"{index}.png", noise)
    command = [
        sys.executable,
        "-m",
        "raim",
        "degrade",
        "clean",
        "out",
        "--preset",
        "denoise",
        "--workers",
        "2",
    ]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True)
    wait_until(lambda: list((tmp_path / "out").glob("input/*.png")))
    os.killpg(process.pid, signal.SIGINT)
    _, message = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, message
    assert b"Traceback" not in message
    # A writer that is killed may leave a part, which the next run removes.
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and not path.match(PARTS)]
    assert {path.suffix for path in left} <= {".png", ".jsonl", ""}  # "" is .lock
    for path in left:
        if path.suffix == ".png":
            assert read_image(path).pixels.shape == (300, 300, 3)
