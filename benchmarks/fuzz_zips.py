"""Spoiled zips through `check_submission`: what it calls fine is what two independent readings find, and nothing else.

A case is one submission of three images: bytes flipped, cut, filled or inserted, fields of its headers set to lies,
members written twice, names of any kind and encoding, bombs, and zips as honest programs make them. A zip that is
called fine must give the very images to Python's `zipfile` and to a reading from front to back that looks at no table;
an honest one must be called fine. Each check has bounded time and memory.
"""

import io
import random
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fuzz import Outcome
from raim.images import write_image
from raim.scoring.submission import PROBLEMS, check_submission, open_images

STEMS = ("a", "été", "图像")
IMAGES = tuple(f"{stem}.png" for stem in STEMS)
README = "runtime per image [s] : 1\nCPU[1] / GPU[0] : 0\nExtra Data [1] / No Extra Data [0] : 1\nOther description : x"
MOST_BYTES = 64 * 2**20
MOST_S = 20.0  # a hang, not a slow machine
Spoil = Callable[[random.Random, dict[str, bytes]], bytes]
Readings = dict[str, bytes]


def run_cases(n: int, seed: int, folder: Path) -> Iterator[Outcome]:
    """Run n cases; the zips with a fault stay in the folder."""
    files = _make_files(folder / "inputs")
    inputs = open_images(folder / "inputs")
    tracemalloc.start()
    for place in range(n):
        rng = random.Random(f"{seed}-{place}")  # noqa: S311 - no secret
        words = rng.choice(list(SPOILERS))
        path = folder / f"{place}.zip"
        content = SPOILERS[words](rng, dict(files))
        path.write_bytes(content)
        tracemalloc.reset_peak()
        begun, before = time.monotonic(), tracemalloc.get_traced_memory()[0]
        try:
            report = check_submission(path, inputs)
            codes = [each.code for each in report.problems]
            fault = _find_fault(words, content, files, codes)
        except Exception as error:  # noqa: BLE001 - none may come
            codes, fault = ["ended"], f"{type(error).__name__}: {error}"
        if time.monotonic() - begun > MOST_S or tracemalloc.get_traced_memory()[1] - before > MOST_BYTES:
            fault = "it took too long or too much memory"
        if not fault:
            path.unlink()
        yield Outcome(
            words=f"{words}: {codes[0] if codes else 'fine'}", fault=fault and f"{path} ({words}): {fault}"
        )
    tracemalloc.stop()


def _make_files(folder: Path) -> Readings:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    for stem in STEMS:
        write_image(folder / f"{stem}.png", rng.integers(0, 256, (12, 16, 3), np.uint8))
    return {
        **{f"{stem}.png": (folder / f"{stem}.png").read_bytes() for stem in STEMS},
        "readme.txt": README.encode(),
    }


def _find_fault(words: str, content: bytes, files: Readings, codes: list[str]) -> str:
    if not set(codes) <= PROBLEMS.keys():
        return f"unknown codes: {codes}"
    if words in HONEST:
        return f"it is honest, but: {codes}" if codes else ""
    if codes:
        return ""
    for read in (_read_by_table, _read_from_front):
        try:
            found = read(content)
        except Exception as error:  # noqa: BLE001 - whatever a reader may raise
            return f"called fine, but {read.__name__}: {type(error).__name__}: {error}"
        unreadable = [data for name, data in found.items() if "\N{REPLACEMENT CHARACTER}" in name]
        wrong = [
            name
            for name, whole in files.items()
            if name in IMAGES and whole not in (found.get(name), *unreadable)
        ]
        if wrong:
            return f"called fine, but {read.__name__} gives another {wrong}"
    return ""


def _read_by_table(content: bytes) -> Readings:
    found = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            raw = info.orig_filename.encode("utf-8" if info.flag_bits & 0x0800 else "cp437")
            with archive.open(info) as member:
                found[_base_name(raw)] = member.read()
    return found


def _base_name(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace").rpartition("/")[2]


def _read_from_front(content: bytes) -> Readings:
    """Read member after member as a program does that is sent the zip through a pipe."""
    found, at = {}, 0
    while content.startswith(b"PK\x03\x04", at):
        _, _, flags, method, _, _, crc, packed, size, n_name, n_extra = struct.unpack_from(
            "<4s5H3L2H", content, at
        )
        name = _base_name(content[at + 30 : at + 30 + n_name])
        follows = flags & 8 and not crc  # what the header leaves open stands behind the data
        at += 30 + n_name + n_extra
        if size == packed == 0xFFFFFFFF:
            size, packed = struct.unpack_from("<2Q", content, at - n_extra + 4)
        if method == zipfile.ZIP_DEFLATED:
            inflater = zlib.decompressobj(-15)
            data = inflater.decompress(content[at:], 10**6)
            at = len(content) - len(inflater.unused_data)
        else:
            packed = content.index(b"PK\x07\x08", at) - at if follows else packed
            data, at = content[at : at + packed], at + packed
        if follows:
            crc, _, size = struct.unpack_from("<3L", content, at + 4)
            at += 16 if size == len(data) else 24
            size = len(data)
        if (zlib.crc32(data), len(data)) != (crc, size):
            raise ValueError(f"{name} is not what its header says")
        found[name] = data
    return found


# --- how it is spoiled ------------------------------------------------------------------------------------------------


class _Pipe(io.RawIOBase):
    """A file that cannot seek, so that zipfile writes sizes after the data."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        self.content += bytes(data)
        return len(data)


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def _pack(
    rng: random.Random,
    files: Readings,
    *,
    methods: tuple[int, ...] = METHODS,
    streamed: bool = False,
    wide: bool = False,
) -> bytes:
    file = _Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = rng.choice(methods)
            with archive.open(info, "w", force_zip64=wide) as member:
                member.write(data)
    return bytes(file.content) if isinstance(file, _Pipe) else file.getvalue()


def _pack_odd(rng: random.Random, files: Readings) -> bytes:
    return _pack(rng, files, streamed=rng.random() < 0.3, wide=rng.random() < 0.3)


def _flip(rng: random.Random, files: Readings) -> bytes:
    content = bytearray(_pack_odd(rng, files))
    for _ in range(rng.randint(1, 6)):
        content[rng.randrange(len(content))] = rng.choice([0, 0xFF, rng.randrange(256)])
    return bytes(content)


def _flip_table(rng: random.Random, files: Readings) -> bytes:
    content = bytearray(_pack_odd(rng, files))
    start = content.index(b"PK\x01\x02")
    for _ in range(rng.randint(1, 4)):
        content[rng.randrange(start, len(content))] = rng.choice([0, 0xFF, rng.randrange(256)])
    return bytes(content)


def _lie(rng: random.Random, files: Readings) -> bytes:
    """Set one field of a header to another value, in the table, in the member's own header or in both."""
    content = bytearray(_pack_odd(rng, files))
    rows = [at for at in range(len(content)) if content.startswith(b"PK\x01\x02", at)]
    row = rng.choice(rows)
    header = struct.unpack_from("<L", content, row + 42)[0]
    own, table, size = rng.choice(FIELDS)
    value = rng.choice([0, 1, 8, 99, 0xFFFF, 0xFFFFFFFF, rng.randrange(2**31)]).to_bytes(8, "little")[:size]
    if rng.random() < 0.7:
        content[row + table : row + table + size] = value
    if own is not None and rng.random() < 0.7 and header < len(content) - 30:
        content[header + own : header + own + size] = value
    return bytes(content)


def _insert(rng: random.Random, files: Readings) -> bytes:
    content = _pack_odd(rng, files)
    at = rng.choice([0, len(content), rng.randrange(len(content))])
    return (
        content[:at] + rng.choice([b"\0", b"PK\5\6", content[:40], content[-22:], bytes(99)]) + content[at:]
    )


def _rename(rng: random.Random, files: Readings) -> bytes:
    old = rng.choice(list(files))
    name = rng.choice(NAMES).replace("*", old)
    return _pack(rng, {name if each == old else each: data for each, data in files.items()})


def _encode(rng: random.Random, files: Readings) -> bytes:
    """Store a name in an old encoding, without or with a Unicode path, which may be false."""
    name, encoding = rng.choice(
        [("été.png", "cp437"), ("été.png", "cp1252"), ("图像.png", "gbk"), ("图像.png", "utf-8")]
    )
    raw = name.encode(encoding)
    true = rng.choice([name, name, "../x.png", "b.png", ""]).encode()
    path = b"\1" + struct.pack("<L", zlib.crc32(raw) ^ rng.choice([0, 0, 1])) + true
    extra = struct.pack("<2H", 0x7075, len(path)) + path if rng.random() < 0.6 else b""
    body, table = b"", b""
    for each, data in files.items():
        stored, field = (raw, extra) if each == name else (each.encode(), b"")
        flags = 0 if each == name else 0x0800
        fields = (20, flags, 0, 0, 33, zlib.crc32(data), len(data), len(data), len(stored), len(field))
        table += struct.pack("<4sH5H3L2H3H2L", b"PK\1\2", 20, *fields, 0, 0, 0, 0, len(body)) + stored + field
        body += struct.pack("<4s5H3L2H", b"PK\3\4", *fields) + stored + field + data
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(files), len(files), len(table), len(body), 0)
    return body + table + end


def _twice(rng: random.Random, files: Readings) -> bytes:
    """Join two zips, or lead two rows to one member."""
    content = _pack(rng, files)
    other = _pack(rng, {name: data[::-1] for name, data in files.items()})
    if rng.random() < 0.5:
        return content + other
    changed = bytearray(content)
    rows = [at for at in range(len(changed)) if changed.startswith(b"PK\x01\x02", at)]
    one, another = rng.sample(rows, 2)
    changed[one + 42 : one + 46] = changed[another + 42 : another + 46]
    return bytes(changed)


def _bomb(rng: random.Random, files: Readings) -> bytes:
    files[rng.choice(list(files))] = bytes(rng.choice([10**6, 3 * 10**6, 3 * 10**7]))
    content = bytearray(_pack(rng, files, methods=(zipfile.ZIP_DEFLATED,)))
    if rng.random() < 0.5:  # its size is a lie, too
        for at in [at for at in range(len(content) - 30) if content.startswith((b"PK\1\2", b"PK\3\4"), at)]:
            size = at + (24 if content.startswith(b"PK\1\2", at) else 22)
            content[size : size + 4] = struct.pack(
                "<L", min(1000, struct.unpack_from("<L", content, size)[0])
            )
    return bytes(content)


def _add_junk(rng: random.Random, files: Readings) -> bytes:
    junk = dict.fromkeys(rng.sample(JUNK, rng.randint(1, 4)), b"x")
    return _pack(rng, {**junk, **files})


# Fields of a member's own header and of its row of the table, with their size in bytes: flags, method, checksum, sizes,
# lengths of name and extra fields, attributes, offset.
FIELDS = (
    (6, 8, 2), (8, 10, 2), (14, 16, 4), (18, 20, 4), (22, 24, 4), (26, 28, 2), (28, 30, 2),
    (None, 38, 4), (None, 42, 4),
)  # fmt: skip
NAMES = (
    "../*", "/*", "C:\\*", "x/*", "x/../*", "*\n", "*.exe", "\u202e*", "A.PNG", "*/", "", ".", "*" * 60, "con.png",
    "__MACOSX/*", "*.zip", "a.webp",
)  # fmt: skip
JUNK = (
    "__MACOSX/._a.png", ".DS_Store", "Thumbs.db", "desktop.ini", "@eaDir/a.png/T.jpg", ".ipynb_checkpoints/a.png",
    "~$a.docx", ".directory", "._a.png", "Icon\r",
)  # fmt: skip
SPOILERS: dict[str, Spoil] = {
    "honest": _pack,
    "honest, streamed": lambda rng, files: _pack(rng, files, streamed=True),
    "honest, zip64": lambda rng, files: _pack(rng, files, wide=True),
    "honest, in a folder": lambda rng, files: _pack(
        rng, {f"team/{name}": data for name, data in files.items()}
    ),
    "honest, with junk": _add_junk,
    "bytes": _flip,
    "bytes of the table": _flip_table,
    "a lie": _lie,
    "cut off": lambda rng, files: (content := _pack_odd(rng, files))[: rng.randrange(len(content))],
    "inserted": _insert,
    "another name": _rename,
    "another encoding": _encode,
    "twice": _twice,
    "a bomb": _bomb,
}
HONEST = tuple(words for words in SPOILERS if words.startswith("honest"))
