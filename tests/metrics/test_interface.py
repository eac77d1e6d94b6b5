import math
import pickle

import numpy as np
import pytest
from PIL import Image

import raim
from measure_forms import replace_forms
from raim.errors import InputError, UnknownNameError, UnscorableError
from raim.images import write_image
from raim.metrics import MEASURES, interface

RNG = np.random.default_rng(0)
REFERENCE = np.kron(RNG.integers(20, 230, (18, 24, 3)), np.ones((12, 12, 1))).astype(np.uint8)
RESTORED = (REFERENCE * 0.9 + RNG.normal(0, 15, REFERENCE.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture
def files(tmp_path):
    for name, pixels in (("restored", RESTORED), ("reference", REFERENCE)):
        write_image(tmp_path / f"{name}.png", pixels)
    return tmp_path / "restored.png", tmp_path / "reference.png"


@pytest.mark.parametrize("name", raim.measures())
def test_paths_texts_pictures_and_arrays_give_one_value_also_mixed(files, name):
    measure = raim.measure(name)
    value = measure(RESTORED, REFERENCE)
    assert value == measure(*files) == measure(str(files[0]), REFERENCE)
    with Image.open(files[1]) as picture:
        assert value == measure(Image.fromarray(RESTORED), files[1]) == measure(RESTORED, picture)
    assert type(value) is float


@pytest.mark.parametrize("name", raim.measures())
def test_a_tensor_gives_a_tensor_with_a_gradient_also_mixed(files, name):
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    measure = raim.measure(name)
    expected = measure(RESTORED, REFERENCE)
    tensor = (torch.tensor(RESTORED).movedim(2, 0).double() / 255).requires_grad_()
    value = measure(tensor, files[1])
    assert value.shape == ()
    assert value.item() == pytest.approx(expected, abs=5e-6)
    value.backward()
    assert tensor.grad.abs().max() > 0
    both = measure(torch.stack([tensor, tensor]).detach(), REFERENCE)
    assert both.tolist() == pytest.approx([expected] * 2, abs=5e-6)
    integers = measure(
        torch.tensor(RESTORED).movedim(2, 0)[None], torch.tensor(REFERENCE).movedim(2, 0)[None]
    )
    assert integers.tolist() == pytest.approx([expected], rel=1e-4, abs=2e-4)


def test_a_reference_is_read_once_and_one_that_is_not_needed_never(files, monkeypatch):
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    tensor = torch.tensor(RESTORED).movedim(2, 0).double() / 255
    read = []
    original = interface.read_source
    monkeypatch.setattr(interface, "read_source", lambda source: read.append(source) or original(source))
    values = raim.measure("psnr").each([tensor, tensor, tensor[None]], files[1])
    assert [value.shape for value in values] == [(), (), (1,)]
    assert read == [files[1]]
    niqe = raim.measure("niqe")
    assert niqe(RESTORED, tensor) == niqe(RESTORED, files[1]) == niqe(RESTORED)
    mixed = niqe.each([RESTORED, tensor])
    assert mixed[1].item() == pytest.approx(mixed[0])


def test_several_are_measured_in_one_pass_where_a_measure_has_one(monkeypatch):
    asked = []

    def each_form(images, reference, **options):
        asked.append((len(images), options))
        return [0.5] * len(images)

    replace_forms(monkeypatch, "lpips", each_form=each_form)
    assert raim.measure("lpips", net="vgg16").each([RESTORED, REFERENCE, RESTORED], REFERENCE) == [0.5] * 3
    assert asked == [(3, {"net": "vgg16", "device": "cpu", "engine": "auto"})]


@pytest.mark.parametrize("name", ["psnr", "dists", "niqe"])
def test_each_gives_what_each_alone_has_whatever_its_type(name):
    images = [RESTORED, RESTORED * np.uint16(257), REFERENCE / 255]
    measure = raim.measure(name)
    assert measure.each(images, REFERENCE) == [measure(image, REFERENCE) for image in images]


def test_grey_images_count_as_three_equal_channels():
    measure = raim.measure("psnr", colour="rgb")
    grey = [np.repeat(image[..., :1], 3, 2) for image in (RESTORED, REFERENCE)]
    assert measure(RESTORED[..., 0], REFERENCE[..., 0]) == measure(*grey)
    with pytest.raises(UnscorableError, match="it is grey, its reference colour"):
        measure(RESTORED[..., 0], REFERENCE)


def test_it_says_what_it_is():
    for name, record in MEASURES.items():
        measure = raim.measure(name)
        assert (measure.name, measure.source, measure.value_range) == (
            name,
            record.source,
            record.value_range,
        )
        assert measure.higher_is_better == (name in {"psnr", "ssim", "ms_ssim"})
        assert measure.needs_reference == (name != "niqe")
    assert repr(raim.measure("psnr", colour="y").to("cpu")) == "raim.measure('psnr', colour='y').to('cpu')"


def test_it_can_be_sent_to_other_processes():
    measure = pickle.loads(pickle.dumps(raim.measure("psnr", colour="y").to("cpu")))  # noqa: S301 - made here
    assert repr(measure) == "raim.measure('psnr', colour='y').to('cpu')"
    assert measure(RESTORED, REFERENCE) == raim.measure("psnr", colour="y")(RESTORED, REFERENCE)


def test_a_measure_without_reference_passes_one_over_and_others_ask_for_it():
    measure = raim.measure("niqe")
    assert measure(RESTORED) == measure(RESTORED, REFERENCE)
    with pytest.raises(InputError, match="ssim compares with a reference"):
        raim.measure("ssim")(RESTORED)


def test_a_device_is_looked_for_and_given_to_the_nets(monkeypatch):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    with pytest.raises(InputError, match="no device 'cuda:99'"):
        raim.measure("lpips").to("cuda:99")
    replace_forms(monkeypatch, "lpips", each_form=lambda *_, device, **__: [float(device == "cuda")])
    monkeypatch.setattr("raim.metrics.interface.check_device", lambda _: None)
    assert raim.measure("lpips").to("cuda")(RESTORED, REFERENCE) == 1


def test_wrong_names_options_and_pictures_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'ms_ssim'"):
        raim.measure("msssim")
    with pytest.raises(InputError, match="the option net of lpips is 'vgg'"):
        raim.measure("lpips", net="vgg")
    with pytest.raises(InputError, match=r"of mode RGBA, expected L, RGB, I;16; convert it first"):
        raim.measure("psnr")(Image.new("RGBA", (4, 4)), REFERENCE)
    with pytest.raises(InputError, match="an image is a list, expected a path"):
        raim.measure("psnr")([[1.0]], REFERENCE)
    with pytest.raises(AttributeError, match="has no attribute 'mesure'"):
        _ = raim.mesure


def test_raim_has_the_names_of_its_packages(files):
    assert raim.metrics.psnr(RESTORED, RESTORED) == math.inf
    scored = raim.score_pair(*files, "raim-2024")
    assert scored.values == raim.score_pair(RESTORED, REFERENCE).values
    table = raim.score(files[0].parent, str(files[0].parent))
    assert [image.name for image in table.entries[0].images] == ["reference", "restored"]
