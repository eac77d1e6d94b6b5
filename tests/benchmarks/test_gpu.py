import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra torch is not installed")

from benchmark_scripts import load_scripts
from raim.metrics import MEASURES

gpu = load_scripts(["gpu"])["gpu"]


def run(monkeypatch, *arguments):
    monkeypatch.setattr(gpu.sys, "argv", ["gpu.py", *arguments])
    return gpu.main()


def test_without_a_cuda_device_it_says_so_and_is_content(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "list_devices", lambda: ("cpu", "mps"))
    assert run(monkeypatch) == 0
    assert capsys.readouterr().out == "there is no CUDA device here, only cpu, mps; nothing was compared\n"


def test_a_device_that_is_not_here_is_reported(monkeypatch, capsys):
    assert run(monkeypatch, "--device", "nonsense") == 2
    assert "there is no device 'nonsense' here" in capsys.readouterr().err


@pytest.mark.parametrize(("difference", "code"), [(4e-6, 0), (6e-6, 1), (np.nan, 1)])
def test_what_differs_by_more_than_is_promised_is_reported(capsys, difference, code):
    case = gpu.Case(
        name="LPIPS", tolerance=5e-6, here=lambda: [0.5, 0.1], there=lambda: [0.5, 0.1 + difference]
    )
    assert gpu.compare(iter([case]), "cpu", 1) == code
    assert ("TOO FAR APART" in capsys.readouterr().out) == bool(code)


def test_everything_is_compared():
    names = [case.name for case in gpu.list_cases("cpu:0", 200, 16)]
    assert len(names) == len(set(names)) == 3 + len(MEASURES) + len(gpu.RESTORERS)
