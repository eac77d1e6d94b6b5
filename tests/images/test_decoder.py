"""Images decoded by a process apart: as here, and whatever one that an image has taken over tries."""

import os
import resource
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import taken_over
from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError, OutOfMemoryError, WorkerDiedError
from raim.images import decoder, encode_image, read_image
from raim.images.decoder import Decoder, read_apart
from raim.sandbox import NAMES, probe

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the decoder is a process apart on Linux only"
)
MISSING = probe() if sys.platform == "linux" else {}
PNG = encode_image(np.arange(48, dtype=np.uint8).reshape(4, 4, 3), ".png")


def needs(*layers):
    """Skip a test where this machine has none of several layers, each of which would hold the attack back."""
    why = ", ".join(f"{NAMES[name]}: {MISSING.get(name)}" for name in layers)
    return pytest.mark.skipif(all(name in MISSING for name in layers), reason=f"this machine has not {why}")


@pytest.fixture(scope="module")
def own():
    made = Decoder()
    yield made
    made.close()


@pytest.fixture(scope="module")
def hostile():
    os.environ["RAIM_DATABASE_URL"] = "postgresql://raim:secret@db/raim"
    made = Decoder((sys.executable, "-P", taken_over.__file__))
    with pytest.raises(ImageError, match=r"^done: None$"):
        made.read(b"#!")
    del os.environ["RAIM_DATABASE_URL"]
    yield made
    made.close()


def is_refused(said):
    """Say whether the kernel refused it: Landlock, the filter or the limit of no open file, which comes first."""
    return "PermissionError" in said or "Too many open files" in said


def obey(hostile, code):
    """Have a taken-over decoder run code, and return what it says; the image after it is read as ever."""
    try:
        with pytest.raises(ImageError) as caught:
            hostile.read(f"#!\n{code}".encode())
        return str(caught.value)
    finally:
        assert np.array_equal(hostile.read(PNG).pixels, read_image(PNG).pixels)


@pytest.mark.parametrize("form", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize(
    ("dtype", "shape"), [("uint8", (37, 23)), ("uint8", (37, 23, 3)), ("uint16", (37, 23, 3))]
)
def test_an_image_is_read_as_here(own, form, dtype, shape):
    if dtype == "uint16" and form in {".jpg", ".webp"}:
        form = ".png"
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype)
    content = encode_image(pixels, form)
    here, apart = read_image(content), own.read(content)
    assert (apart.pixels.dtype, apart.warnings) == (here.pixels.dtype, here.warnings)
    assert np.array_equal(apart.pixels, here.pixels)


def test_a_refusal_says_the_same_as_here(own):
    large = encode_image(np.zeros((9, 9, 3), np.uint8), ".png")
    for content, kind, options in (
        (b"", ImageError, {}),
        (b"no image", ImageError, {}),
        (PNG[:-20], ImageTruncatedError, {}),
        (large, ImageTooLargeError, {"max_pixels": 80}),
    ):
        with pytest.raises(kind) as here:
            read_image(content, **options)
        with pytest.raises(kind) as apart:
            own.read(content, **options)
        assert (type(apart.value), str(apart.value)) == (type(here.value), str(here.value))


def test_a_process_has_one_decoder_that_its_images_share():
    assert np.array_equal(read_apart(PNG).pixels, read_image(PNG).pixels)
    assert decoder._own_decoder() is decoder._own_decoder()


def test_a_taken_over_decoder_opens_no_reference_no_key_no_database_and_no_folder(hostile, tmp_path):
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "0001.png").write_bytes(PNG)
    (tmp_path / "secret.key").write_bytes(b"secret")
    database = tmp_path / "raim.db"
    with sqlite3.connect(database) as made:
        made.execute("CREATE TABLE team (name TEXT)")
    made.close()
    for path in (
        tmp_path / "reference" / "0001.png",
        tmp_path / "secret.key",
        database,
        "/proc/self/environ",
    ):
        assert is_refused(obey(hostile, f"open({str(path)!r}, 'rb')"))
    assert "unable to open database" in obey(
        hostile, f"import sqlite3; sqlite3.connect({str(database)!r}).execute('PRAGMA user_version')"
    )
    assert is_refused(obey(hostile, f"import os; os.listdir({str(tmp_path)!r})"))
    assert is_refused(obey(hostile, f"open('/proc/{os.getpid()}/environ', 'rb')"))


def test_a_taken_over_decoder_knows_no_setting_and_has_nothing_open_but_its_answer(hostile):
    said = obey(hostile, "import os; result = sorted(name for name in os.environ if name.startswith('RAIM'))")
    assert said == "done: []"
    code = "import os\nresult = []\nfor n in range(64):\n  try: os.fstat(n); result.append(n)\n  except OSError: pass"
    assert obey(hostile, code) == f"done: [{decoder.ANSWERS}]"


@needs("files")
def test_a_taken_over_decoder_writes_nothing(hostile, tmp_path):
    for code in (
        f"open({str(tmp_path / 'x')!r}, 'w')",
        f"import os; os.mkdir({str(tmp_path / 'x')!r})",
        f"import os; os.symlink('/etc', {str(tmp_path / 'x')!r})",
        f"import os; os.truncate({taken_over.__file__!r}, 0)",
        f"import os; os.unlink({taken_over.__file__!r})",
    ):
        assert is_refused(obey(hostile, code))
    assert list(tmp_path.iterdir()) == []
    assert Path(taken_over.__file__).stat().st_size


def test_a_taken_over_decoder_connects_nowhere(hostile, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        said = obey(hostile, f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)")
        assert is_refused(said) or "Network is unreachable" in said


@needs("calls")
def test_a_taken_over_decoder_has_no_socket_no_program_and_no_other_process(hostile, tmp_path):
    place = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:  # as PostgreSQL has one, which no namespace hides
        listener.bind(str(place))
        listener.listen()
        said = obey(hostile, f"import socket; socket.socket(socket.AF_UNIX).connect({str(place)!r})")
    assert is_refused(said)
    for code in (
        "import os; os.fork()",
        "import subprocess; subprocess.run(['/bin/true'])",
        "import os; os.execv('/bin/true', ['true'])",
        "import os; os.kill(os.getppid(), 0)",
        f"import os; os.kill({os.getpid()}, 0)",
        f"import os; os.pidfd_open({os.getpid()})",
    ):
        assert is_refused(obey(hostile, code))
    ptrace = f"import ctypes; result = ctypes.CDLL(None).ptrace(16, {os.getpid()}, 0, 0)"
    assert obey(hostile, ptrace) == "done: -1"
    outlive = "import ctypes; result = ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)"  # the process that forked it
    assert obey(hostile, outlive) == "done: -1"


def test_a_taken_over_decoder_has_seconds_of_the_processor_and_writes_no_file(hostile):
    code = "import resource; result = [resource.getrlimit(n)[1] for n in (resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)]"
    assert obey(hostile, code) == f"done: [{decoder.MOST_CPU_S}, 0]"


WRITE = "import os, json, pickle; write = lambda b: os.write(3, b); "
HEADER = '{"shape": [4, 4, 3], "dtype": "uint8"}'


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("write(b'garbage'); os._exit(0)", id="no JSON"),
        pytest.param("write(pickle.dumps(print)); os._exit(0)", id="a pickle"),
        pytest.param("os._exit(0)", id="nothing"),
        pytest.param("os.close(3); import time; time.sleep(60)", id="nothing, without an end"),
        pytest.param(f"write(b'{HEADER}' + bytes(10) + bytes([48])); os._exit(0)", id="no line"),
        pytest.param(f"write(b'{HEADER}\\n' + bytes(47)); os._exit(0)", id="too few pixels"),
        pytest.param(f"write(b'{HEADER}\\n' + bytes(49)); os._exit(0)", id="too many pixels"),
        pytest.param("write(b'{\"shape\": [-4, 4, 3]}\\n'); os._exit(0)", id="no size"),
        pytest.param("write(b'{\"shape\": [2, 2, 2]}\\n' + bytes(8)); os._exit(0)", id="no channels"),
        pytest.param("write(b'{\"shape\": [1000000, 1000000, 3]}\\n'); os._exit(0)", id="too large"),
        pytest.param(
            'write(b\'{"shape": [1, 1], "dtype": "object"}\\n\' + bytes(8)); os._exit(0)', id="objects"
        ),
        pytest.param('write(b\'{"shape": [1, 1], "path": "/etc"}\\n\' + bytes(1)); os._exit(0)', id="more"),
        pytest.param(
            "write(b'{\"warnings\": [' + b'\"x\",' * 99 + b'\"x\"]}\\n'); os._exit(0)", id="many words"
        ),
        pytest.param("[write(bytes(2**16)) for _ in range(10**6)]", id="a flood"),
        pytest.param("import ctypes; ctypes.string_at(0)", id="a crash"),
        pytest.param("os.abort()", id="an abort"),
    ],
)
def test_an_answer_that_is_no_image_is_refused_and_the_next_image_is_right(hostile, answer):
    with pytest.raises(WorkerDiedError, match=r"^its decoder "):
        hostile.read(f"#!\n{WRITE}{answer}".encode(), max_pixels=1000)
    assert np.array_equal(hostile.read(PNG).pixels, read_image(PNG).pixels)


def test_what_it_says_is_shown_without_control_characters_and_not_at_any_length(hostile):
    said = obey(hostile, "result = chr(27) + '[31m' + chr(0) + 'x' * 10**6")
    assert len(said) <= decoder.LONGEST_TEXT
    assert said.isprintable()


def test_an_image_beyond_the_memory_of_its_process_is_reported_as_such():
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (2**32, before[1]))  # which the decoder has from here
    small = Decoder((sys.executable, "-P", taken_over.__file__))
    try:
        small.read(PNG)
        with pytest.raises(OutOfMemoryError):
            small.read(b"#!\nbytearray(2**33)")
    finally:
        small.close()
        resource.setrlimit(resource.RLIMIT_DATA, before)


def test_a_decoder_ends_with_the_process_that_asked_it(tmp_path):
    code = (
        "from raim.images import decoder; import numpy as np, os\n"
        "from raim.images import encode_image\n"
        "made = decoder.Decoder(); made.read(encode_image(np.zeros((4, 4), np.uint8), '.png'))\n"
        "print(made._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    number = int(said.stdout)
    for _ in range(200):
        if not Path(f"/proc/{number}").exists() or "Z" in Path(f"/proc/{number}/stat").read_text().split()[2]:
            return
        threading.Event().wait(0.05)
    pytest.fail("it lives on")
