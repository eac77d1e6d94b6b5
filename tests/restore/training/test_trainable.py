import importlib

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")
spandrel = pytest.importorskip("spandrel", reason="the extra `spandrel` is not installed")

from safetensors.torch import save_file  # noqa: E402 - after the skip

from raim.restore import restore  # noqa: E402
from raim.restore.model_file import restorer_from_file  # noqa: E402
from raim.restore.training import train  # noqa: E402
from training_world import RECIPE, make_pairs, read_tiny, read_weights  # noqa: E402


def make_foreign(path, scale):
    """Write the weights of a small net of others (SRVGGNetCompact of Real-ESRGAN), as its project would."""
    module = importlib.import_module("spandrel.architectures.Compact.__arch.SRVGG")
    torch.manual_seed(0)
    net = module.SRVGGNetCompact(num_feat=16, num_conv=2, upscale=scale, act_type="prelu")
    save_file(net.state_dict(), path)


@pytest.mark.parametrize("scale", [1, 2])
def test_a_net_that_spandrel_builds_is_trained_and_read_again(tmp_path, scale):
    make_foreign(tmp_path / "foreign.safetensors", scale)
    make_pairs(tmp_path / "pairs", scale=scale)
    text = RECIPE.replace("channels = 8\nblocks = 1", 'architecture = "file"\nstart = "foreign.safetensors"')
    recipe = read_tiny(tmp_path, "schedule.steps=2", text=text)
    trained = train(recipe, tmp_path / "run")
    assert set(read_weights(tmp_path / "run")) >= {"body.0.weight", "body.0.bias"}
    restorer = restorer_from_file(trained.model)
    assert restorer.scale == scale
    image = np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)
    assert restore(image, restorer, threads=1).pixels.shape == (40 * scale, 48 * scale, 3)
    again = train(read_tiny(tmp_path, "schedule.steps=2", text=text), tmp_path / "again")
    assert read_weights(again.run) == read_weights(trained.run)
