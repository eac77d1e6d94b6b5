import dataclasses
import errno
import io
import json
import zipfile
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from raim import __version__
from raim.errors import InputError, WeightsMissingError
from raim.images import encode_image, inspect_image, read_image, write_image
from raim.restore import Restorer
from raim.restore.batch import RECORD, Options, describe_work, plan_jobs, restore_batch
from raim.weights import weights_sha256

SMALL = np.random.default_rng(1).integers(0, 256, (12, 16, 3), np.uint8)


@pytest.fixture
def run(inverting):
    def restore(source, target, *, suffix=None, work="the work", **options):
        plan = plan_jobs(source, target, suffix=suffix)
        return restore_batch(plan, inverting.restorer, Options(**options), work=work)

    return restore


def listed(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_photograph_of_a_folder_is_restored_in_its_own_format(run, folder, tmp_path):
    outcomes = run(folder, tmp_path / "out")
    assert listed(tmp_path / "out") == [RECORD, "a.png", "b.tif", "c.webp"]
    for outcome in outcomes:
        before = read_image(folder / outcome.job.name).pixels
        np.testing.assert_array_equal(read_image(outcome.job.target).pixels, 255 - before)
        assert outcome.made.notes[0] == "inverted"


def test_a_zip_gives_a_folder(run, folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"photographs/{path.name}")
    run(tmp_path / "in.zip", tmp_path / "out", suffix=".png")
    assert listed(tmp_path / "out") == [RECORD, "a.png", "b.png", "c.png"]


def test_a_second_run_keeps_what_the_first_made(run, folder, tmp_path, inverting):
    run(folder, tmp_path / "out")
    (tmp_path / "out" / "b.tif").unlink()
    outcomes = run(folder, tmp_path / "out")
    assert [outcome.is_kept for outcome in outcomes] == [True, False, True]
    assert inverting.n_calls == 4


def test_what_other_work_made_is_not_replaced_unasked(run, folder, tmp_path, inverting):
    run(folder, tmp_path / "out")
    with pytest.raises(InputError, match=r"a\.png and 2 more is there already.*--overwrite"):
        run(folder, tmp_path / "out", work="other")
    assert inverting.n_calls == 3
    assert all(outcome.made for outcome in run(folder, tmp_path / "out", work="other", overwrite=True))


def test_a_strangers_file_is_left_alone(run, folder, tmp_path, inverting):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.tif").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"b\.tif is there already"):
        run(folder, tmp_path / "out")
    assert (tmp_path / "out" / "b.tif").read_bytes() == b"mine"
    assert inverting.n_calls == 0


def test_a_changed_result_is_a_strangers_file(run, folder, tmp_path):
    run(folder, tmp_path / "out")
    write_image(tmp_path / "out" / "a.png", SMALL)
    with pytest.raises(InputError, match=r"a\.png is there already"):
        run(folder, tmp_path / "out")


def test_a_changed_input_is_not_taken_for_the_old_one(run, folder, tmp_path):
    run(folder, tmp_path / "out")
    write_image(folder / "a.png", np.zeros((12, 16, 3), np.uint8))
    (failed, *_) = run(folder, tmp_path / "out")
    assert "was made from another a.png" in failed.error
    (done, *_) = run(folder, tmp_path / "out", overwrite=True)
    assert done.made is not None
    assert read_image(tmp_path / "out" / "a.png").pixels.min() == 255


BROKEN = {
    "truncated": encode_image(SMALL, ".png")[:300],
    "video": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(400),
    "text": b"This is no picture.\n" * 20,
    "one-pixel": encode_image(np.zeros((1, 1, 3), np.uint8), ".png"),
    "empty": b"",
}


@pytest.mark.parametrize("kind", sorted(BROKEN))
def test_a_broken_photograph_does_not_stop_the_others(run, folder, tmp_path, kind):
    (folder / "a.png").write_bytes(BROKEN[kind])
    outcomes = run(folder, tmp_path / "out")
    assert [outcome.made is None for outcome in outcomes] == [True, False, False]
    assert outcomes[0].error
    assert listed(tmp_path / "out") == [RECORD, "b.tif", "c.webp"]


def test_a_full_disk_stops_the_run_and_leaves_no_half_written_file(run, folder, tmp_path, monkeypatch):
    write_bytes = Path.write_bytes

    def refuse(path, content):
        if ".b.tif." in path.name:
            write_bytes(path, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(
        InputError, match="No space left on device; free some space, then the same command goes on"
    ):
        run(folder, tmp_path / "out")
    assert listed(tmp_path / "out") == [RECORD, "a.png"]
    monkeypatch.undo()
    assert [outcome.is_kept for outcome in run(folder, tmp_path / "out")] == [True, False, False]


def test_ctrl_c_just_before_a_result_is_placed_leaves_a_run_that_goes_on(run, folder, tmp_path, monkeypatch):
    replace = Path.replace

    def interrupt(path, target):
        if target.name == "b.tif":
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(folder, tmp_path / "out")
    assert listed(tmp_path / "out") == [RECORD, "a.png"]
    monkeypatch.undo()
    assert [outcome.is_kept for outcome in run(folder, tmp_path / "out")] == [True, False, False]


def test_a_folder_that_cannot_be_made_is_an_error(run, folder, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="out cannot be written"):
        run(folder, tmp_path / "file" / "out")


def test_profile_and_exif_are_kept_and_a_rotation_is_applied_once(run, tmp_path):
    exif = Image.Exif()
    exif[0x0110] = "a camera"
    exif[0x0112] = 6
    profile = imagecodecs.cms_profile("adobergb")
    Image.fromarray(SMALL).save(tmp_path / "turned.jpg", exif=exif, quality=95, icc_profile=profile)
    (outcome,) = run(tmp_path / "turned.jpg", tmp_path / "kept.jpg")
    assert outcome.made is not None
    with Image.open(tmp_path / "kept.jpg") as kept:
        assert kept.size == (12, 16)
        assert kept.getexif()[0x0110] == "a camera"
        assert kept.getexif().get(0x0112, 1) == 1
        assert kept.info["icc_profile"] == profile


def test_one_photograph_leaves_no_record_beside_it(run, folder, tmp_path):
    (tmp_path / "out").mkdir()
    run(folder / "a.png", tmp_path / "out")
    assert listed(tmp_path / "out") == ["a.png"]
    with pytest.raises(InputError, match="is there already"):
        run(folder / "a.png", tmp_path / "out")


def test_jpeg_is_written_at_quality_95_and_webp_without_loss(run, folder, tmp_path):
    run(folder, tmp_path / "out", suffix=".jpg")
    negative = 255 - read_image(folder / "a.png").pixels
    assert (tmp_path / "out" / "a.jpg").read_bytes() == encode_image(negative, ".jpg", quality=95)
    run(folder / "a.png", tmp_path / "a.webp")
    np.testing.assert_array_equal(read_image(tmp_path / "a.webp").pixels, negative)


@pytest.mark.parametrize("shape", [(9, 10, 3), (9, 10)], ids=["colour", "grey"])
def test_sixteen_bits_stay_sixteen_and_grey_stays_grey(run, tmp_path, shape):
    pixels = np.random.default_rng(2).integers(0, 65536, shape, np.uint16)
    write_image(tmp_path / "deep.png", pixels)
    (outcome,) = run(tmp_path / "deep.png", tmp_path / "out.tif")
    assert outcome.made is not None
    result = read_image(tmp_path / "out.tif").pixels
    assert result.dtype == np.uint16
    assert np.abs(result.astype(int) + pixels - 65535).max() <= 1


def test_a_format_that_cannot_hold_the_result_is_reported_before_the_work(run, tmp_path, inverting):
    write_image(tmp_path / "deep.png", np.zeros((9, 10, 3), np.uint16))
    (outcome,) = run(tmp_path / "deep.png", tmp_path / "out.jpg")
    assert "JPEG holds 8 bits" in outcome.error
    assert inverting.n_calls == 0


def test_the_share_that_is_done_never_falls_and_ends_at_one(folder, tmp_path, inverting):
    seen = []
    plan = plan_jobs(folder, tmp_path / "out")
    restore_batch(plan, inverting.restorer, Options(), work="", on_share=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


@pytest.mark.parametrize("content", ['{"a.png": 3}', "{", "[]", '{"name": "a.png", "notes": []}', "\xff\0"])
def test_a_damaged_record_is_no_record(run, folder, tmp_path, content):
    run(folder, tmp_path / "out")
    (tmp_path / "out" / RECORD).write_text(content)
    with pytest.raises(InputError, match="is there already"):
        run(folder, tmp_path / "out")


def test_missing_weights_stop_the_run_at_once(folder, tmp_path):
    def fail(image, context):
        raise WeightsMissingError("run raim weights fetch")

    restorer = Restorer(name="x", purpose="for tests", compute=fail)
    with pytest.raises(WeightsMissingError):
        restore_batch(plan_jobs(folder, tmp_path / "out"), restorer, Options(), work="")


def test_a_device_that_the_restorer_does_not_run_on_is_reported_before_anything_is_made(
    run, folder, tmp_path
):
    with pytest.raises(InputError, match="runs on the cpu only"):
        run(folder, tmp_path / "out", device="cuda")
    assert not (tmp_path / "out").exists()


def with_profile(pixels, profile):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", icc_profile=profile)
    return file.getvalue()


def test_a_submission_is_srgb_without_profile_and_exif(run, tmp_path):
    colours = np.full((12, 16, 3), (200, 50, 50), np.uint8)
    (tmp_path / "wide.png").write_bytes(with_profile(colours, imagecodecs.cms_profile("adobergb")))
    run(tmp_path / "wide.png", tmp_path / "bare.png", is_submission=True)
    with Image.open(tmp_path / "bare.png") as bare:
        assert "icc_profile" not in bare.info
    # AdobeRGB (200, 50, 50) is (232, 46, 46) in sRGB; the restorer made its negative.
    np.testing.assert_allclose(read_image(tmp_path / "bare.png").pixels[0, 0], (23, 209, 209), atol=2)


def test_a_submission_of_adobe_rgb_that_only_exif_states_is_converted(run, tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0xA001: 65535, 0xA005: {1: "R03"}})
    colours = np.full((12, 16, 3), (200, 50, 50), np.uint8)
    Image.fromarray(colours).save(tmp_path / "_a.webp", lossless=True, exif=exif)
    run(tmp_path / "_a.webp", tmp_path / "bare.png", is_submission=True)
    np.testing.assert_allclose(read_image(tmp_path / "bare.png").pixels[0, 0], (23, 209, 209), atol=2)


def test_a_submission_is_upright_and_says_what_it_could_not_use(run, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(SMALL).save(tmp_path / "turned.jpg", exif=exif)
    (outcome,) = run(tmp_path / "turned.jpg", tmp_path / "turned.png", is_submission=True)
    assert read_image(outcome.job.target).pixels.shape == (16, 12, 3)
    broken = bytearray(imagecodecs.cms_profile("adobergb"))
    broken[12:40] = bytes(28)
    (tmp_path / "broken.png").write_bytes(with_profile(SMALL, bytes(broken)))
    (outcome,) = run(tmp_path / "broken.png", tmp_path / "out.png", is_submission=True)
    assert "colour profile is damaged" in outcome.made.notes[0]


def test_a_submission_refuses_colours_that_are_not_known(run, tmp_path):
    png = encode_image(SMALL, ".png")
    cicp = b"cICP" + bytes((9, 16, 0, 1))  # HDR television
    chunk = (4).to_bytes(4) + cicp + zlib.crc32(cicp).to_bytes(4)
    (tmp_path / "hdr.png").write_bytes(png[:33] + chunk + png[33:])
    (outcome,) = run(tmp_path / "hdr.png", tmp_path / "out.png", is_submission=True)
    assert "states other colours than sRGB without a profile" in outcome.error


def test_formats_of_telephones_become_png_and_other_names_of_jpeg_stay(run, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.avif", "b.JFIF", "c.jpe", "d.png"):  # d.png is a JPEG
        form = "AVIF" if name == "a.avif" else "JPEG"
        Image.fromarray(SMALL).save(tmp_path / "in" / name, form, quality=95)
    run(tmp_path / "in", tmp_path / "out")
    assert listed(tmp_path / "out") == [RECORD, "a.png", "b.JFIF", "c.jpe", "d.png"]
    written = [inspect_image(path).format for path in sorted((tmp_path / "out").iterdir())[1:]]
    assert written == ["PNG", "JPEG", "JPEG", "PNG"]


def test_the_record_says_what_made_what(run, folder, tmp_path, inverting):
    run(folder, tmp_path / "out", work=describe_work(inverting.restorer))
    record = [json.loads(line) for line in (tmp_path / "out" / RECORD).read_text().strip().splitlines()]
    assert [made["name"] for made in record] == ["a.png", "b.tif", "c.webp"]
    assert all(made["work"].startswith("invert; raim ") for made in record)


BAD_ENDS = {
    "forward": (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "RuntimeError: mat1 and mat2"),
    "memory": (MemoryError(), "memory ran out; work on fewer"),
    "cuda-memory": (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "smaller tiles"),
    "unforeseen": (KeyError("x"), "nobody foresaw this"),
    "of-raim": (InputError("too dark"), "too dark"),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(BAD_ENDS))
def test_whatever_fails_fails_for_its_photograph_only(folder, tmp_path, inverting, kind):
    error, message = BAD_ENDS[kind]

    def compute(image, context):
        if inverting.n_calls == 1:
            inverting.n_calls += 1
            raise error
        return inverting.run(image, context)

    restorer = Restorer(name="x", purpose="for tests", compute=compute)
    outcomes = restore_batch(plan_jobs(folder, tmp_path / "out"), restorer, Options(), work="")
    assert [outcome.made is None for outcome in outcomes] == [False, True, False]
    assert message in outcomes[1].error
    assert listed(tmp_path / "out") == [RECORD, "a.png", "c.webp"]


def test_a_file_that_cannot_be_opened_or_decoded_fails_alone(run, folder, tmp_path, monkeypatch):
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to(tmp_path / "gone")

    def fail(content, **_):
        raise ZeroDivisionError

    monkeypatch.setattr("raim.restore.batch.run.read_image", fail)
    outcomes = run(folder, tmp_path / "out")
    assert outcomes[0].error == "a.png cannot be read: No such file or directory"
    assert all("ZeroDivisionError" in outcome.error for outcome in outcomes[1:])


def test_a_result_that_the_gate_refuses_is_an_error_of_its_photograph(folder, tmp_path):
    restorer = Restorer(name="half", purpose="for tests", compute=lambda image, _: image / np.float32(0.0039))
    outcomes = restore_batch(plan_jobs(folder, tmp_path / "out"), restorer, Options(), work="")
    assert all("they look like 0..255" in outcome.error for outcome in outcomes)
    assert listed(tmp_path / "out") == []


def make_external(inverting):
    inverting.restorer = dataclasses.replace(inverting.restorer, is_external=True)


def test_results_of_external_restorers_are_made_again(run, folder, tmp_path, inverting):
    make_external(inverting)
    run(folder, tmp_path / "out")
    outcomes = run(folder, tmp_path / "out")  # not refused as being there already
    assert not any(outcome.is_kept for outcome in outcomes)
    assert inverting.n_calls == 6


def test_results_of_external_restorers_are_kept_if_that_is_asked_for(run, folder, tmp_path, inverting):
    make_external(inverting)
    run(folder, tmp_path / "out")
    assert all(outcome.is_kept for outcome in run(folder, tmp_path / "out", resume=True))
    assert inverting.n_calls == 3


def test_no_other_file_is_replaced_by_external_restorers_either(run, folder, tmp_path, inverting):
    make_external(inverting)
    run(folder, tmp_path / "out")
    with pytest.raises(InputError, match="is there already"):
        run(folder, tmp_path / "out", work="other")
    write_image(folder / "a.png", np.zeros((12, 16, 3), np.uint8))
    (failed, *_) = run(folder, tmp_path / "out")
    assert "was made from another a.png" in failed.error


@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".png", ".webp"])
def test_a_damaged_exif_block_is_no_hindrance_in_any_format(run, tmp_path, suffix):
    Image.fromarray(SMALL).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\0\0 damaged")
    (outcome,) = run(tmp_path / "a.jpg", tmp_path / f"out{suffix}")
    assert outcome.made is not None
    assert "its EXIF block is damaged and was left out" in outcome.made.notes
    assert read_image(outcome.job.target).pixels.shape == SMALL.shape


def test_work_names_restorer_options_version_and_weights(inverting):
    restorer = dataclasses.replace(inverting.restorer, weights=("ffdnet-color",))
    expected = f"invert; sigma=3; raim {__version__}; ffdnet-color {weights_sha256('ffdnet-color')[:16]}"
    assert describe_work(restorer, sigma=3, model=None) == expected
