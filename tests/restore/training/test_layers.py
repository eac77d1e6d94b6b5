import pytest

from raim.errors import InputError

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.restore.training.recipe import ModelChoice  # noqa: E402 - after the skip
from raim.restore.training.trainable import build_trainable  # noqa: E402


def test_only_the_named_layers_learn():
    network = build_trainable(ModelChoice(channels=8, blocks=2, layers=("tail", "blocks.1")), 0).network
    learning = {name for name, each in network.named_parameters() if each.requires_grad}
    assert {name.rsplit(".", 1)[0] for name in learning} == {"tail", "blocks.1.first", "blocks.1.second"}


def test_without_a_choice_all_layers_learn():
    network = build_trainable(ModelChoice(channels=8, blocks=1), 0).network
    assert all(each.requires_grad for each in network.parameters())


def test_a_layer_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(InputError, match=r"no layer 'tial'; .*: grain, head, blocks, tail"):
        build_trainable(ModelChoice(channels=8, blocks=1, layers=("tial",)), 0)


def test_the_grain_is_the_share_of_brightness_that_stays_and_colour_is_changed_whole():
    from raim.networks.halfnet import LUMA, HalfNet, HalfNetShape

    torch.manual_seed(0)
    net = HalfNet(HalfNetShape(channels=8, blocks=1))
    torch.nn.init.normal_(net.tail.weight)
    x = torch.rand(1, 3, 8, 8)

    def split(change):
        luma = torch.einsum("c,bchw->bhw", torch.tensor(LUMA), change)
        return luma, change[:, 0] - luma, change[:, 2] - luma

    with torch.no_grad():
        luma, *colour = split(net(x) - x)
        net.grain.fill_(0.25)
        kept_luma, *kept_colour = split(net(x) - x)
    torch.testing.assert_close(kept_luma, 0.75 * luma)
    torch.testing.assert_close(kept_colour, colour, rtol=1e-4, atol=1e-6)
