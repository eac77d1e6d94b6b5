import errno
import struct

import numpy as np
import pytest

pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.errors import InputError
from raim.restore.training.logs import CsvLog, TensorBoard

COLUMNS = ("step", "loss", "seconds")


@pytest.fixture
def log(tmp_path):
    return CsvLog(path=tmp_path / "log.csv", columns=COLUMNS)


def read_events(folder):
    """Read the events of TensorBoard's files: length, its sum, the event, its sum."""
    from tensorboardX.proto.event_pb2 import Event

    for path in sorted(folder.glob("events.out.tfevents.*")):
        content = path.read_bytes()
        while content:
            end = 12 + struct.unpack("<Q", content[:8])[0]
            yield Event.FromString(content[12:end])
            content = content[end + 4 :]


def test_a_number_comes_back_as_it_was_and_none_leaves_its_cell_empty(log):
    log.open_at(0)
    log.add(10, {"loss": 1 / 3, "seconds": None})
    log.add(20, {"seconds": float("inf"), "other": 1.0})
    assert log.path.read_text() == "step,loss,seconds\n10,0.3333333,\n20,,inf\n"


def test_going_on_removes_what_came_after_and_keeps_the_rest_as_it_is(log):
    text = "step,loss,seconds\n10,0.5,0.3\n20,inf,\n30,0.4,0.3\n"
    log.path.write_text(text)
    log.open_at(20)
    assert log.path.read_text() == text.removesuffix("30,0.4,0.3\n")


@pytest.mark.parametrize(
    "damaged",
    [
        b"20,0.5",
        b"-1,0.5,0.3",
        b"abc,0.5,0.3",
        b"15,good,0.3",
        b"1.5,0.5,0.3",
        b"nan,0.5,0.3",
        b",0.5,0.3",
        b"",
        b"\0" * 50,
        b"15,0.5,\xff\xfe",
        b"9" * 5000 + b",0.5,0.3",
        b"15," + b"9" * 200_000 + b"x,0.3",
    ],
    ids=lambda line: repr(line[:12]),
)
def test_going_on_leaves_a_damaged_line_out(log, damaged):
    log.path.write_bytes(b"step,loss,seconds\n10,0.5,0.3\n" + damaged + b"\n20,0.4,0.3\n15,0.5")
    log.open_at(20)
    assert log.path.read_text() == "step,loss,seconds\n10,0.5,0.3\n20,0.4,0.3\n"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\0", b"other\n"])
def test_a_file_that_is_no_log_begins_again(log, content):
    log.path.write_bytes(content)
    log.open_at(20)
    assert log.path.read_text() == "step,loss,seconds\n"


def test_a_log_that_cannot_be_read_or_written_is_named(log, tmp_path):
    with pytest.raises(InputError, match=r"gone/log\.csv cannot be written: No such file or directory"):
        CsvLog(path=tmp_path / "gone/log.csv", columns=COLUMNS).open_at(0)
    with pytest.raises(InputError, match=r"gone/log\.csv cannot be written: No such file or directory"):
        CsvLog(path=tmp_path / "gone/log.csv", columns=COLUMNS).add(1, {})
    log.path.mkdir()
    with pytest.raises(InputError, match=r"log\.csv cannot be written: Is a directory"):
        log.open_at(0)


def test_tensorboard_has_the_same_numbers_and_the_sheet(tmp_path):
    board = TensorBoard(folder=tmp_path / "tensorboard", step=0)
    board.add("train", 10, {"loss": 0.25, "score": None})
    board.add_picture("samples", 10, np.zeros((4, 6, 3), np.uint8))
    board.close()
    values = [
        (event.step, value)
        for event in read_events(tmp_path / "tensorboard")
        for value in event.summary.value
    ]
    assert [(step, value.tag) for step, value in values] == [(10, "train/loss"), (10, "samples")]
    assert values[0][1].simple_value == 0.25
    assert (values[1][1].image.height, values[1][1].image.width) == (4, 6)


def test_tensorboard_hides_what_an_earlier_start_wrote_after_its_checkpoint(tmp_path):
    from tensorboardX.proto.event_pb2 import SessionLog

    TensorBoard(folder=tmp_path, step=30).close()
    started = [event for event in read_events(tmp_path) if event.HasField("session_log")]
    assert [(event.step, event.session_log.status) for event in started] == [(31, SessionLog.START)]


def test_a_full_disk_under_tensorboard_is_reported(tmp_path):
    board = TensorBoard(folder=tmp_path, step=0)

    def fail():
        raise OSError(errno.ENOSPC, "No space left on device")

    board._writer.flush, flush = fail, board._writer.flush
    with pytest.raises(InputError, match="cannot be written: No space left on device; free some space"):
        board.add("train", 1, {"loss": 1.0})
    board._writer.flush = flush
    board.close()
