import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import SubmissionError
from raim.scoring.submission.limits import DEFAULT_LIMITS
from raim.scoring.submission.zip_directory import read_directory, widen

NAMES = st.text("abcé/._-0123456789", min_size=1, max_size=20)
FILES = st.dictionaries(NAMES, st.binary(max_size=300), max_size=5)
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])


class Pipe(io.RawIOBase):
    """A file that cannot seek, so that zipfile writes sizes after the data (bit 3)."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.content += bytes(data)
        return len(data)


def pack(files: dict[str, bytes], method: int, *, streamed: bool) -> bytes:
    file = Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return bytes(file.content) if isinstance(file, Pipe) else file.getvalue()


def refusal(content: bytes) -> str:
    with pytest.raises(SubmissionError) as caught:
        read_directory(io.BytesIO(content), "team.zip", DEFAULT_LIMITS)
    assert [each.code for each in caught.value.problems] == ["damaged-archive"]
    return str(caught.value)


@given(FILES, METHODS, st.booleans())
def test_the_table_agrees_with_pythons_zipfile(files, method, streamed):
    content = pack(files, method, streamed=streamed)
    directory = read_directory(io.BytesIO(content), "team.zip", DEFAULT_LIMITS)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        theirs = [
            (
                info.orig_filename,
                info.CRC,
                info.compress_size,
                info.file_size,
                info.header_offset,
                info.compress_type,
            )
            for info in archive.infolist()
        ]
    ours = [
        (
            entry.raw_name.decode(),
            entry.crc,
            entry.packed_bytes,
            entry.n_bytes,
            entry.header_offset,
            entry.method,
        )
        for entry in directory.entries
    ]
    assert ours == theirs


def test_the_unix_mode_is_read(forge):
    info = zipfile.ZipInfo("a")
    info.external_attr = 0o120777 << 16
    path = forge.write_zip([(info, b"target")])
    with path.open("rb") as file:
        assert read_directory(file, "team.zip", DEFAULT_LIMITS).entries[0].unix_mode == 0o120777


def test_a_wrong_count_is_damaged():
    content = bytearray(pack({"a": b"1", "b": b"2"}, zipfile.ZIP_STORED, streamed=False))
    struct.pack_into("<2H", content, len(content) - 22 + 8, 1, 1)
    assert "declares 1 members and lists 2" in refusal(bytes(content))


def test_a_row_without_its_signature_is_damaged(forge):
    content = bytearray(pack({"a": b"1"}, zipfile.ZIP_STORED, streamed=False))
    content[forge.row(content, 0)] = 0
    assert "row 1 of its table of members is not one" in refusal(bytes(content))


def test_a_row_longer_than_the_table_is_damaged(forge):
    content = bytearray(pack({"a": b"1"}, zipfile.ZIP_STORED, streamed=False))
    struct.pack_into("<H", content, forge.row(content, 0) + 28, 5000)
    assert "row 1 of its table of members is cut off" in refusal(bytes(content))


def test_missing_zip64_sizes_are_damage(forge):
    content = bytearray(pack({"a": b"1"}, zipfile.ZIP_STORED, streamed=False))
    struct.pack_into("<L", content, forge.row(content, 0) + 24, 0xFFFFFFFF)
    assert "lacks its zip64 sizes" in refusal(bytes(content))


def test_only_values_that_say_so_are_taken_from_the_zip64_field():
    extra = struct.pack("<2HH", 0x5455, 2, 7) + struct.pack("<2HQ", 1, 8, 2**40)
    assert widen(extra, (5, 0xFFFFFFFF, 9)) == (5, 2**40, 9)
    assert widen(extra, (5, 6, 9)) == (5, 6, 9)
    assert widen(extra, (0xFFFFFFFF, 0xFFFFFFFF, 9)) is None
    assert widen(b"", (5, 0xFFFFFFFF, 9)) is None


def test_a_zip64_member_is_read():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(b"12345")
    directory = read_directory(file, "team.zip", DEFAULT_LIMITS)
    assert directory.entries[0].n_bytes == 5
