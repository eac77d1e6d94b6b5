import dataclasses
import json

import numpy as np
import pytest

from raim.errors import InputError

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")

from safetensors.numpy import save  # noqa: E402 - after the skip

from emulated_gpu import Gpu  # noqa: E402
from raim.networks.halfnet import HalfNet, HalfNetShape  # noqa: E402
from raim.restore import restore  # noqa: E402
from raim.restore.model_file import restorer_from_file  # noqa: E402
from raim.restore.trained_file import TrainedFacts, read_facts, write_trained  # noqa: E402

SIZES = {"name": "halfnet", "channels": 8, "blocks": 2}


def make_facts(**architecture):
    return TrainedFacts(
        name="tiny",
        architecture=SIZES | architecture,
        recipe="schema = 1",
        figures={"score": 70.5},
        made={"seed": 1},
    )


def make_net():
    torch.manual_seed(0)
    net = HalfNet(HalfNetShape(channels=8, blocks=2)).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    return net


def arrays(net):
    return {name: tensor.detach().numpy() for name, tensor in net.state_dict().items()}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    write_trained(path, arrays(make_net()), make_facts())
    return path


def test_no_gpu_rounds_what_a_trained_net_convolves(model):
    with Gpu() as gpu:
        restore(np.zeros((16, 16, 3), np.float32), restorer_from_file(model), threads=1)
    assert gpu.n_convolutions > 0
    assert gpu.n_rounded == 0


def test_what_was_written_is_read_again(model):
    assert read_facts(model) == make_facts()


@pytest.mark.parametrize("size", [(37, 52), (64, 64), (9, 8)])
def test_it_restores_as_the_net_itself_odd_sizes_too(model, size):
    image = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    restored = restore(image, restorer_from_file(model), threads=1).pixels
    padded = np.pad(image, [(0, side % 2) for side in size] + [(0, 0)], mode="reflect")
    with torch.inference_mode():
        whole = make_net()(torch.tensor(padded).movedim(2, 0)[None])[0].movedim(0, 2).clamp(0, 1).numpy()
    np.testing.assert_allclose(restored, whole[: size[0], : size[1]], atol=1e-5)


def test_tiles_join_to_what_the_whole_gives(model):
    image = np.random.default_rng(1).random((150, 170, 3)).astype(np.float32)
    restorer = restorer_from_file(model)
    whole = restore(image, restorer, threads=1, tile=400).pixels
    tiled = restore(image, restorer, threads=1, tile=80).pixels
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def rewrite(path, *, tensors=None, header=None, **architecture):
    facts = make_facts(**architecture)
    plain = {
        "schema": 1, "name": facts.name, "architecture": dict(facts.architecture), "recipe": facts.recipe,
        "figures": dict(facts.figures), "made": dict(facts.made),
    }  # fmt: skip
    text = json.dumps(plain) if header is None else header
    path.write_bytes(save(tensors or arrays(make_net()), metadata={"raim": text}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"channels": 16}, "does not hold the weights"),
        ({"channels": 10**9}, "8 to 512 channels"),
        ({"blocks": 0}, "1 to 100 blocks"),
        ({"channels": "many"}, "size of its net in whole numbers"),
        ({"header": "{"}, "says nothing usable"),
        ({"header": "[" * 5000}, "says nothing usable"),
        ({"header": '{"schema": 99}'}, "schema 99"),
        ({"header": '{"schema": 1}'}, "says nothing usable"),
        ({"tensors": {"head.weight": np.zeros((1, 1), np.float32)}}, "does not hold the weights"),
    ],
)
def test_a_file_that_lies_is_refused(model, change, said):
    rewrite(model, **change)
    with pytest.raises(InputError, match=said):
        restorer_from_file(model)


def test_weights_of_another_precision_are_refused(model):
    rewrite(model, tensors={name: each.astype(np.float16) for name, each in arrays(make_net()).items()})
    with pytest.raises(InputError, match=r"holds weights of F16, expected F32; train it again"):
        restorer_from_file(model)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused_before_they_blacken_a_photograph(model, value):
    weights = arrays(make_net())
    weights["grain"] = np.full_like(weights["grain"], value)
    rewrite(model, tensors=weights)
    with pytest.raises(InputError, match=r"holds weights that are no numbers \(grain\)"):
        restorer_from_file(model)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), True, "high", None, [1]])
def test_what_a_strange_file_says_neither_steers_a_terminal_nor_passes_for_a_score(model, score):
    facts = dataclasses.replace(make_facts(), name="a\x1b]0;owned\x07", figures={"score": score})
    write_trained(model, arrays(make_net()), facts)
    restorer = restorer_from_file(model)
    assert (restorer.name, restorer.purpose) == ("model", "trained by raim train")


def test_a_file_that_is_cut_off_is_refused(model):
    model.write_bytes(model.read_bytes()[:-100])
    with pytest.raises(InputError, match="copy it again"):
        restorer_from_file(model)
    model.write_bytes(b"\xff" * 8 + b"{}")
    with pytest.raises(InputError, match="copy it again"):
        restorer_from_file(model)
