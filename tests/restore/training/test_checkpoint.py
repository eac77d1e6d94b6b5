import errno
import os

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.errors import InputError  # noqa: E402
from raim.restore.training.checkpoint import list_checkpoints, read_newest, write_checkpoint  # noqa: E402


@pytest.fixture
def run(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    return tmp_path


def test_the_last_two_are_kept_and_the_newest_is_read(run):
    for step in (5, 10, 100):
        write_checkpoint(run, step, {"network": {"weight": torch.full((2,), float(step))}})
    assert [path.name for path in list_checkpoints(run)] == ["step-00000100.pt", "step-00000010.pt"]
    state, notes = read_newest(run)
    assert (state["step"], notes) == (100, [])
    assert state["network"]["weight"].tolist() == [100.0, 100.0]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", None])
def test_one_that_cannot_be_read_is_passed_over_and_none_at_all_is_an_error(run, content):
    write_checkpoint(run, 5, {})
    newest = run / "checkpoints/step-00000010.pt"
    torch.save({"schema": 99, "step": 10}, newest) if content is None else newest.write_bytes(content)
    state, notes = read_newest(run)
    assert state["step"] == 5
    assert [note.split(" (")[0] for note in notes] == ["step-00000010.pt cannot be read"]
    (run / "checkpoints/step-00000005.pt").write_bytes(b"")
    with pytest.raises(InputError, match=r"no checkpoint in .* can be read; begin anew with --overwrite"):
        read_newest(run)


def test_a_bit_that_has_turned_over_anywhere_in_the_weights_is_seen(run):
    write_checkpoint(run, 5, {})
    path = write_checkpoint(run, 10, {"network": {"weight": torch.full((1000,), 0.5)}})
    content = path.read_bytes()
    begin = content.index(torch.full((1000,), 0.5).numpy().tobytes())
    for place in (begin, begin + 1999, begin + 3999):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        state, notes = read_newest(run)
        assert state["step"] == 5
        assert notes == ["step-00000010.pt cannot be read (damaged); the one before it is taken"]
    path.write_bytes(content)
    assert read_newest(run)[0]["step"] == 10


def test_older_ones_go_only_when_the_new_one_is_safe_on_the_disk(run, monkeypatch):
    def fail(_descriptor):
        raise OSError(errno.EIO, "Input/output error")

    for step in (5, 10):
        write_checkpoint(run, step, {})
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InputError, match=r"step-00000015\.pt cannot be written: Input/output error"):
        write_checkpoint(run, 15, {})
    assert [path.name for path in list_checkpoints(run)][1:] == ["step-00000010.pt", "step-00000005.pt"]


def test_there_may_be_none(run):
    assert read_newest(run) == (None, [])
