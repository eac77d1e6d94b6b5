"""Hosts on one machine: network namespaces that reach each other over a bridge, and nothing else reaches them.

Each has an address of 198.18.77.0/24 (RFC 2544: for tests of networks, routed nowhere), its own processes and a cable
that can be cut. The bridge is in a namespace of its own too, so the machine's own network is not touched. What runs on
a host ends with this process.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NETWORK = "198.18.77"
PROGRAMS = ("ip", "setpriv")
PATIENCE_S = 60


class NoHostsError(Exception):
    """Namespaces cannot be made here; the text says why."""


@dataclass(slots=True)
class Hosts:
    """Hosts by name; `logs` has what the programs of each print."""

    prefix: str
    names: tuple[str, ...]
    logs: Path
    running: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)

    def address(self, host: str) -> str:
        """Give the address of a host."""
        return f"{NETWORK}.{self.names.index(host) + 1}"

    def run(
        self, host: str, command: Sequence[str | Path], environment: Mapping[str, str], *, user: str = ""
    ) -> subprocess.Popen[bytes]:
        """Start a program on a host, as another user if one is named."""
        as_user = ["--reuid", user, "--regid", user, "--clear-groups"] if user else []
        inside = ["ip", "netns", "exec", self.prefix + host, "setpriv", *as_user, "--pdeathsig", "KILL", "--"]
        with (self.logs / f"{host}.log").open("ab") as log:
            process = subprocess.Popen(
                [*inside, *map(str, command)],
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.running.setdefault(host, []).append(process)
        return process

    def kill(self, host: str) -> None:
        """Kill everything on a host, with SIGKILL, as the loss of its power would."""
        for _ in range(100):
            found = _ip("netns", "pids", self.prefix + host).split()
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            self._reap(host)
            if not found:
                return

    def stop(self, host: str) -> None:
        """Let the programs of a host end, with SIGTERM."""
        for process in self.running.get(host, []):
            process.terminate()
        self._reap(host)

    def cut(self, host: str) -> None:
        """Cut the cable of a host without notice."""
        self._set_cable(host, "down")

    def repair(self, host: str) -> None:
        """Plug the cable in again."""
        self._set_cable(host, "up")

    def _set_cable(self, host: str, state: str) -> None:
        _ip("-n", f"{self.prefix}switch", "link", "set", f"port{self.names.index(host) + 1}", state)

    def _reap(self, host: str) -> None:
        for process in self.running.pop(host, []):
            process.wait(PATIENCE_S)


@contextlib.contextmanager
def make_hosts(names: Sequence[str], logs: Path) -> Iterator[Hosts]:
    """Make hosts, and end them with all that runs on them.

    Raises:
        NoHostsError: That cannot be done here.
    """
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        raise NoHostsError(
            f"hosts are network namespaces, and these programs are not here: {', '.join(missing)}"
        )
    hosts = Hosts(prefix=f"raim{os.getpid()}-", names=tuple(names), logs=logs)
    try:
        _make(hosts)
        yield hosts
    finally:
        for each in (*hosts.names, "switch"):
            with contextlib.suppress(subprocess.CalledProcessError):
                hosts.kill(each)
                _ip("netns", "delete", hosts.prefix + each)


def _make(hosts: Hosts) -> None:
    switch = f"{hosts.prefix}switch"
    try:
        _ip("netns", "add", switch)
    except subprocess.CalledProcessError as error:
        reason = f"hosts are network namespaces, which cannot be made here ({error.stderr.strip()})"
        raise NoHostsError(f"{reason}; try as root") from error
    _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
    _ip("-n", switch, "link", "set", "bridge", "up")
    for number, name in enumerate(hosts.names, start=1):
        own = hosts.prefix + name
        _ip("netns", "add", own)
        _ip(
            "link",
            "add",
            f"port{number}",
            "netns",
            switch,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            own,
        )
        _ip("-n", switch, "link", "set", f"port{number}", "master", "bridge", "up")
        _ip("-n", own, "address", "add", f"{NETWORK}.{number}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            _ip("-n", own, "link", "set", device, "up")


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=PATIENCE_S)
    return done.stdout
