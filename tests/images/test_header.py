"""Bounded reading."""

import io

import pytest

from raim.errors import ImageTruncatedError
from raim.images.header import Stream


def test_what_is_there_is_read():
    assert Stream(file=io.BytesIO(b"abcdef"), n_bytes=6).read_at(2, 3, "a part") == b"cde"


@pytest.mark.parametrize(("offset", "n_bytes"), [(4, 3), (7, 0), (0, 2**62), (2**62, 1)])
def test_what_is_not_there_is_never_asked_for(offset, n_bytes):
    stream = Stream(file=io.BytesIO(b"abcdef"), n_bytes=6)
    with pytest.raises(ImageTruncatedError, match=r"a part reaches to byte \d+, the file to byte 6"):
        stream.read_at(offset, n_bytes, "a part")


def test_a_file_that_shrinks_meanwhile_is_cut_off():
    with pytest.raises(ImageTruncatedError, match="the file to byte 6"):
        Stream(file=io.BytesIO(b"abcdef"), n_bytes=100).read_at(0, 50, "a part")
