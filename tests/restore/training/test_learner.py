import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim import devices as torch_devices  # noqa: E402
from raim.errors import InputError  # noqa: E402
from raim.restore.training import learner  # noqa: E402
from raim.restore.training.learner import start_fabric, update_average  # noqa: E402
from raim.restore.training.loop import _sum  # noqa: E402


@pytest.mark.parametrize(
    ("device", "n", "message"),
    [
        ("cuda:99", 1, "there is no device 'cuda:99' here"),
        ("nonsense", 1, "there is no device 'nonsense' here .* take one of: cpu"),
        ("gpu", 1, "there is no device 'gpu' here"),
        ("cpu", 0, "at least 1"),
    ],
)
def test_a_device_that_is_not_here_is_refused(device, n, message):
    with pytest.raises(InputError, match=message):
        start_fabric(device, n, "auto", "32-true")


def test_the_device_of_a_number_is_that_one(monkeypatch):
    asked = []
    monkeypatch.setattr(learner, "find_device", torch.device)
    monkeypatch.setattr(learner, "LightningFabric", lambda **options: asked.append(options))
    start_fabric("cuda:1", 1, "auto", "32-true")
    start_fabric("cuda", 2, "ddp", "32-true")
    start_fabric("auto", 1, "auto", "32-true")
    assert [(each["accelerator"], each["devices"]) for each in asked] == [
        ("gpu", [1]),
        ("gpu", 2),
        ("auto", 1),
    ]
    with pytest.raises(InputError, match="cuda:1 is one device, 2 were asked for; take --device cuda"):
        start_fabric("cuda:1", 2, "ddp", "32-true")


def test_weights_are_summed_where_the_device_has_no_double_precision(monkeypatch):
    network = torch.nn.Linear(3, 2)
    expected = sum(weight.double().abs().sum() for weight in network.parameters()).item()
    monkeypatch.setattr(torch_devices, "has_double", lambda _device: False)
    monkeypatch.setattr(torch.Tensor, "double", lambda weight: weight.to(torch.float64))
    fetched = []
    monkeypatch.setattr(torch.Tensor, "cpu", lambda weight: fetched.append(weight) or weight)
    assert _sum(network).item() == pytest.approx(expected)
    assert len(fetched) == 2


def test_its_average_is_that_of_every_weight_so_far():
    network, average = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    with torch.no_grad():
        average.weight.fill_(0.0)
        for value in (1.0, 3.0):
            network.weight.fill_(value)
            update_average(average, network, decay=0.75)
    assert average.weight.item() == pytest.approx(0.75 * 0.25 * 1 + 0.25 * 3)


def test_counts_of_a_net_are_copied_not_averaged():
    network, average = torch.nn.BatchNorm2d(2), torch.nn.BatchNorm2d(2)
    network(torch.rand(3, 2, 4, 4))
    update_average(average, network, decay=0.9)
    assert average.num_batches_tracked.item() == 1
    assert torch.equal(average.running_mean, network.running_mean)
