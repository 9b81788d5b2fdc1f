"""Killing a replica in the middle, and knowing which connections to LWA it held when it died.

It is stopped first (SIGSTOP), so that nothing happens between the look and the end (SIGKILL).

Source: Linux, Documentation/networking/proc_net_tcp.rst: addresses are hexadecimal, in the machine's order of
bytes; the tenth field is the socket's inode, which its owner's file descriptors name.
"""

import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from bench.herd.verdict import Kill

PROC = Path("/proc")
LOCAL, REMOTE, INODE = 1, 2, 9


def kill(replica: str, pid: int, *, amazon_port: int, proc: Path = PROC) -> Kill:
    """End a replica's process as a crash would, and return what it took with it.

    Raises:
        ProcessLookupError: it had ended already.
    """
    os.kill(pid, signal.SIGSTOP)
    clients = frozenset(connections(pid, amazon_port, proc))
    at_s = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    return Kill(replica, at_s, clients)


def connections(pid: int, remote_port: int, proc: Path = PROC) -> Iterator[str]:
    """Yield the local address, as host:port, of each of a process's IPv4 connections to a port."""
    own = set(_inodes(proc / str(pid) / "fd"))
    for line in (proc / str(pid) / "net" / "tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[INODE] in own and _address(fields[REMOTE])[1] == remote_port:
            host, port = _address(fields[LOCAL])
            yield f"{host}:{port}"


def _inodes(folder: Path) -> Iterator[str]:
    for descriptor in folder.iterdir():
        target = str(descriptor.readlink())
        if target.startswith("socket:["):
            yield target.removeprefix("socket:[").removesuffix("]")


def _address(text: str) -> tuple[str, int]:
    host, port = text.split(":")
    return socket.inet_ntoa(struct.pack("=I", int(host, 16))), int(port, 16)
