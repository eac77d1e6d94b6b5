import re
from html import unescape
from urllib.parse import unquote

import numpy as np
import pytest

from raim.data.degradation import LeftOut, degrade_folder
from raim.data.degradation.run import Degraded
from raim.errors import InputError
from raim.images import write_image
from raim.report.degradation_sheet import describe_camera, render_degradation_sheet, write_degradation_sheet


@pytest.fixture
def degraded(tmp_path):
    (tmp_path / "clean").mkdir()
    for name in ("plain", "a b#<i>'&"):
        write_image(tmp_path / "clean" / f"{name}.png", np.full((40, 50, 3), 99, np.uint8))
    return degrade_folder(tmp_path / "clean", tmp_path / "out", presets=["denoise", "moire"], seed=1)


def test_every_pair_is_shown_with_pictures_that_lie_beside_the_page(degraded):
    path = write_degradation_sheet(degraded)
    page = path.read_text(encoding="utf-8")
    sources = [unquote(unescape(source)) for source in re.findall(r'src="([^"]+)"', page)]
    assert len(sources) == 2 * len(degraded.pairs) == 8
    assert all((path.parent / source).is_file() for source in sources)
    assert [each.name for each in path.parent.glob(".*")] == []


def test_names_run_nothing_and_nothing_is_loaded_from_elsewhere(degraded):
    page = render_degradation_sheet(degraded)
    assert "<i>" not in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "default-src &#39;none&#39;" in page


def test_what_was_drawn_is_said_by_stage(degraded):
    page = render_degradation_sheet(degraded)
    for pair in degraded.pairs:
        shown = dict(describe_camera(pair.plan.camera))
        assert f"iso {pair.plan.camera.noise.iso:.4g}" in shown["noise"]
        assert all(words in page for words in shown.values())
        assert "seed" not in "".join(shown.values())


def test_what_was_left_out_is_said(tmp_path):
    left_out = LeftOut(name="x_text", reason="x.png: is cut off")
    page = render_degradation_sheet(Degraded(folder=tmp_path, pairs=(), left_out=(left_out,)))
    assert "x_text: x.png: is cut off" in page


def test_a_folder_that_is_gone_is_an_error(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_degradation_sheet(Degraded(folder=tmp_path / "gone", pairs=()))
