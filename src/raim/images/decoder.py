"""Images of unknown origin, decoded by a process that may do nothing else: who abuses a faulty decoder gets nowhere.

    bytes -> decoder process -> a fork of it for each image, in the sandbox -> header as JSON, pixels -> checked here

The process has no setting in its environment and no network (`raim.sandbox`). For each image it makes a fork, which
gives up files and calls before it looks at a byte, and is killed after its answer: whoever takes over one image never
sees another. It is given the image alone. Its answer is JSON, then as many bytes as that says, and is checked like
the file.

Elsewhere than on Linux images are read here, as `read_image` does.
"""

import atexit
import codecs
import contextlib
import functools
import itertools
import json
import os
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from typing import IO, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from raim.errors import (
    ImageError,
    ImageTooLargeError,
    ImageTruncatedError,
    OutOfMemoryError,
    RaimError,
    UnexpectedError,
    WorkerDiedError,
    item_error,
    shown,
)
from raim.images.picture import MAX_PIXELS, Picture, Purpose, ReadImage
from raim.images.reading import read_image
from raim.images.writing import encode_image
from raim.processes import THREAD_VARIABLES
from raim.sandbox import end_with_parent, give_up_calls, give_up_files, leave_network, missing_after

HEADER_BYTES = 65_536  # of an answer
LONGEST_TEXT, MOST_WARNINGS = 2000, 20
CHUNK_BYTES = 2**20
LENGTH = struct.Struct("<q")  # of what follows; for an answer's last chunk 0, then how its process ended
MOST_CPU_S = 300  # for one image
ANSWERS = 3  # the one file that a fork has open
NEEDED = frozenset({"LD_LIBRARY_PATH", *THREAD_VARIABLES})  # of the environment
FORMS = (".png", ".jpg", ".tif", ".webp")
# What an answer's error is here; whatever else failed there is a fault.
ERRORS: dict[str, type[RaimError]] = {
    "truncated": ImageTruncatedError,
    "too large": ImageTooLargeError,
    "image": ImageError,
    "memory": OutOfMemoryError,
    "fault": UnexpectedError,
}


class Answer(BaseModel, frozen=True, extra="forbid"):
    """The header of an answer: the pixels' shape and type with the reader's warnings, or an error."""

    error: Literal["", "truncated", "too large", "image", "memory", "fault"] = ""
    message: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    shape: Annotated[list[Annotated[int, Field(gt=0)]], Field(max_length=3)] = []
    dtype: Literal["uint8", "uint16"] = "uint8"
    warnings: Annotated[
        list[Annotated[str, Field(max_length=LONGEST_TEXT)]], Field(max_length=MOST_WARNINGS)
    ] = []


@dataclass(slots=True)
class Decoder:
    """A process that decodes; it is started at the first image, and again after one over which it died."""

    command: tuple[str, ...] = (sys.executable, "-P", "-m", __name__)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def read(self, content: bytes, *, purpose: Purpose = "score", max_pixels: int = MAX_PIXELS) -> Picture:
        """Read an image as `read_image` does; of a picture only pixels and warnings come."""
        request = json.dumps({"purpose": purpose, "max_pixels": max_pixels}).encode()
        process = self._started()
        assert process.stdin is not None  # noqa: S101 - pipes
        assert process.stdout is not None  # noqa: S101
        try:
            for part in (request, content):
                process.stdin.write(LENGTH.pack(len(part)) + part)
            process.stdin.flush()
            answer, status = _receive(process.stdout, HEADER_BYTES + 6 * max_pixels)
        except (OSError, EOFError) as error:
            self.close()
            raise WorkerDiedError("its decoder ended, most likely for want of memory") from error
        return _parse(answer, max_pixels, status)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pipesize=CHUNK_BYTES,
                env={
                    name: text for name, text in os.environ.items() if name in NEEDED
                }  # no setting, no secret
                | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                cwd="/",
            )
        return self._process


@functools.cache
def _own_decoder() -> Decoder:
    made = Decoder()
    atexit.register(made.close)
    return made


def read_apart(content: bytes, *, purpose: Purpose = "score", max_pixels: int = MAX_PIXELS) -> Picture:
    """Read an image of unknown origin by this process's decoder.

    Raises:
        ImageError: As `read_image`.
        OutOfMemoryError: It needs more memory than it may use.
        WorkerDiedError: Its process ended over it, or answered with something else than an image.
    """
    read: ReadImage = _own_decoder().read if sys.platform == "linux" else read_image
    return read(content, purpose=purpose, max_pixels=max_pixels)


def _receive(stream: IO[bytes], most: int) -> tuple[bytearray, int]:
    """Receive an answer and how its process ended."""
    gathered = bytearray()
    while length := LENGTH.unpack(_take(stream, LENGTH.size))[0]:
        gathered += _take(stream, length)
        if len(gathered) > most:
            raise EOFError
    return gathered, LENGTH.unpack(_take(stream, LENGTH.size))[0]


def _take(stream: IO[bytes], n_bytes: int) -> bytes:
    content = stream.read(n_bytes)
    if len(content) < n_bytes:
        raise EOFError
    return content


def _parse(content: bytearray, max_pixels: int, status: int) -> Picture:
    """Check an answer, which may hold anything; where it is none, say how its process ended."""
    strange = WorkerDiedError(f"its decoder {_say_end(status)}")
    end = content.find(b"\n", 0, HEADER_BYTES)
    try:
        answer = Answer.model_validate_json(bytes(content[: max(end, 0)]))
    except ValidationError as error:
        raise strange from error
    if answer.error:
        raise ERRORS[answer.error](shown(answer.message, longest=LONGEST_TEXT))
    shape, pixels = tuple(answer.shape), memoryview(content)[end + 1 :]
    is_image = len(shape) in {2, 3} and shape[2:] in {(), (3,)} and shape[0] * shape[1] <= max_pixels
    if not is_image or len(pixels) != int(np.prod(shape)) * np.dtype(answer.dtype).itemsize:
        raise strange
    found = np.frombuffer(pixels, np.dtype(answer.dtype)).reshape(shape)
    return Picture(
        pixels=found, warnings=tuple(shown(text, longest=LONGEST_TEXT) for text in answer.warnings)
    )


def _say_end(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended by itself (exit code {code})"
    if code == -signal.SIGKILL:  # by the kernel, or by us after an answer that is none
        return "answered with something else than an image, or was killed for want of memory"
    return f"was ended by {signal.Signals(-code).name}"


def serve() -> None:
    """Decode what comes by standard input, in a process of its own, until there is no more."""
    end_with_parent()
    missing_after({"network": leave_network})
    _load_decoders()
    stream, answers = sys.stdin.buffer, sys.stdout.buffer
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            request, content = (_take(stream, LENGTH.unpack(_take(stream, LENGTH.size))[0]) for _ in range(2))
            status = _pass_on(answers, json.loads(request), content)
            answers.write(LENGTH.pack(0) + LENGTH.pack(status))
            answers.flush()


def _pass_on(answers: IO[bytes], request: dict[str, Any], content: bytes) -> int:
    """Have a fork decode, pass its answer on, end it, and return its status."""
    import fcntl

    read_end, write_end = os.pipe()
    with contextlib.suppress(OSError):  # more than the system grants
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)
    child = os.fork()
    if child == 0:
        try:
            _work(write_end, request, content)
        finally:
            os._exit(1)
    os.close(write_end)
    sent = 0
    with os.fdopen(read_end, "rb", buffering=0) as pipe:
        while (part := pipe.read(CHUNK_BYTES)) and sent <= HEADER_BYTES + 6 * request["max_pixels"]:
            answers.write(LENGTH.pack(len(part)) + part)
            sent += len(part)
    os.kill(child, signal.SIGKILL)  # it has not been waited for, so this is no other process
    return os.waitpid(child, 0)[1]


def _work(pipe: int, request: dict[str, Any], content: bytes) -> None:
    """Decode one image in the sandbox and answer; the process has this pipe and nothing else."""
    import resource

    end_with_parent()
    os.dup2(pipe, ANSWERS)
    os.closerange(0, ANSWERS)
    os.closerange(ANSWERS + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    for limit, wanted in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, MOST_CPU_S),
    ):
        granted = resource.getrlimit(limit)[1]
        most = wanted if granted == resource.RLIM_INFINITY else min(wanted, granted)
        resource.setrlimit(limit, (most, most))
    missing_after({"files": give_up_files, "calls": give_up_calls})
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    answer, pixels = _decode(request, content)
    for part in (memoryview(answer.model_dump_json().encode() + b"\n"), pixels):
        left = part
        while left:
            left = left[os.write(ANSWERS, left) :]
    os._exit(0)


def _decode(request: dict[str, Any], content: bytes) -> tuple[Answer, memoryview]:
    try:
        picture = read_image(content, **request)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this image's
        found = item_error(error)
        kind = next(name for name, each in ERRORS.items() if isinstance(found, each) or name == "fault")
        failure = {"error": kind, "message": str(found)[:LONGEST_TEXT]}
        return Answer.model_validate(failure), memoryview(b"")
    pixels = picture.pixels
    warnings = [text[:LONGEST_TEXT] for text in picture.warnings[:MOST_WARNINGS]]
    facts = {"shape": list(pixels.shape), "dtype": pixels.dtype.name, "warnings": warnings}
    return Answer.model_validate(facts), pixels.data.cast("B")


def _load_decoders() -> None:
    """Load all that decoding needs, before the files are given up: libraries load parts of themselves at first use."""
    from PIL import Image, ImageCms

    Image.init()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for encoding in ("ascii", "latin-1", "utf-8", "utf-16"):
        codecs.lookup(encoding)
    for form, dtype, shape in itertools.product(FORMS, (np.uint8, np.uint16), ((16, 16), (16, 16, 3))):
        with contextlib.suppress(RaimError):  # a form that has no such pixels
            read_image(encode_image(np.zeros(shape, dtype), form, icc_profile=profile))


if __name__ == "__main__":
    serve()
