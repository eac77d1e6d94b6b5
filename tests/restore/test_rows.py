import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from raim.restore.rows import Flow, Stage, add_around, apply_stage, split_lines


def _smooth(reach):
    """A stage that looks `reach` lines around, with zeros beyond the border."""

    def apply(planes):
        padded = np.pad(planes, ((0, 0), (reach, reach), (reach, reach)))
        height, width = planes.shape[1:]
        shifted = [padded[:, k : k + height, k : k + width] for k in range(2 * reach + 1)]
        return np.sum(shifted, axis=0) + 1

    return Stage(apply=apply, reach=reach)


def _enlarge(planes):
    return planes.repeat(2, axis=1).repeat(2, axis=2)


def _net(strips, flow):
    def inner(features):
        for reach in (3, 0, 2):
            features = apply_stage(features, _smooth(reach), flow)
        return features

    total = add_around(add_around(strips, inner, np.add, flow), inner, np.subtract, flow)
    return apply_stage(total, Stage(apply=_enlarge, reach=1, scale=2), flow)


def _run(planes, lines, axis):
    flow = Flow(join=np.concatenate, lines=lines, axis=axis)
    strips = list(_net(split_lines(planes, flow), flow))
    assert [strip.is_last for strip in strips] == [False] * (len(strips) - 1) + [True]
    return np.concatenate([strip.planes for strip in strips], axis=axis)


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    lines=st.integers(1, 64),
    axis=st.sampled_from([1, 2]),
    seed=st.integers(0, 99),
)
def test_strips_of_any_height_give_what_the_whole_gives(height, width, lines, axis, seed):
    planes = np.random.default_rng(seed).integers(0, 9, (2, height, width)).astype(float)
    np.testing.assert_array_equal(_run(planes, lines, axis), _run(planes, 1000, axis))


def test_no_stage_sees_much_more_than_a_strip():
    seen = []

    def apply(planes):
        seen.append(planes.shape[1])
        return planes

    flow = Flow(join=np.concatenate, lines=16)
    strips = split_lines(np.zeros((1, 400, 2)), flow)
    for _ in range(12):
        strips = apply_stage(strips, Stage(apply=apply, reach=5), flow)
    assert sum(strip.planes.shape[1] for strip in strips) == 400
    assert max(seen) <= 2 * 16 + 2 * 5
