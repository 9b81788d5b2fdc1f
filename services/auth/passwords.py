"""Hashing passwords, and the codes of authenticator apps.

Hashing takes tens of milliseconds of a whole core and much memory, on purpose: it runs in threads of its
own, WORKERS at a time, with a bounded line before them (R-23), so that it never holds up anything else.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import argon2
import argon2.exceptions

import chassis.clock
import chassis.crypto.otp
from chassis.secrecy import Secret
from services.auth.model.people_refusals import SignInBusy

# Source: RFC 9106, 4, second recommended option: 64 MiB, 3 passes, 4 lanes, 16 bytes of salt, 32 of hash.
PASSES = 3
MEMORY_KIB = 64 * 1024
LANES = 4
SALT_BYTES = 16
HASH_BYTES = 32
# 128 MiB at most.
WORKERS = 2
# At 50 to 100 ms each, the last in line is served within about a second.
LINE_MAX = 20
BUSY_RETRY_S = 2.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """How much work one hash is.

    Attributes:
        memory_kib: memory, in KiB.
    """

    passes: int = PASSES
    memory_kib: int = MEMORY_KIB
    lanes: int = LANES


class Hasher:
    """Argon2id over passwords, with its parameters in each hash."""

    def __init__(self, cost: Cost = Cost()) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=cost.passes,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            hash_len=HASH_BYTES,
            salt_len=SALT_BYTES,
            type=argon2.Type.ID,
        )
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="passwords")
        self._waiting = 0

    async def hash(self, password: Secret[str]) -> Secret[str]:
        """Return a password's hash, salted anew.

        Raises:
            SignInBusy: LINE_MAX others wait.
        """
        return Secret(await self._run(lambda: self._argon2.hash(password.reveal())))

    async def verify(self, hashed: Secret[str], password: Secret[str]) -> bool:
        """Return whether a password is the one of a hash.

        Raises:
            SignInBusy: LINE_MAX others wait.
        """
        return await self._run(lambda: self._is_of(hashed, password))

    def is_outdated(self, hashed: Secret[str]) -> bool:
        """Return whether a hash was made with less work than is asked for now."""
        return self._argon2.check_needs_rehash(hashed.reveal())

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _is_of(self, hashed: Secret[str], password: Secret[str]) -> bool:
        try:
            return self._argon2.verify(hashed.reveal(), password.reveal())
        except argon2.exceptions.VerifyMismatchError:
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WORKERS + LINE_MAX:
            raise SignInBusy(retry_after_s=BUSY_RETRY_S)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


class AuthenticatorApps:
    """The one-time codes of people's authenticator apps, which go by the real time of day."""

    def __init__(self, clock: chassis.clock.Clock, issuer: str) -> None:
        self._clock = clock
        self._issuer = issuer

    def uri(self, secret: Secret[bytes], account: str) -> Secret[str]:
        """Return a secret as authenticator apps take it, for somebody whom the app shows as `account`."""
        return chassis.crypto.otp.uri(secret, account=account, issuer=self._issuer)

    def step(self, secret: Secret[bytes], code: Secret[str]) -> int | None:
        """Return the step whose code this is, one of the present ones; None when it is none of theirs."""
        return chassis.crypto.otp.match(secret, code.reveal(), self._clock.now().timestamp())
