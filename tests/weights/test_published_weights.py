"""What the pinned sets hold, where they are on this machine: shapes, and each against an independent source."""

import numpy as np
import pytest

from raim.weights import (
    WEIGHTS,
    fetch_files,
    load_weights,
    verify_weights,
    weight_set,
    weights_state,
)
from raim.weights.conversion import read_members, read_pickle
from raim.weights.loading import find_artifact, weights_folders

VGG16_CHANNELS = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
ALEXNET_KERNELS = [(64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3)]
RRDBNETS = pytest.mark.parametrize("name", ["real-esrgan-x4plus", "realsr-df2k-x4"])


def published(name: str) -> dict[str, np.ndarray]:
    if weights_state(name) == "missing":
        pytest.skip(f"the weights {name} are not here: `raim weights fetch {name}`")
    return load_weights(name)


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_files_here_are_the_pinned_ones(name):
    published(name)
    assert verify_weights(name).error is None


def test_vgg16_has_its_thirteen_convolutions():
    found = published("vgg16")
    inputs = [3, *VGG16_CHANNELS]
    assert {name: array.shape for name, array in found.items() if name.endswith("weight")} == {
        f"conv{i}.weight": (n_out, inputs[i], 3, 3) for i, n_out in enumerate(VGG16_CHANNELS)
    }
    assert sum(array.size for array in found.values()) == 14_714_688  # of vgg16.features in torchvision


def test_alexnet_has_its_five_convolutions():
    found = published("alexnet")
    for i, (n_out, n_in, size) in enumerate(ALEXNET_KERNELS):
        assert found[f"conv{i}.weight"].shape == (n_out, n_in, size, size)
    assert sum(array.size for array in found.values()) == 2_469_696  # of alexnet.features in torchvision


@pytest.mark.parametrize(
    ("backbone", "heads"), [("vgg16", "lpips-heads-vgg16"), ("alexnet", "lpips-heads-alexnet")]
)
def test_the_lpips_heads_of_two_publications_are_the_same(backbone, heads):
    found = published(heads)
    published(backbone)
    artifact = find_artifact(weights_folders(), weight_set(backbone).artifact)
    if artifact is None:
        pytest.skip("only the converted set is here")
    (checkpoint,) = read_members(artifact, weight_set(backbone)).values()
    other = read_pickle(checkpoint)
    for i in range(5):
        np.testing.assert_array_equal(found[f"lin{i}"], other[f"NetLinLayer_{i}/Conv_0/kernel"].reshape(-1))
        assert (found[f"lin{i}"] >= 0).all()  # LPIPS clamps them while it is trained


def test_dists_weights_cover_the_image_and_five_stages():
    found = published("dists")
    assert {name: array.shape for name, array in found.items()} == {"alpha": (1475,), "beta": (1475,)}
    assert 3 + 64 + 128 + 256 + 512 + 512 == 1475
    # In DISTS alpha and beta are divided by the sum of both; they are trained to stay positive.
    assert (found["alpha"] > -1e-3).all()


def test_niqe_has_a_symmetric_positive_covariance():
    found = published("niqe")
    assert found["mean"].shape == (36,)
    assert found["mean"].dtype == found["covariance"].dtype == np.float64
    np.testing.assert_allclose(found["covariance"], found["covariance"].T, rtol=1e-12)
    assert np.linalg.eigvalsh(found["covariance"]).min() > 0


def test_ffdnet_has_its_twelve_convolutions():
    found = published("ffdnet-color")
    shapes = [found[f"model.{2 * i}.weight"].shape for i in range(12)]
    # Three colours in four phases and the noise level; Zhang et al. (arXiv 1710.04026), 12 layers of 96 channels.
    assert shapes[0] == (96, 13, 3, 3)
    assert shapes[1:-1] == [(96, 96, 3, 3)] * 10
    assert shapes[-1] == (12, 96, 3, 3)
    assert len(found) == 24


def test_maxim_has_as_many_parameters_as_its_authors_count():
    assert (
        sum(array.size for array in published("maxim-deblur").values()) == 22_207_605
    )  # 22.2 M in Tu et al.


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_dat_light_has_its_upsampler(scale):
    found = published(f"dat-light-x{scale}")
    assert found["upsample.0.weight"].shape == (3 * scale**2, 60, 3, 3)


def convolve(tensors, name, image, *, is_leaky=False):
    """Apply a 3x3 convolution to (c, h, w) in float32 straight from its definition."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    weight = tensors[f"{name}.weight"].astype(np.float32)
    out = np.tensordot(weight, windows, ((1, 2, 3), (0, 3, 4))) + tensors[f"{name}.bias"][:, None, None]
    return np.where(out > 0, out, 0.2 * out) if is_leaky else out


def run_rrdbnet(tensors, image):
    first = convolve(tensors, "conv_first", image)
    features = first
    for block in range(23):
        block_input = features
        for dense in (1, 2, 3):
            name, parts = f"body.{block}.rdb{dense}", [features]
            for i in range(1, 5):
                parts.append(convolve(tensors, f"{name}.conv{i}", np.concatenate(parts), is_leaky=True))
            features = features + 0.2 * convolve(tensors, f"{name}.conv5", np.concatenate(parts))
        features = block_input + 0.2 * features
    features = first + convolve(tensors, "conv_body", features)
    for name in ("conv_up1", "conv_up2"):
        features = convolve(tensors, name, features.repeat(2, 1).repeat(2, 2), is_leaky=True)
    return convolve(tensors, "conv_last", convolve(tensors, "conv_hr", features, is_leaky=True))


@pytest.mark.slow
@RRDBNETS
def test_the_named_tensors_compute_what_ncnn_computes_from_the_published_files(name):
    ncnn = pytest.importorskip("ncnn")
    tensors = published(name)
    paths = {path.suffix: path for path in fetch_files(name).values()}
    image = np.random.default_rng(0).random((3, 6, 7), np.float32)
    with ncnn.Net() as net:
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
            setattr(net.opt, option, False)
        net.opt.num_threads = 1
        net.load_param(str(paths[".param"]))
        net.load_model(str(paths[".bin"]))
        with net.create_extractor() as extractor:
            extractor.input("data", ncnn.Mat(image))
            expected = np.array(extractor.extract("output")[1])
    np.testing.assert_allclose(run_rrdbnet(tensors, image), expected, atol=5e-5)
