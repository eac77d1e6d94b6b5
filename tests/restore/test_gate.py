import dataclasses

import numpy as np
import pytest

from raim.errors import InputError, OutOfMemoryError, UnexpectedError, WeightsMissingError
from raim.restore import (
    RESTORERS,
    Restorer,
    blend,
    chain,
    find_restorer,
    reduced,
    restore,
    restorer_from_callable,
)
from raim.restore.external import _call

IMAGE = np.random.default_rng(0).random((8, 12, 3), np.float32)


def give(result, **fields):
    """Make a restorer that gives one thing, whatever it is given."""
    return Restorer(name="mine", purpose="for tests", compute=lambda *_: result, **fields)


def spoil(share, value):
    """Make a result in which a share of the values is replaced."""
    result = IMAGE.copy().ravel()
    result[: round(share * result.size)] = value
    return result.reshape(IMAGE.shape)


WRONG = {
    "nan": (spoil(0.01, np.nan), "NaN or infinity .* half precision .* diverged"),
    "minus-infinity": (spoil(0.01, -np.inf), "NaN or infinity"),
    "float16-overflow": (np.full(IMAGE.shape, np.inf, np.float16), "NaN or infinity"),
    "0..255": (255 * IMAGE, "they look like 0..255: divide by the largest"),
    "0..65535": (65535 * IMAGE.astype(np.float64), "they look like 0..255"),
    "-1..1": (2 * IMAGE - 1, r"they look like -1..1: take \(x \+ 1\) / 2"),
    "one-value-far-off": (spoil(0.004, -0.51), "values from -0.51 to"),
    "two-percent-beyond": (spoil(0.02, 1.2), "to 1.2, expected"),
    "huge-float64": (IMAGE.astype(float) * 1e300, r"to \S*e\+\d+"),
    "integers": ((255 * IMAGE).astype(np.uint8), "gave uint8 .*: divide by the largest"),
    "booleans": (IMAGE > 0.5, "gave bool"),
    "complex": (IMAGE.astype(np.complex64), "gave complex64"),
    "objects": (IMAGE.astype(object), "gave object"),
    "nothing": (None, r"gave NoneType of shape \(\)"),
    "ragged": ([[1.0], [1.0, 2.0]], "gave list, not an array"),
    "alpha": (np.ones((8, 12, 4), np.float32), r"of shape \(8, 12, 4\).*leave out the alpha"),
    "channels-first": (np.ones((3, 8, 12), np.float32), "move the channels to the end"),
    "batch": (np.ones((1, 8, 12, 3), np.float32), "take the first of the batch"),
    "grey": (np.ones((8, 12), np.float32), r"of shape \(8, 12\)"),
    "another-size": (np.ones((8, 11, 3), np.float32), "mine gave 11x8 for 12x8; expected 12x8"),
    "twice-the-size": (np.ones((16, 24, 3), np.float32), "mine gave 24x16 for 12x8; expected 12x8"),
    "empty": (np.ones((0, 12, 3), np.float32), "mine gave 12x0"),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(WRONG))
def test_a_wrong_result_is_refused_with_its_cause(kind):
    result, message = WRONG[kind]
    with pytest.raises(InputError, match=message):
        restore(IMAGE, give(result))


RIGHT = {
    "a-little-beyond": spoil(0.007, 1.3),
    "all-nearly-there": np.full(IMAGE.shape, -0.09, np.float32),
    "float64": IMAGE.astype(np.float64),
    "float16": IMAGE.astype(np.float16),
    "other-byte-order": IMAGE.astype(">f4"),
    "not-contiguous": np.repeat(IMAGE, 2, axis=1)[:, ::2],
    "backwards": IMAGE[::-1, ::-1],
    "list": IMAGE.tolist(),
}


@pytest.mark.parametrize("kind", sorted(RIGHT))
def test_what_is_right_or_nearly_so_comes_out_clipped_and_finite(kind):
    pixels = restore(IMAGE, give(RIGHT[kind])).pixels
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, np.clip(np.asarray(RIGHT[kind], np.float32), 0, 1))


def test_what_is_known_to_overshoot_is_clipped_however_far():
    found = restore(IMAGE, give(spoil(0.3, 7.0), is_range_known=True)).pixels
    np.testing.assert_array_equal(found, spoil(0.3, 1.0))
    with pytest.raises(InputError, match="NaN"):
        restore(IMAGE, give(spoil(0.01, np.nan), is_range_known=True))


def test_all_that_is_built_in_and_enlarges_is_known_to_overshoot():
    assert all(restorer.is_range_known for restorer in RESTORERS.values() if restorer.scale > 1)


@pytest.mark.parametrize("name", ["bicubic-x2", "bicubic-x4"])
def test_black_and_white_pass_through_what_is_built_in(name):
    letters = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (16, 24))
    for reduction in (None, 1):
        assert restore(letters, find_restorer(name, reduction=reduction), threads=1).pixels.dtype == np.uint8


def test_lanczos_may_overshoot_after_a_function_that_does_not():
    letters = np.random.default_rng(0).choice(np.array([0.0, 1.0], np.float32), (16, 24))
    doubled = letters.repeat(2, 0).repeat(2, 1)[..., None].repeat(3, 2)
    restorer = Restorer(name="mine", purpose="for tests", compute=lambda *_: doubled, is_external=True)
    assert restore(letters, reduced(restorer, 1)).pixels.shape == (16, 24)


def test_a_read_only_result_is_clipped_in_a_copy():
    result = IMAGE + np.float32(0.05)
    result.flags.writeable = False
    assert restore(IMAGE, give(result)).pixels.max() == 1
    assert result.max() > 1


@pytest.mark.parametrize("scale", [1, 3, 16])
def test_an_external_restorer_may_enlarge_by_any_whole_factor(scale):
    result = np.ones((8 * scale, 12 * scale, 3), np.float32)
    assert restore(IMAGE, give(result, is_external=True)).scale == scale


@pytest.mark.parametrize("size", [(12, 18), (8, 24), (4, 6), (136, 204)])
def test_an_external_restorer_may_do_no_more_than_that(size):
    with pytest.raises(InputError, match="the same size, or a whole multiple up to 16"):
        restore(IMAGE, give(np.ones((*size, 3), np.float32), is_external=True))


@pytest.mark.parametrize(
    "make",
    [
        lambda mine: chain([find_restorer("identity"), mine]),
        lambda mine: chain([mine, find_restorer("identity")]),
        lambda mine: blend(mine, 0.01),
        lambda mine: reduced(dataclasses.replace(mine, scale=2), 1),
    ],
    ids=["chain-end", "chain-start", "blend", "reduced"],
)
def test_the_gate_stands_within_chains_and_mixtures_too(make):
    result = np.full((16, 24, 3), np.nan, np.float32)
    if make(give(None)).name != "mine, reduced by 1":
        result = result[:8, :12]
    with pytest.raises(InputError, match="mine gave NaN"):
        restore(IMAGE, make(give(result)))


def fail(error):
    def compute(image, context):
        raise error

    return Restorer(name="mine", purpose="for tests", compute=compute)


@pytest.mark.parametrize(
    "kind", [ValueError, RuntimeError, KeyError, StopIteration, ZeroDivisionError, AssertionError]
)
def test_whatever_a_net_raises_becomes_an_error_of_raim(kind):
    with pytest.raises(UnexpectedError, match=f"{kind.__name__}.*in test_gate.py line") as found:
        restore(IMAGE, fail(kind("out of order")))
    assert isinstance(found.value.__cause__, kind)


def test_memory_that_runs_out_is_said_as_that_and_an_error_of_raim_stays_what_it_is():
    with pytest.raises(OutOfMemoryError, match="memory ran out"):
        restore(IMAGE, fail(MemoryError()))
    with pytest.raises(WeightsMissingError, match="fetch them"):
        restore(IMAGE, fail(WeightsMissingError("fetch them")))


def test_after_cuda_ran_out_of_memory_what_the_net_held_is_let_go(monkeypatch):
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    emptied, held = [], []

    class Held:
        def __del__(self):
            held.append("gone")

    def compute(image, context):
        activations = Held()  # noqa: F841 - it lives as long as the frame
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(len(held)))
    with pytest.raises(OutOfMemoryError):
        restore(IMAGE, Restorer(name="mine", purpose="for tests", compute=compute))
    assert emptied == [1]


@pytest.mark.parametrize("error", [SystemExit(3), BaseException("odd"), ValueError("odd")])
def test_whatever_a_function_raises_is_said_by_its_name(error):
    def function(image):
        raise error

    with pytest.raises(InputError, match=f"plugin:mine stopped: {type(error).__name__}"):
        _call("plugin:mine", function, IMAGE)


def test_what_a_function_says_is_printable():
    def function(image):
        raise ValueError("\x1b[31mred")

    with pytest.raises(InputError, match=r"stopped: ValueError: \\x1b\[31mred"):
        _call("plugin:mine", function, IMAGE)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()])
def test_ctrl_c_and_want_of_memory_pass_through_a_function(error):
    def function(image):
        raise error

    with pytest.raises(type(error)):
        _call("plugin:mine", function, IMAGE)


@pytest.mark.parametrize(
    ("line", "reason"), [("sys.exit(3)", "SystemExit: 3"), ("1 / 0", "ZeroDivisionError")]
)
def test_a_module_that_fails_while_it_is_loaded_is_said(tmp_path, monkeypatch, line, reason):
    (tmp_path / "badly_loaded.py").write_text(f"import sys\n{line}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=f"badly_loaded cannot be loaded: {reason}"):
        restorer_from_callable("badly_loaded:mine")


def test_a_function_of_a_module_passes_the_gate():
    with pytest.raises(InputError, match=r"numpy:transpose gave 8x3 for 12x8|of shape \(3, 12, 8\)"):
        restore(IMAGE, restorer_from_callable("numpy:transpose"))
    np.testing.assert_array_equal(restore(IMAGE, restorer_from_callable("numpy:flipud")).pixels, IMAGE[::-1])


def test_a_device_that_is_not_here_is_said_with_those_that_are():
    pytest.importorskip("torch", reason="the extra torch is not installed")
    with pytest.raises(InputError, match=r"there is no device 'cuda:99' here .* take one of: cpu"):
        restore(IMAGE, dataclasses.replace(give(IMAGE), devices=("cpu", "torch")), device="cuda:99")
