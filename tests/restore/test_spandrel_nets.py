"""Nets of five architectures, small, with weights from a seed; benchmarks/spandrel_models.py runs published sizes."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra spandrel is not installed")
pytest.importorskip("spandrel", reason="the extra spandrel is not installed")

import spandrel
import torch

from benchmark_scripts import load_scripts
from raim.errors import InputError
from raim.networks.tiles import split_axis
from raim.restore import Context, model_file, restorer_from_file

nets = load_scripts(["spandrel_nets"])["spandrel_nets"]
# Pixels of the grid on which tiles begin, and levels of 255 that tiles may differ by from the whole photograph.
EXPECTED = {"SwinIR": (8, 0.1), "HAT": (16, 0.1), "DAT": (16, 0.3), "SCUNet": (64, 0.3), "NAFNet": (4, 0.1)}


def make_image(height, width):
    rng = np.random.default_rng(0)
    coarse = np.kron(rng.normal(0, 0.1, (-(-height // 4), -(-width // 4), 3)), np.ones((4, 4, 1)))
    fine = rng.normal(0.5, 0.02, (height, width, 3))
    return np.clip(coarse[:height, :width] + fine, 0, 1).astype(np.float32)


@pytest.fixture(scope="module", params=EXPECTED)
def made(request, tmp_path_factory):
    """Give an architecture's name and its small net as a restorer, with its path."""
    path = tmp_path_factory.mktemp(request.param) / "net.pth"
    nets.write_net(path, nets.NETS[request.param], nets.NETS[request.param].small)
    return request.param, restorer_from_file(path), path


@pytest.mark.parametrize("size", [(61, 83), (8, 40)])
def test_a_photograph_need_not_be_a_multiple_of_the_windows(made, size):
    _, restorer, _ = made
    result = restorer.run(make_image(*size), Context(threads=1))
    assert result.shape == (size[0] * restorer.scale, size[1] * restorer.scale, 3)
    assert result.std() > 0.005


@pytest.mark.slow
def test_tiles_begin_where_windows_do_and_leave_no_seam(made):
    name, restorer, path = made
    grid, allowed = EXPECTED[name]
    model = model_file.load_network(path)
    assert model_file.find_grid(model) == grid
    tile = max(112, 5 * grid)
    image = make_image(40, tile + 60)
    assert (
        len(split_axis(tile + 60, model_file.make_tiling(model, height=40, width=tile + 60, tile_px=tile)))
        > 1
    )
    whole = restorer.compute(image, Context(threads=1, tile_px=1000))
    tiled = restorer.compute(image, Context(threads=1, tile_px=tile))
    assert np.abs(whole - tiled).max() * 255 <= allowed
    assert whole.std() * 255 > 2


def test_weights_of_half_precision_are_computed_in_float32(made, tmp_path):
    _, restorer, path = made
    state = {
        name: value.to(torch.bfloat16) if value.is_floating_point() else value
        for name, value in torch.load(path).items()
    }
    torch.save(state, tmp_path / "half.pth")
    half = restorer_from_file(tmp_path / "half.pth")
    image = make_image(61, 83)
    difference = np.abs(half.compute(image, Context(threads=1)) - restorer.compute(image, Context(threads=1)))
    assert 0 < difference.max() * 255 < 10


@pytest.mark.parametrize("grid", [1, 2, 8, 16, 32, 48, 64, 128])
def test_default_tiles_are_large_enough_for_every_grid(grid):
    model = SimpleNamespace(
        model=SimpleNamespace(padder_size=grid),
        size_requirements=spandrel.SizeRequirements(),
        tiling=spandrel.ModelTiling.SUPPORTED,
        scale=1,
        architecture=SimpleNamespace(id="some"),
    )
    tiling = model_file.make_tiling(model, height=3000, width=2000, tile_px=None)
    spans = [span.read for span in split_axis(-(-3000 // grid) * grid, tiling)]
    assert len(spans) > 1
    assert all(start % grid == 0 for start, _ in spans)
    assert max(stop - start for start, stop in spans) <= tiling.tile_px + grid


@pytest.fixture
def extra(monkeypatch, tmp_path):
    """Give a function that installs a package spandrel_extra_arches of the given code."""

    def install(code):
        (tmp_path / "spandrel_extra_arches.py").write_text(code)
        monkeypatch.syspath_prepend(str(tmp_path))

    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "extra" not in entry])
    monkeypatch.delitem(sys.modules, "spandrel_extra_arches", raising=False)
    model_file._register_extra.cache_clear()
    yield install
    sys.modules.pop("spandrel_extra_arches", None)
    model_file._register_extra.cache_clear()


@pytest.fixture
def strange(tmp_path):
    torch.save({"latent.0.attn.temperature": torch.zeros(3)}, tmp_path / "strange.pth")
    return tmp_path / "strange.pth"


def test_an_unknown_model_is_answered_with_the_package_that_may_know_it(extra, strange):
    with pytest.raises(
        InputError, match=r"Restormer.*pip install spandrel_extra_arches.*not be used commercially"
    ):
        restorer_from_file(strange)


def test_the_package_of_further_architectures_is_used_where_it_is_installed(extra, strange):
    extra(
        "import warnings\nwarnings.warn('old', FutureWarning)\ncalled = []\n"
        "def install(*, ignore_duplicates):\n    called.append(ignore_duplicates)\n"
    )
    with pytest.raises(InputError, match=r"those it does$"):
        restorer_from_file(strange)
    assert sys.modules["spandrel_extra_arches"].called == [True]


def test_a_broken_package_of_further_architectures_is_named(extra, strange):
    extra("raise ImportError('einops is missing')")
    with pytest.raises(InputError, match=r"spandrel_extra_arches is installed and cannot.*einops is missing"):
        restorer_from_file(strange)


def test_a_net_of_that_package_points_at_its_licence(made, monkeypatch):
    _, _, path = made
    architecture = model_file.load_network(path).architecture
    monkeypatch.setattr(type(architecture), "__module__", "spandrel_extra_arches.architectures.Some")
    notes = []
    restorer = restorer_from_file(path)
    restorer.compute(make_image(40, 40), Context(threads=1, on_note=notes.append))
    assert restorer.licence == "the architecture's, in spandrel_extra_arches"
    assert notes == [
        f"{architecture.name} is of spandrel_extra_arches: see its licence before any commercial use"
    ]
