"""`--engine fast`: on AMX, whose instructions are played by Python here, and by ncnn on other processors."""

import ctypes
import types

import numpy as np
import pytest

from convolutions import make_case, unpack
from raim.networks import bfloat
from raim.networks.amx import has_amx
from raim.networks.ncnn import native_pack

KERNELS = ("multiply_terms", "_sum_blocks", "_add_block", "_add_tiles")


class Tiles:
    """AMX by its manual: eight tiles of 16 rows of 64 bytes."""

    def __init__(self):
        self.tiles = np.zeros((8, 16, 64), np.uint8)

    def load_tile(self, number, address, step):
        for row, content in enumerate(self.tiles[number]):
            content[:] = self.memory(address + row * step)

    def store_tile(self, number, address, step):
        for row, content in enumerate(self.tiles[number]):
            self.memory(address + row * step)[:] = content

    def add_products(self, target, left, right):
        a, b = (
            (self.tiles[each].view(np.uint16).astype(np.uint32) << 16).view(np.float32)
            for each in (left, right)
        )
        pairs = b.reshape(16, 16, 2).transpose(0, 2, 1).reshape(32, 16)
        self.tiles[target].view(np.float32)[:] += a @ pairs

    @staticmethod
    def memory(address):
        return np.frombuffer((ctypes.c_uint8 * 64).from_address(int(address)), np.uint8)


@pytest.fixture
def played(monkeypatch):
    """Let the kernels run in Python, with tiles that are played."""
    tiles = Tiles()
    names = {each: getattr(tiles, each) for each in ("load_tile", "store_tile", "add_products")}
    names |= {"configure_tiles": lambda _: None, "release_tiles": lambda: None}
    names = vars(bfloat) | names
    for name in KERNELS:
        names[name] = types.FunctionType(getattr(bfloat, name).py_func.__code__, names)
    monkeypatch.setattr(bfloat, "multiply_terms", names["multiply_terms"])


CASES = [(32, 32, 3, 33), (48, 64, 2, 20), (16, 32, 4, 64)]


@pytest.mark.parametrize(("inputs", "outputs", "rows", "columns"), CASES)
@pytest.mark.usefixtures("played")
def test_a_convolution_on_amx_is_the_defined_one_but_for_17_bits(inputs, outputs, rows, columns):
    buffer, weight, bias, expected = make_case(inputs, outputs, rows, columns)
    found = unpack(bfloat.AmxConvolution(weight, bias).run_packed(buffer, rows + 2, 16))
    error = np.abs(found - expected).max() / expected.max()
    assert 1e-7 < error < 2e-5


@pytest.mark.skipif(not has_amx(), reason="this processor has no AMX")
@pytest.mark.parametrize(("inputs", "outputs", "rows", "columns"), CASES)
def test_a_convolution_on_the_real_amx(inputs, outputs, rows, columns):
    buffer, weight, bias, expected = make_case(inputs, outputs, rows, columns)
    found = unpack(bfloat.AmxConvolution(weight, bias).run_packed(buffer, rows + 2, 16))
    np.testing.assert_allclose(found, expected, atol=2e-5 * expected.max())


@pytest.mark.usefixtures("played")
def test_without_amx_ncnn_makes_the_same_values():
    if native_pack() != 16:
        pytest.skip("ncnn packs otherwise here")
    buffer, weight, bias, _ = make_case(64, 32, 4, 40)
    on_amx, by_ncnn = (
        kind(weight, bias).run_packed(buffer, 6, 16)
        for kind in (bfloat.AmxConvolution, bfloat.TermsConvolution)
    )
    assert np.abs(on_amx - by_ncnn).max() < 2e-6 * on_amx.max()


def test_terms_are_bfloat16_and_hold_17_bits():
    x = np.random.default_rng(0).uniform(-9, 9, 1000).astype(np.float32)
    high, low = bfloat.split_terms(x)
    assert not np.any((high.view(np.uint32) | low.view(np.uint32)) & 0xFFFF)
    assert np.abs(high + low - x).max() <= 9 * 2.0**-17
