"""The memory that something takes, measured in a process where nothing else takes any."""

import subprocess
import sys

from patience import PATIENCE_S

MEASURED = """
import io, sys, tracemalloc

{needs}

content = sys.stdin.buffer.read()
tracemalloc.start()
try:
    {call}
    said = ""
except Exception as error:
    said = f"{{type(error).__name__}}: {{error}}"
print(tracemalloc.get_traced_memory()[1], said)
"""


def peak_of(call: str, content: bytes, needs: str) -> tuple[int, str]:
    """Give the peak in bytes of a call that is made of `content`, and what it raised."""
    command = [sys.executable, "-c", MEASURED.format(needs=needs, call=call)]
    done = subprocess.run(command, input=content, capture_output=True, check=True, timeout=PATIENCE_S)
    peak, _, said = done.stdout.decode().strip().partition(" ")
    return int(peak), said


def peak_of_reading(content: bytes) -> tuple[int, str]:
    """The same of reading an image."""
    return peak_of("read_image(content)", content, "from raim.images import read_image")
