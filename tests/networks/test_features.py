import numpy as np
import pytest

from raim.errors import InputError, MissingExtraError, UnknownNameError, UnscorableError
from raim.networks.features import choose_engine, load_engine, stream_taps
from raim.networks.nets import ALEXNET, VGG16
from raim.networks.packed_features import PackedEngine

RNG = np.random.default_rng(4)
IMAGES = [RNG.standard_normal((50, 67, 3)).astype(np.float32) for _ in range(2)]


def collect(engine, backbone, strip_rows):
    """Join each tap's rows: tap -> (n, c, h, w)."""
    found = {}

    def add(tap, rows):
        plain = [np.moveaxis(image, 3, 1).reshape(-1, *image.shape[1:3]).copy() for image in rows]
        found.setdefault(tap, []).append(np.stack(plain))

    stream_taps(
        engine,
        backbone,
        height=50,
        width=67,
        n_images=2,
        read_rows=lambda top, bottom: [image[top:bottom] for image in IMAGES],
        on_tap=add,
        strip_rows=strip_rows,
    )
    return [np.concatenate(found[tap], 2) for tap in sorted(found)]


@pytest.mark.parametrize("backbone", [ALEXNET, VGG16["max"], VGG16["l2"]], ids=lambda backbone: backbone.name)
@pytest.mark.parametrize(("engine", "strip_rows"), [("ncnn", 3), ("ncnn", 16), ("ncnn", 50), ("winograd", 7)])
def test_streamed_features_are_those_of_the_whole_image(backbone, engine, strip_rows):
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    from raim.networks.torch_features import tapped_features

    batch = torch.tensor(np.stack(IMAGES)).permute(0, 3, 1, 2)
    expected = tapped_features(batch, backbone, shift=torch.zeros(3), scale=torch.ones(3))
    got = collect(load_engine(engine), backbone, strip_rows)
    assert len(got) == len(backbone.tap_channels) == 5
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.shape == tuple(theirs.shape)
        np.testing.assert_allclose(mine, theirs.numpy(), atol=2e-5 * float(theirs.max()))


def test_a_tap_has_the_channels_that_the_table_states():
    shapes = [feature.shape[1] for feature in collect(load_engine("ncnn"), VGG16["l2"], 16)]
    assert tuple(shapes) == VGG16["l2"].tap_channels == (64, 128, 256, 512, 512)


def test_an_engine_is_made_once_per_device():
    assert load_engine("ncnn") is load_engine("auto")
    assert isinstance(load_engine("ncnn"), PackedEngine)


def test_a_gpu_is_given_to_torch():
    assert choose_engine(device="cuda:1") == "torch"


@pytest.mark.parametrize("name", ["ncnn", "winograd", "fast"])
def test_an_engine_of_the_processor_is_refused_for_a_gpu(name):
    with pytest.raises(InputError, match=f"'{name}' runs on the cpu only"):
        choose_engine(name, device="cuda")


def test_an_engine_that_was_not_tried_on_this_kind_of_processor_is_refused(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(InputError, match="this is aarch64; take 'ncnn'"):
        choose_engine("winograd")


def test_what_auto_means_can_be_said_once_for_all(monkeypatch):
    monkeypatch.setenv("RAIM_ENGINE", "winograd")
    assert choose_engine() == load_engine().name == "winograd"
    assert choose_engine(device="cuda") == "torch"
    monkeypatch.setenv("RAIM_ENGINE", "quick")
    with pytest.raises(UnknownNameError, match="no engine named 'quick'"):
        choose_engine()


def test_an_unknown_engine_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'ncnn'"):
        load_engine("ncn")


def test_without_its_library_an_engine_names_the_command_that_installs_it(monkeypatch):
    from raim.networks import features

    monkeypatch.setattr(features.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'raim\[torch\]'"):
        features._make("torch", "elsewhere")


def test_images_without_a_pixel_of_the_last_feature_are_refused():
    with pytest.raises(UnscorableError, match="at least 16 pixels"):
        stream_taps(
            load_engine("ncnn"),
            VGG16["max"],
            height=15,
            width=99,
            n_images=1,
            read_rows=lambda top, bottom: [np.zeros((bottom - top, 99, 3), np.float32)],
            on_tap=lambda _tap, _rows: None,
            strip_rows=8,
        )
