import dataclasses

import numpy as np
import pytest

from raim.errors import ImageError, InputError
from raim.images import read_image, write_image
from raim.restore import batch
from raim.restore.batch import Options, describe_work, plan_jobs, read_record, restore_batch
from raim.restore.descriptor import Restorer

RNG = np.random.default_rng(0)
CALLS = []


def _invert(image, context):
    CALLS.append(image.shape)
    context.on_note("inverted")
    context.on_progress(1.0)
    return 1 - image


INVERT = Restorer(name="invert", purpose="for tests", run=_invert)
WORK = describe_work(INVERT)


@pytest.fixture
def folder(tmp_path):
    CALLS.clear()
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a.png", "b.tif", "c.webp"):
        write_image(source / name, RNG.integers(0, 256, (12, 16, 3), np.uint8), quality=100)
    return source


def _run(source, target, work=WORK, **options):
    jobs = plan_jobs(source, target, suffix=options.pop("suffix", None))
    return restore_batch(jobs, INVERT, Options(**options), work=work)


def test_every_photograph_of_a_folder_is_restored_in_its_own_format(folder, tmp_path):
    outcomes = _run(folder, tmp_path / "out", suffix=".png")
    assert [outcome.job.target.name for outcome in outcomes] == ["a.png", "b.png", "c.png"]
    for outcome in outcomes:
        before = read_image(folder / outcome.job.name).pixels
        np.testing.assert_array_equal(read_image(outcome.job.target).pixels, 255 - before)
        assert outcome.made.notes == ("inverted",)


def test_a_second_run_keeps_what_the_first_made(folder, tmp_path):
    _run(folder, tmp_path / "out")
    (tmp_path / "out" / "b.tif").unlink()
    outcomes = _run(folder, tmp_path / "out")
    assert [outcome.is_kept for outcome in outcomes] == [True, False, True]
    assert len(CALLS) == 4


def test_what_other_options_made_is_not_replaced_unasked(folder, tmp_path):
    _run(folder, tmp_path / "out")
    with pytest.raises(InputError, match=r"a\.png and 2 more is there already.*--overwrite"):
        _run(folder, tmp_path / "out", work="other")
    assert all(outcome.made for outcome in _run(folder, tmp_path / "out", work="other", overwrite=True))


def test_a_strangers_file_is_left_alone(folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.tif").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"b\.tif is there already"):
        _run(folder, tmp_path / "out")
    assert (tmp_path / "out" / "b.tif").read_bytes() == b"mine"
    assert CALLS == []


def test_a_changed_input_is_not_taken_for_the_old_one(folder, tmp_path):
    _run(folder, tmp_path / "out")
    write_image(folder / "a.png", np.zeros((12, 16, 3), np.uint8))
    (failed, *_) = _run(folder, tmp_path / "out")
    assert "was made from another a.png" in failed.error
    (done, *_) = _run(folder, tmp_path / "out", overwrite=True)
    assert done.made is not None
    assert read_image(tmp_path / "out" / "a.png").pixels.min() == 255


def test_a_broken_photograph_does_not_stop_the_others(folder, tmp_path):
    content = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(content[: len(content) // 2])
    outcomes = _run(folder, tmp_path / "out")
    assert [outcome.made is None for outcome in outcomes] == [True, False, False]
    assert outcomes[0].error
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [batch.RECORD, "b.tif", "c.webp"]


def test_a_full_disk_stops_the_run_and_leaves_no_half_written_file(folder, tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        if path.name == "b.tif":
            raise ImageError(f"{path} cannot be written: No space left on device")
        write_image(path, *_, **__)

    monkeypatch.setattr(batch, "write_image", refuse)
    with pytest.raises(ImageError, match="No space left"):
        _run(folder, tmp_path / "out")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [batch.RECORD, "a.png"]
    monkeypatch.undo()
    assert [outcome.is_kept for outcome in _run(folder, tmp_path / "out")] == [True, False, False]


def test_profile_and_exif_are_kept_for_photographs_and_left_out_for_submissions(tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0110] = "a camera"
    exif[0x0112] = 6
    Image.fromarray(RNG.integers(0, 256, (12, 16, 3), np.uint8)).save(
        tmp_path / "turned.jpg", exif=exif, quality=95
    )
    _run(tmp_path / "turned.jpg", tmp_path / "kept.jpg")
    with Image.open(tmp_path / "kept.jpg") as kept:
        assert kept.size == (12, 16)
        assert kept.getexif()[0x0110] == "a camera"
        assert kept.getexif().get(0x0112, 1) == 1
    (refused,) = _run(tmp_path / "turned.jpg", tmp_path / "bare.png", purpose="score")
    assert "EXIF rotation" in refused.error


def test_sixteen_bits_stay_sixteen(tmp_path):
    pixels = RNG.integers(0, 65536, (9, 10, 3), np.uint16)
    write_image(tmp_path / "deep.png", pixels)
    (outcome,) = _run(tmp_path / "deep.png", tmp_path / "out.tif")
    assert outcome.made is not None
    result = read_image(tmp_path / "out.tif").pixels
    assert result.dtype == np.uint16
    assert np.abs(result.astype(int) + pixels - 65535).max() <= 1


def test_the_share_that_is_done_never_falls_and_ends_at_one(folder, tmp_path):
    seen = []
    restore_batch(
        plan_jobs(folder, tmp_path / "out"),
        INVERT,
        Options(),
        work=WORK,
        on_share=seen.append,
    )
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


def test_a_damaged_record_is_no_record(folder, tmp_path):
    _run(folder, tmp_path / "out")
    (tmp_path / "out" / batch.RECORD).write_text('{"a.png": 3}')
    assert read_record(tmp_path / "out") == {}
    with pytest.raises(InputError, match="is there already"):
        _run(folder, tmp_path / "out")


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("missing.png", "out.png", "there is nothing at"),
        ("in", "in", "is the folder of the inputs"),
        ("in", "in/a.png", "is a file; .* name a folder"),
        ("in/a.png", "in/a.png", "is the input itself"),
        ("in/a.png", "nowhere/out.png", "there is no folder"),
        ("in/a.png", "out", "has no suffix"),
    ],
    ids=["missing", "same-folder", "file-for-folder", "itself", "no-folder", "no-suffix"],
)
def test_places_that_cannot_be_are_refused(folder, tmp_path, source, target, message):
    with pytest.raises(InputError, match=message):
        plan_jobs(tmp_path / source, tmp_path / target)


def test_work_names_restorer_options_and_version():
    from raim import __version__

    assert (
        describe_work(dataclasses.replace(INVERT, name="x"), sigma=3, model=None)
        == f"x; sigma=3; raim {__version__}"
    )
