"""What a process gives up: each layer by itself, so that none stands in for another."""

import os
import socket
import subprocess
import sys

import pytest

from raim import sandbox
from raim.sandbox import NAMES, describe, missing_after, probe

MISSING = probe()


def needs(layer):
    return pytest.mark.skipif(
        layer in MISSING, reason=f"this machine has no {NAMES[layer]}: {MISSING.get(layer)}"
    )


def run(code):
    """Run code in a process of its own, in which `refused` says why a call was refused."""
    begin = (
        "import os, socket, threading\n"
        "from raim.sandbox import *\n"
        "def refused(call, *args):\n"
        "  try: call(*args)\n"
        "  except OSError as error: print(type(error).__name__, error.strerror)\n"
        "  else: print('done')\n"
    )
    command = [sys.executable, "-c", begin + code]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return said.stdout.splitlines()


@needs("network")
def test_a_process_without_network_reaches_not_even_its_own_machine():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        reach = f"refused(socket.create_connection, ('127.0.0.1', {port}), 5)\n"
        assert run(reach + "leave_network()\n" + reach) == ["done", "OSError Network is unreachable"]


@needs("files")
def test_a_process_without_files_opens_makes_and_removes_none(tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("kept")
    code = "give_up_files()\n" + "".join(
        f"refused({call})\n"
        for call in (
            f"open, {str(kept)!r}",
            f"open, {str(kept)!r}, 'w'",
            f"open, {str(tmp_path / 'new')!r}, 'w'",
            f"os.mkdir, {str(tmp_path / 'new')!r}",
            f"os.unlink, {str(kept)!r}",
            f"os.truncate, {str(kept)!r}, 0",
            f"os.listdir, {str(tmp_path)!r}",
            "os.listdir, '/'",
            "open, '/proc/self/environ'",
        )
    )
    assert set(run(code)) == {"PermissionError Permission denied"}
    assert kept.read_text() == "kept"


@needs("calls")
def test_a_process_without_calls_has_no_socket_no_program_and_no_other_process_but_threads():
    code = "give_up_calls()\n" + "".join(
        f"refused({call})\n"
        for call in (
            "socket.socket",
            "socket.socket, socket.AF_UNIX",
            "os.fork",
            "os.execv, '/bin/true', ['true']",
            "os.kill, os.getppid(), 0",
            "os.pidfd_open, os.getppid()",
        )
    )
    assert set(run(code)) == {"PermissionError Operation not permitted"}
    threads = "made = threading.Thread(target=print, args=('thread',)); made.start(); made.join()"
    assert run(f"give_up_calls()\n{threads}") == ["thread"]


def test_what_a_machine_does_not_have_is_reported_with_its_reason(monkeypatch):
    def fail():
        raise OSError(38, os.strerror(38))

    missing = missing_after({"files": fail, "calls": lambda: None})
    assert missing == {"files": "Function not implemented"}
    assert describe(missing) == "network namespace, seccomp filter; no Landlock (Function not implemented)"
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    assert describe(probe()).startswith("limits only; no network namespace (only Linux has it)")
