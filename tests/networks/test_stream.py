import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from raim.networks.stream import Flow, Stage, Strip, apply_stage


def _smooth(reach):
    """A function that looks `reach` lines around, with zeros beyond the border."""

    def apply(planes):
        padded = np.pad(planes, ((0, 0), (reach, reach), (reach, reach)))
        height, width = planes.shape[1:]
        shifted = [padded[:, k : k + height, k : k + width] for k in range(2 * reach + 1)]
        return np.sum(shifted, axis=0) + 1

    return apply


def _enlarge(planes):
    return planes.repeat(2, axis=1).repeat(2, axis=2)


def _net(strips, flow):
    def inner(features):
        for reach in (3, 0, 2):
            features = apply_stage(features, flow.stage(_smooth(reach), reach=reach))
        return features

    total = flow.add_around(flow.add_around(strips, inner, np.add), inner, np.subtract)
    return apply_stage(total, flow.stage(_enlarge, reach=1, scale=2))


def _run(planes, usual, axis):
    flow = Flow(join=np.concatenate, usual=usual, axis=axis)
    strips = list(_net(flow.split(planes), flow))
    assert [strip.is_last for strip in strips] == [False] * (len(strips) - 1) + [True]
    return np.concatenate([strip.lines for strip in strips], axis=axis)


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    usual=st.integers(1, 64),
    axis=st.sampled_from([1, 2]),
    seed=st.integers(0, 99),
)
def test_strips_of_any_height_give_what_the_whole_gives(height, width, usual, axis, seed):
    planes = np.random.default_rng(seed).integers(0, 9, (2, height, width)).astype(float)
    np.testing.assert_array_equal(_run(planes, usual, axis), _run(planes, 1000, axis))


def test_no_stage_sees_much_more_than_a_strip():
    seen = []

    def apply(planes):
        seen.append(planes.shape[1])
        return planes

    flow = Flow(join=np.concatenate, usual=16)
    strips = flow.split(np.zeros((1, 400, 2)))
    for _ in range(12):
        strips = apply_stage(strips, flow.stage(apply, reach=5))
    assert sum(strip.lines.shape[1] for strip in strips) == 400
    assert max(seen) <= 2 * 16 + 2 * 5


class Numbers:
    """A window of numbers with room for a few."""

    def __init__(self, room):
        self.room, self.numbers = room, []

    @property
    def n_lines(self):
        return len(self.numbers)

    def append(self, lines, start):
        stop = min(len(lines), start + self.room - len(self.numbers))
        self.numbers += lines[start:stop]
        return None if stop == len(lines) else stop

    def pad(self, n_lines):
        self.numbers += [0] * n_lines

    def discard(self, n_lines):
        del self.numbers[:n_lines]


@given(
    blocks=st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=9), min_size=1, max_size=9),
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(1, 4)),
    is_end_known=st.booleans(),
)
def test_windows_of_bounded_room_and_strides_give_what_the_whole_gives(blocks, sizes, is_end_known):
    """A layout of its own, as measures have: here a list of numbers, and a stage that sums them."""
    kernel, stride, padding, usual = sizes
    stride = min(stride, kernel)
    whole = [0] * padding + list(itertools.chain(*blocks)) + [0] * padding
    expected = [sum(whole[at : at + kernel]) for at in range(0, len(whole) - kernel + 1, stride)]
    made = []

    def apply(window, n_lines):
        made.append(n_lines)
        return [sum(window.numbers[at * stride : at * stride + kernel]) for at in range(n_lines)]

    stage = Stage(
        open=lambda: Numbers((usual - 1) * stride + max(kernel, padding + 1)),
        apply=apply, kernel=kernel, stride=stride, padding=padding, usual=usual, least=usual, most=usual,
    )  # fmt: skip
    last = len(blocks) - 1
    strips = [Strip(lines=block, is_last=is_end_known and at == last) for at, block in enumerate(blocks)]
    found = list(apply_stage(strips, stage))
    assert list(itertools.chain(*(strip.lines for strip in found))) == expected
    assert set(made[:-2]) <= {usual}
