import numpy as np
import pytest

from benchmark_scripts import load_scripts
from raim.restore import descriptor, gate

scripts = load_scripts(["fuzz", "fuzz_restorers"])


def faults(tmp_path, n):
    return [each.fault for each in scripts["fuzz_restorers"].run_cases(n, 1, tmp_path) if each.fault]


def test_results_of_every_kind_are_refused_or_restored_right(tmp_path):
    outcomes = list(scripts["fuzz_restorers"].run_cases(50, 1, tmp_path))
    assert [each.fault for each in outcomes if each.fault] == []
    assert {"restored", "refused", "restored in a batch", "refused in a batch"} <= {
        each.words for each in outcomes
    }


@pytest.mark.parametrize(
    ("module", "name", "wrong"),
    [
        (gate, "FAR", (-np.inf, np.inf)),
        (gate, "_check_size", lambda *_: None),
        (descriptor, "item_error", lambda _: {}["no such key"]),
        (descriptor, "check_result", lambda result, *_, **__: np.asarray(result, np.float32)),
    ],
    ids=["range", "size", "errors", "all"],
)
def test_the_fuzzing_finds_a_gate_that_is_open(tmp_path, monkeypatch, module, name, wrong):
    monkeypatch.setattr(module, name, wrong)
    assert faults(tmp_path, 40)
