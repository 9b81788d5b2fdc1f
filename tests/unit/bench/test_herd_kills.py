"""Which connections a process holds, read as Linux shows them."""

from pathlib import Path

import pytest

from bench.herd.kills import connections

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = "   0: {local} {remote} 01 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0 20 4 30\n"
LOOPBACK = "0100007F"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A process with sockets 11, 12 and 13, beside another's socket 14."""
    descriptors, net = tmp_path / "7" / "fd", tmp_path / "7" / "net"
    descriptors.mkdir(parents=True)
    net.mkdir()
    for number, target in enumerate(("/dev/null", "socket:[11]", "socket:[12]", "socket:[13]", "pipe:[14]")):
        (descriptors / str(number)).symlink_to(target)
    rows = ((0x9C40, 0x2104, 11), (0x9C41, 0x2104, 12), (0x9C42, 0x1538, 13), (0x9C43, 0x2104, 14))
    table = [
        ROW.format(local=f"{LOOPBACK}:{local:04X}", remote=f"{LOOPBACK}:{remote:04X}", inode=inode)
        for local, remote, inode in rows
    ]
    (net / "tcp").write_text(HEAD + "".join(table))
    return tmp_path


def test_a_processs_own_connections_to_a_port_are_found(proc: Path) -> None:
    assert set(connections(7, 0x2104, proc)) == {"127.0.0.1:40000", "127.0.0.1:40001"}
    assert list(connections(7, 80, proc)) == []
