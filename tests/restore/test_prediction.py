import dataclasses

import numpy as np
import pytest

from raim.restore import inspect_photograph
from raim.restore.prediction import (
    DEFECTS,
    NIQE_POINTS,
    KnownPair,
    RestorerTrial,
    Rules,
    describe_numbers,
    find_predictor,
    learn,
    regress,
)
from raim.scoring import find_profile
from raim.scoring.pairs import Measured

N_NUMBERS = len(describe_numbers(inspect_photograph(np.zeros((8, 8, 3), np.float32))))


def known(index, *, gain, defects=()):
    """Describe a pair whose measurements all are its index."""
    return KnownPair(
        name=f"pair {index}",
        source="test",
        photograph=f"photograph {index}",
        defects=frozenset(defects),
        measured=(float(index),) * N_NUMBERS,
        niqe=5.0,
        trials={"enlarge": RestorerTrial(niqe_gain=2.0, change=4.0)},
        gains={"enlarge": gain},
    )


def test_parts_of_one_photograph_tell_less_than_as_many_photographs():
    inputs, targets = np.zeros((4, 1)), np.array([8.0, 8.0, 8.0, 0.0])
    alone = regress(inputs, targets, Rules(noise=0.5)).predict(inputs)[1]
    together = regress(inputs, targets, Rules(noise=0.5), parts=np.full(4, 4.0)).predict(inputs)[1]
    assert (together > alone).all()


def test_one_unit_of_niqe_is_worth_what_the_profile_says():
    profile = find_profile("raim-2024")
    values = {measure.key: Measured(value=0.5) for measure in profile.measures}
    better = {**values, "niqe": Measured(value=1.5)}
    scores = [
        profile.score({key: each.value for key, each in measured.items()}) for measured in (values, better)
    ]
    assert scores[0] - scores[1] == pytest.approx(NIQE_POINTS)


def test_without_noise_the_regression_goes_through_what_it_has_seen():
    inputs = np.random.default_rng(0).random((9, 3))
    targets = inputs[:, 0] * 20 - inputs[:, 2]
    mean, deviation = regress(inputs, targets, Rules(noise=1e-9)).predict(inputs)
    np.testing.assert_allclose(mean, targets, atol=1e-4)
    assert deviation.max() < 0.01


def test_it_equals_the_textbooks_formula():
    rng = np.random.default_rng(1)
    inputs, targets, new = rng.random((12, 2)), rng.random(12), rng.random((5, 2))
    rules = Rules(length=0.7, trend=0.2, noise=0.3)
    rows, wanted = ((each - inputs.mean(0)) / (inputs.std(0) + 1e-6) for each in (inputs, new))

    def kernel(a, b):
        return np.exp(-((a - b) ** 2).mean() / (2 * 0.7**2)) + 0.2 * (a * b).mean()

    own = np.array([[kernel(a, b) for b in rows] for a in rows]) + 0.3 * np.eye(12)
    cross = np.array([[kernel(a, b) for b in rows] for a in wanted])
    mean, deviation = regress(inputs, targets, rules).predict(new)
    np.testing.assert_allclose(mean, targets.mean() + cross @ np.linalg.inv(own) @ (targets - targets.mean()))
    variance = [kernel(a, a) - row @ np.linalg.inv(own) @ row for a, row in zip(wanted, cross, strict=True)]
    np.testing.assert_allclose(deviation, targets.std() * np.sqrt(variance))


def test_gains_are_predicted_from_what_resembles_and_what_niqe_gained():
    predictor = learn([known(index, gain=30.0 if index < 5 else -30.0) for index in range(10)])
    trial = RestorerTrial(niqe_gain=2.0, change=4.0)
    low, high = (predictor.predict("enlarge", [(index,) * N_NUMBERS], [5.0], [trial]) for index in (1.0, 8.0))
    assert low.mean > 15
    assert high.mean < -15


def test_what_niqe_gains_is_measured_and_only_the_rest_is_predicted():
    pairs = [
        dataclasses.replace(
            known(index, gain=2.0 + 3.0 * index),
            trials={"enlarge": RestorerTrial(niqe_gain=3.0 * index, change=4.0)},
        )
        for index in range(10)
    ]
    trial = RestorerTrial(niqe_gain=13.5, change=4.0)
    gain = learn(pairs).predict("enlarge", [(4.5,) * N_NUMBERS], [5.0], [trial])
    assert gain.mean == pytest.approx(15.5, abs=0.1)


def test_what_resembles_no_known_pair_is_less_sure():
    predictor = learn([known(index, gain=10.0 * (index % 2)) for index in range(10)])
    trial = RestorerTrial(niqe_gain=2.0, change=4.0)
    near, far = (
        predictor.predict("enlarge", [(index,) * N_NUMBERS], [5.0], [trial]) for index in (4.0, 400.0)
    )
    assert far.deviation > 2 * near.deviation
    assert far.surely(Rules(caution=1)) < far.mean
    assert predictor.is_known([(4.0,) * N_NUMBERS])
    assert not predictor.is_known([(400.0,) * N_NUMBERS])


def test_defects_are_distinguished_with_a_confidence():
    predictor = learn([known(index, gain=0.0, defects=["noise"] if index < 5 else []) for index in range(10)])
    assert predictor.recognise([(0.0,) * N_NUMBERS])["noise"] > 0.8
    assert predictor.recognise([(9.0,) * N_NUMBERS])["noise"] < 0.2
    assert set(predictor.recognise([(9.0,) * N_NUMBERS])) == set(DEFECTS)


def test_the_known_pairs_hold_every_defect_and_every_candidate():
    predictor = find_predictor()
    assert set(predictor.defects) == set(DEFECTS)
    for regression in predictor.defects.values():
        assert len(regression.inputs) >= 200
        assert regression.mean > 0
