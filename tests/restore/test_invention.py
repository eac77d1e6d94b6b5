import dataclasses
import functools

import numpy as np
import pytest

from raim.errors import InputError
from raim.images import read_image
from raim.restore import Restorer, find_invention, find_restorer, restore
from raim.restore.blur import bring_back
from raim.restore.classical import enlarge_bicubic
from raim.restore.invention import BLOCK_PX, FACTOR, Invention, average_neighbours, measure_added
from raim.restore.noise import estimate_flat_noise
from raim.restore.spectrum import LUMA

SIDE_PX = BLOCK_PX * FACTOR
PLACE = slice(96, 144), slice(160, 208)


@functools.cache
def leaves(height=256, width=320, seed=0):
    """Discs of all sizes over one another, as natural photographs have their edges."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 0.5, np.float32)
    for radius in np.sort(2 + 40 * rng.random(500) ** 3)[::-1]:
        row, column, reach = int(rng.integers(height)), int(rng.integers(width)), int(radius) + 1
        part = picture[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
        rows, columns = np.indices(part.shape[:2])
        distance = np.hypot(rows + max(row - reach, 0) - row, columns + max(column - reach, 0) - column)
        part[distance < radius] = rng.uniform(0.15, 0.85, 3)
    return picture


def transfer(sigma, shape):
    """Give the transfer function of a Gaussian blur."""
    squares = np.fft.fftfreq(shape[0])[:, None] ** 2 + np.fft.rfftfreq(shape[1])[None] ** 2
    return np.exp(-2 * np.pi**2 * sigma**2 * squares)[..., None]


def filtered(picture, gain):
    spectrum = np.fft.rfft2(picture, axes=(0, 1)) * gain
    return np.fft.irfft2(spectrum, s=picture.shape[:2], axes=(0, 1)).astype(np.float32)


def blur(picture, sigma):
    """Blur, the borders reflected."""
    padded = np.pad(picture, ((16, 16), (16, 16), (0, 0)), mode="reflect")
    return np.clip(filtered(padded, transfer(sigma, padded.shape))[16:-16, 16:-16], 0, 1)


def add_noise(picture, sigma, seed=1):
    noise = np.random.default_rng(seed).normal(0, sigma / 255, picture.shape)
    return np.clip(picture + noise, 0, 1).astype(np.float32)


def paint(picture, place=PLACE, contrast=40, period=12):
    """Add a chequered patch."""
    painted = picture.copy()
    rows, columns = np.indices(painted[place].shape[:2])
    pattern = ((rows * 2 // period + columns * 2 // period) % 2 * 2 - 1) * contrast / 255
    painted[place] = np.clip(painted[place] + pattern[..., None], 0, 1)
    return painted


def share(image, restored):
    return find_invention(image, restored).share


BLURS = {"none": 0, "some": 1.0, "strong": 3.0}


@pytest.mark.parametrize("sigma", BLURS.values(), ids=BLURS)
@pytest.mark.parametrize("noise", [0, 2, 10])
def test_the_scene_itself_agrees_with_its_blurred_noisy_photograph(sigma, noise):
    assert share(add_noise(blur(leaves(), sigma), noise), leaves()) == 0


@pytest.mark.parametrize("sigma", [2, 4])
def test_light_from_beyond_the_border_is_no_invention(sigma):
    part = slice(24, -24), slice(24, -24)
    assert share(blur(leaves(), sigma)[part], leaves()[part]) == 0


def test_a_true_deconvolution_agrees():
    gain = transfer(1.5, leaves().shape)
    image = add_noise(np.clip(filtered(leaves(), gain), 0, 1), 1)
    restored = np.clip(filtered(image, gain / (gain**2 + 1e-3)), 0, 1)  # Wiener's filter
    assert np.abs(restored - leaves()).mean() < np.abs(image - leaves()).mean()
    assert share(image, restored) == 0


@pytest.mark.parametrize("noise", [0, 5])
@pytest.mark.parametrize("scale", [1, 2])
def test_what_is_painted_in_disagrees_just_there(noise, scale):
    image = add_noise(blur(leaves(), 0.7), noise)
    large = enlarge_bicubic(leaves(), scale) if scale > 1 else leaves()
    place = tuple(slice(part.start * scale, part.stop * scale) for part in PLACE)
    found = find_invention(image, paint(np.clip(large, 0, 1), place, period=12 * scale))
    painted = np.zeros(found.added.shape, bool)
    painted[tuple(slice(part.start // SIDE_PX, part.stop // SIDE_PX) for part in PLACE)] = True
    assert not found.mask[~painted].any()
    assert found.mask[painted].mean() > 0.85  # of nine; in one noise and an edge may hide it
    x, y = found.worst
    assert place[0].start <= y < place[0].stop
    assert place[1].start <= x < place[1].stop
    assert found.block_px == SIDE_PX * scale


@pytest.mark.parametrize("contrast", [40, 120])
def test_a_strong_addition_does_not_pass_as_blur_of_the_whole(contrast):
    place = slice(64, 128), slice(96, 160)  # a twentieth of the photograph
    found = find_invention(add_noise(leaves(), 2), paint(leaves(), place, contrast, 16))
    assert found.mask[4:8, 6:10].all()
    # Its neighbours too, at most.
    around = np.pad(found.mask[3:9, 5:11], ((3, 7), (5, 9)))
    np.testing.assert_array_equal(found.mask, around)


def test_the_same_patch_in_the_input_is_no_invention():
    assert share(paint(leaves()), paint(leaves())) == 0


def test_colours_that_are_sharper_than_in_the_input_are_no_invention():
    """Cameras and JPEG blur colours more than light."""
    luma = leaves() @ LUMA
    colours = leaves() - luma[..., None]
    assert share(np.clip(luma[..., None] + blur(0.5 + colours, 3) - 0.5, 0, 1), leaves()) == 0


def test_what_was_only_taken_away_is_no_invention():
    assert share(paint(leaves()), leaves()) < 0.005


@pytest.mark.parametrize("sigma", [5, 15, 30])
def test_a_denoised_photograph_agrees_however_strong_the_noise(sigma):
    noisy = add_noise(leaves(), sigma)
    assert share(noisy, leaves()) == 0
    assert share(noisy, blur(noisy, 1.0)) == 0


def test_a_denoiser_agrees():
    pytest.importorskip("cv2", reason="the extra opencv is not installed")
    noisy = (add_noise(leaves(), 15) * 255).astype(np.uint8)
    assert restore(noisy, "nlm").notes[-1] == "agrees with its input"


def test_blur_that_changes_from_place_to_place_is_measured_there():
    far = np.clip((np.arange(640) - 200) / 240, 0, 1)[None, :, None].astype(np.float32)
    scene = leaves(512, 640)
    image = add_noise((1 - far) * blur(scene, 0.6) + far * blur(scene, 3), 1)
    assert share(image, scene) < 0.03
    found = find_invention(image, paint(scene, (slice(224, 272), slice(64, 112))))
    assert found.mask[14:17, 4:7].all()


def test_a_cast_of_the_whole_is_no_invention():
    cast = np.array([0.06, -0.04, 0.03], np.float32)
    assert share(leaves(), np.clip(leaves() + cast, 0, 1)) == 0


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_flat_photographs_agree(value):
    flat = np.full((128, 160, 3), value, np.float32)
    assert share(flat, flat) == 0


def test_what_is_painted_on_a_flat_place_is_not_taken_for_blur_of_that_place():
    scene = np.concatenate([leaves(), np.full((256, 320, 3), 0.6, np.float32)], axis=1)
    found = find_invention(blur(scene, 1), paint(scene, (slice(96, 144), slice(448, 496))))
    assert found.mask[6:9, 28:31].all()
    around = np.pad(found.mask[5:10, 27:32], ((5, 6), (27, 8)))  # blur carries it into its neighbours
    np.testing.assert_array_equal(found.mask, around)


def test_grey_and_sixteen_bits_give_what_colour_and_floats_give():
    image, restored = blur(leaves(), 1)[..., 0], paint(leaves())[..., 0]
    image = np.clip(image, 0, 1)
    as_colour = [each[..., None].repeat(3, axis=2) for each in (image, restored)]
    expected = find_invention(*as_colour)
    assert expected.share > 0
    for dtype in (np.uint8, np.uint16):
        deep = [np.rint(each * np.iinfo(dtype).max).astype(dtype) for each in (image, restored)]
        found = find_invention(*deep)
        np.testing.assert_allclose(found.added, expected.added, atol=2e-3)
        np.testing.assert_array_equal(found.mask, expected.mask)


@pytest.mark.parametrize("size", [(48, 48), (49, 63), (61, 83), (50, 300)])
def test_odd_and_small_sizes(size):
    image = leaves()[: size[0], : size[1]]
    found = find_invention(image, image)
    assert found.added.shape == (size[0] // 2 // 8, size[1] // 2 // 8)
    assert found.share == 0


def test_a_photograph_too_small_to_measure_is_not_judged():
    assert find_invention(leaves()[:47, :99], leaves()[:47, :99]) is None
    assert restore(leaves()[:47, :99], Restorer(name="x", purpose="", compute=lambda i, _: i)).notes == ()


def test_it_is_the_formula():
    """One block by hand: what lies along the brought-back picture, about the mean of its neighbours."""
    rng = np.random.default_rng(0)
    before = blur(rng.random((80, 80, 3), np.float32), 1.5)[..., 0]
    after = before + 0.1 * blur(rng.random((80, 80, 3), np.float32), 2)[..., 0]
    added = measure_added(before, after)
    ((window, brought),) = bring_back(before, after)
    assert (window.rows, window.columns) == (slice(0, 80), slice(0, 80))
    near = slice(16, 56)  # five blocks about the one at 32
    rest, own = before - brought, slice(32, 40)
    b = brought[own, own] - brought[near, near].mean()
    r = rest[own, own] - rest[near, near].mean()
    expected = max(-(r * b).mean() / np.sqrt((b * b).mean()), 0)
    assert added[4, 4] == pytest.approx(expected, abs=1e-5)


def test_neighbours_are_averaged_as_by_a_loop():
    blocks = np.random.default_rng(0).random((4, 7))
    padded = np.pad(blocks, 2, mode="edge")
    expected = [[padded[r : r + 5, c : c + 5].mean() for c in range(7)] for r in range(4)]
    np.testing.assert_allclose(average_neighbours(blocks), expected)


def test_the_threshold_is_the_floor_and_the_noise_of_flat_places():
    flat = add_noise(np.full((256, 256, 3), 0.5, np.float32), 12)
    found = find_invention(flat, flat)
    expected = np.hypot(2, estimate_flat_noise(flat) / 2) / 255
    assert found.threshold == pytest.approx(expected, rel=1e-3)


def test_shares_and_places_are_said():
    added = np.zeros((5, 8), np.float32)
    found = Invention(added=added, threshold=0.01, block_px=32)
    assert found.describe() == "agrees with its input"
    added[3, 1] = 0.02
    assert (found.share, found.worst) == (1 / 40, (48, 112))
    assert found.describe().startswith("2.5 % of it does not follow from its input (most at 48, 112)")


@pytest.mark.parametrize(
    "restored",
    [
        np.zeros((64, 63, 3), np.uint8),
        np.zeros((128, 64, 3), np.uint8),
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 3), np.uint16),
    ],
    ids=["width", "stretched", "smaller", "grey", "deep"],
)
def test_what_cannot_be_compared_is_refused(restored):
    with pytest.raises(InputError, match="expected the same kind, and the same size or a whole multiple"):
        find_invention(np.zeros((64, 64, 3), np.uint8), restored)


PAINTER = Restorer(name="painter", purpose="for tests", compute=lambda image, _: paint(image))


def test_every_restorer_that_may_invent_is_guarded_and_its_result_kept():
    restored = restore(leaves(), PAINTER)
    assert "does not follow from its input" in restored.notes[-1]
    assert restored.invention.share > 0
    np.testing.assert_array_equal(restored.pixels, paint(leaves()))
    assert restore(leaves(), PAINTER, strength=0.01).notes == ("agrees with its input",)
    assert "does not follow" in restore(leaves(), PAINTER, colour_fix="wavelet").notes[-1]


def test_the_guard_can_be_left_out_and_is_where_nothing_can_be_invented():
    assert restore(leaves(), PAINTER, guard=False).invention is None
    assert restore(leaves(), PAINTER, guard=False).notes == ()
    assert restore(leaves(), PAINTER, strength=0).invention is None  # the input itself
    for name in ("identity", "bicubic-x2", "identity,bicubic-x4"):
        assert restore(leaves(), name).invention is None
    assert find_restorer("bicubic-x2,nlm").can_invent
    assert not dataclasses.replace(PAINTER, can_invent=False).can_invent


@pytest.mark.shared
@pytest.mark.slow
def test_on_a_real_photograph_a_net_invents_some_and_a_denoiser_nothing(shared):
    path = shared / "data" / "paired" / "out_of_focus" / "input" / "lytro_09.png"
    pixels = read_image(path).pixels
    net = restore(pixels, find_restorer("real-esrgan-x4plus", reduction=4), threads=1).invention
    assert 0.01 < net.share < 0.2
    assert restore(pixels, "ffdnet", threads=1).invention.share == 0
