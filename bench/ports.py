"""Loopback ports that nobody listens on."""

import socket

from sallyport.layout import LOOPBACK

BASE_PORTS = range(30_000, 32_000, 20)


def free_base_port() -> int:
    """Return the first of as many free ports in a row as a layout takes."""
    for base_port in BASE_PORTS:
        if all(_is_free(port) for port in range(base_port, base_port + BASE_PORTS.step)):
            return base_port
    raise RuntimeError("no free ports in a row")


def free_port() -> int:
    """Return one port, chosen by the system."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0
