import zipfile

import numpy as np
import pytest

from raim.errors import InputError
from raim.images import write_image
from raim.restore.archive import write_submission
from raim.scoring.submission import Readme, check_submission

README = Readme(runtime_s=0.5, is_on_cpu=True, has_extra_data=False, description="a test")


@pytest.fixture
def images(tmp_path):
    (tmp_path / "in").mkdir()
    files = [tmp_path / "in" / f"{name}.png" for name in ("0002", "0001")]
    for seed, file in enumerate(files):
        write_image(file, np.random.default_rng(seed).integers(0, 256, (100, 200, 3), np.uint8))
    return files


def test_the_check_accepts_it(images, tmp_path):
    write_submission(tmp_path / "s.zip", images, README)
    report = check_submission(tmp_path / "s.zip", tmp_path / "in")
    assert report.problems == ()
    assert report.readme == README


def test_the_same_files_make_the_same_bytes(images, tmp_path):
    write_submission(tmp_path / "a.zip", images, README)
    write_submission(tmp_path / "b.zip", images[::-1], README)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_nothing_is_left_of_a_zip_that_could_not_be_written(images, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_submission(tmp_path / "s.zip", [*images, tmp_path / "missing.png"], README)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in"]
    assert zipfile.is_zipfile(images[0]) is False
