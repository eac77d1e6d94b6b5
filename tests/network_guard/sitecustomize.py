"""Cuts a Python process, and those it starts, from the network: anything but this machine itself is unreachable.

Python imports a module of this name at its start where its folder is in PYTHONPATH.
"""

import errno
import ipaddress
import sys

EVENTS = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0}


def refuse_others(event: str, arguments: tuple[object, ...]) -> None:
    """Raise where an address of another machine, or a name, is asked for."""
    if event not in EVENTS:
        return
    address = arguments[EVENTS[event]]
    host = address[0] if isinstance(address, tuple) else address
    if not isinstance(host, str) or host in ("", "localhost") or host.startswith(("/", "\0")):
        return  # a socket of the file system, or this machine
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise OSError(errno.ENETUNREACH, f"the test has no network: {host}")


sys.addaudithook(refuse_others)
