"""Being known to Vault: logging in, keeping the token alive, and asking one question after another.

hvac blocks, so it runs on a few threads; calls beyond CALLS_MAX are refused at once (R-23).
"""

import asyncio
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import hvac
import hvac.exceptions
import requests
import requests.adapters

import chassis.clock
import chassis.crypto.tls
import chassis.entropy
import chassis.env
import chassis.errors
import chassis.log
from chassis.vault.errors import KeyAccessDenied, KeyServiceUnavailable

THREADS_MAX = 8
CALLS_MAX = 200
CONNECT_S_MAX = 3.0
ANSWER_S_MAX = 10.0
OPEN_S_MAX = 30.0
OPEN_PAUSE_S = 0.2
RETRY_S = 5.0
# The token is renewed after this share of its life, less a random part so that replicas spread out.
RENEWAL_SHARE = 2 / 3
RENEWAL_SPREAD = 0.2
RENEWAL_S_MIN = 1.0
# A renewal that gives less than this share of a fresh token's life means that the token nears its last day.
WORN_SHARE = 0.5

# Source: Kubernetes keeps service account tokens well below this; ids are a few dozen characters.
CREDENTIAL_CHARS_MAX = 16_384
REFUSED = MappingProxyType(
    {
        chassis.env.AppRole: "the key service refuses this role id and secret id",
        chassis.env.ServiceAccount: "the key service refuses this service account's token for this role",
    }
)

Verb = Literal["read", "write_data", "delete"]
Answer = dict[str, Any] | None

_log = chassis.log.get("vault")


class Forbidden(Exception):
    """Vault answered 403: the token has died, or the policy says no."""


class Invalid(Exception):
    """Vault answered 400: the request contradicts what Vault holds."""


@dataclass(frozen=True)
class Lease:
    """How long a token is good from when it was given, and when to renew it on the monotonic clock."""

    life_s: float
    due_at_s: float


class Session:
    """One process's standing with Vault."""

    def __init__(self, config: chassis.env.VaultConfig, clock: chassis.clock.Clock) -> None:
        self._config = config
        self._clock = clock
        self._entropy = chassis.entropy.SystemEntropy()
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="vault")
        self._client = _client(config)
        self._calls = 0
        self._lease: Lease | None = None
        self._logging_in = asyncio.Lock()

    async def open(self) -> None:
        """Log in, waiting for Vault for at most OPEN_S_MAX.

        Raises:
            StartRefused: `key_service_login_refused`, when Vault does not know us as what we say we are.
            KeyServiceUnavailable: Vault was not there in time.
        """
        deadline_s = self._clock.monotonic_s() + OPEN_S_MAX
        while True:
            try:
                await self._log_in(None)
            except (Forbidden, Invalid) as error:
                raise chassis.errors.StartRefused(
                    "key_service_login_refused", REFUSED[type(self._config.login)]
                ) from error
            except KeyServiceUnavailable as error:
                if self._clock.monotonic_s() > deadline_s:
                    raise
                _log.warning("key_service_awaited", error=error)
                await self._clock.sleep(OPEN_PAUSE_S)
            else:
                return

    async def close(self) -> None:
        """Return once no call is under way any more."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        self._client.adapter.close()

    async def run(self) -> None:
        """Keep the token alive for ever."""
        while True:
            lease = self._lease
            assert lease is not None
            await self._clock.sleep(max(lease.due_at_s - self._clock.monotonic_s(), RENEWAL_S_MIN))
            if lease is not self._lease:
                continue
            try:
                await self._renew(lease)
            except (KeyServiceUnavailable, Forbidden, Invalid) as error:
                _log.warning("key_service_token_not_renewed", error=error)
                await self._clock.sleep(RETRY_S)

    async def ask(self, verb: Verb, path: str, data: Mapping[str, Any] | None = None) -> Answer:
        """Return Vault's answer, None when there is none; a token that has died is replaced first.

        Raises:
            Invalid: the request contradicts what Vault holds.
            KeyAccessDenied: the policy says no.
            KeyServiceUnavailable: Vault cannot answer.
        """
        lease = self._lease
        try:
            return await self._send(verb, path, data)
        except Forbidden as error:
            if await self._is_alive(lease):
                raise KeyAccessDenied from error
        try:
            await self._log_in(lease)
        except (Forbidden, Invalid) as error:
            raise KeyServiceUnavailable from error
        try:
            return await self._send(verb, path, data)
        except Forbidden as error:
            raise KeyAccessDenied from error

    async def _is_alive(self, lease: Lease | None) -> bool:
        if lease is not self._lease:
            return False
        try:
            await self._send("read", "auth/token/lookup-self")
        except Forbidden:
            return False
        return True

    async def _log_in(self, dead: Lease | None) -> None:
        """Get a new token, unless somebody else already replaced the dead one."""
        async with self._logging_in:
            if self._lease is not dead:
                return
            try:
                credentials = _credentials(self._config.login)
            except (OSError, UnicodeDecodeError) as error:
                raise KeyServiceUnavailable from error
            answer = await self._send("write_data", f"auth/{self._config.mount}/login", credentials)
            assert answer is not None
            self._begin(answer["auth"])
            _log.info("key_service_logged_in")

    async def _renew(self, lease: Lease) -> None:
        try:
            answer = await self._send("write_data", "auth/token/renew-self", {})
        except Forbidden:
            await self._log_in(lease)
            return
        assert answer is not None
        if answer["auth"]["lease_duration"] < lease.life_s * WORN_SHARE:
            await self._log_in(lease)
        else:
            self._begin(answer["auth"])

    def _begin(self, auth: Mapping[str, Any]) -> None:
        life_s = float(auth["lease_duration"])
        share = RENEWAL_SHARE * self._entropy.uniform(1 - RENEWAL_SPREAD, 1)
        self._client.token = auth["client_token"]
        self._lease = Lease(life_s, self._clock.monotonic_s() + life_s * share)

    async def _send(self, verb: Verb, path: str, data: Mapping[str, Any] | None = None) -> Answer:
        if self._calls >= CALLS_MAX:
            raise KeyServiceUnavailable
        self._calls += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._exchange, verb, path, data)
        finally:
            self._calls -= 1

    def _exchange(self, verb: Verb, path: str, data: Mapping[str, Any] | None) -> Answer:
        """Make one call on one of the threads, and translate what hvac raises."""
        try:
            answer = self._call(verb, path, data)
        except hvac.exceptions.Forbidden as error:
            raise Forbidden from error
        except hvac.exceptions.InvalidRequest as error:
            raise Invalid from error
        except hvac.exceptions.InvalidPath as error:
            if _is_nothing_there(error):
                return None
            raise KeyServiceUnavailable from error
        except (hvac.exceptions.VaultError, requests.RequestException, ValueError, AttributeError) as error:
            # The last is hvac's, of errors that are JSON and no object.
            raise KeyServiceUnavailable from error
        if isinstance(answer, dict):
            return answer
        if isinstance(answer, requests.Response) and answer.status_code == HTTPStatus.NO_CONTENT:
            return None
        # A standby sends elsewhere; that is no answer to what was asked.
        raise KeyServiceUnavailable

    def _call(self, verb: Verb, path: str, data: Mapping[str, Any] | None) -> Any:
        # Not hvac's own `read`, which takes every 404 for an absence, nor `delete`, which tells no answer.
        adapter = self._client.adapter
        match verb:
            case "read":
                return adapter.get(f"/v1/{path}")
            case "delete":
                return adapter.delete(f"/v1/{path}")
            case "write_data":
                return adapter.post(f"/v1/{path}", json=data)


def _credentials(login: chassis.env.AppRole | chassis.env.ServiceAccount) -> dict[str, str]:
    """Return what a log-in shows, read anew each time: Kubernetes and operators replace these files."""
    if isinstance(login, chassis.env.ServiceAccount):
        return {"role": login.role, "jwt": _read(login.token_file)}
    return {"role_id": _read(login.role_id_file), "secret_id": _read(login.secret_id_file)}


def _read(path: Path) -> str:
    with path.open(encoding="ascii") as file:
        return file.read(CREDENTIAL_CHARS_MAX).strip()


def _is_nothing_there(error: hvac.exceptions.InvalidPath) -> bool:
    """Tell a path at which there is nothing from one that nobody knows who could say so.

    Source: Vault answers 404 with an empty list of errors for an absent value, and with its metadata as data
    for a deleted one; "no handler for route", while it is not yet fully up, is an error. Whoever stands in
    front of Vault says 404 in words of their own.
    """
    told = error.json
    if not isinstance(told, dict) or told.get("errors"):
        return False
    return "errors" in told or "data" in told


def _client(config: chassis.env.VaultConfig) -> hvac.Client:
    session = requests.Session()
    # Neither proxies nor passwords from the environment.
    session.trust_env = False
    session.verify = str(config.ca_file)
    session.mount("https://", _Transport(config))
    return hvac.Client(
        url=config.address,
        token="",
        session=session,
        timeout=(CONNECT_S_MAX, ANSWER_S_MAX),
        allow_redirects=False,
        namespace=config.namespace,
    )


class _Transport(requests.adapters.HTTPAdapter):
    """Speaks TLS 1.3 only, and trusts the configured authority only."""

    def __init__(self, config: chassis.env.VaultConfig) -> None:
        self._tls = chassis.crypto.tls.outward_context(config.ca_file)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_3
        super().__init__(pool_maxsize=THREADS_MAX)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **options)
