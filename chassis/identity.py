"""A process's certificate, kept fresh: asked for at start, renewed at two thirds of its life, no restart.

- Whoever shows the certificate asks `current` at every handshake; whoever holds connections made with the
  old one registers with `on_change` and lets them go.
- While renewal fails the old certificate stays in use, the attempts go on, and from a quarter of its life
  before the end each failure is an error in the log (R-15).
- Certificates live in real time: the clock given here is the machine's, never a shifted one.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import chassis.clock
import chassis.crypto.tls
import chassis.log

# The wall clock is looked at this often, so that a jump or a machine's sleep does not outlast a certificate.
LOOK_S = 30.0
RETRY_S_MIN = 1.0
RETRY_S_MAX = 60.0
ALARM_SHARE = 0.25

_log = chassis.log.get("identity")


class Keeper:
    """Holds the current certificate of this process."""

    def __init__(
        self,
        issue: Callable[[], Awaitable[chassis.crypto.tls.Certificate]],
        clock: chassis.clock.Clock,
    ) -> None:
        """Take where certificates come from, e.g. `Vault.issue_certificate`, and the machine's clock."""
        self._issue = issue
        self._clock = clock
        self._current: chassis.crypto.tls.Certificate | None = None
        self._callbacks: list[Callable[[], Awaitable[None]]] = []

    @property
    def current(self) -> chassis.crypto.tls.Certificate:
        """The certificate to show now; a new object after each renewal."""
        if self._current is None:
            raise RuntimeError("the keeper has not been started")
        return self._current

    def on_change(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have `callback` called after each renewal, when `current` is already the new one."""
        self._callbacks.append(callback)

    async def start(self) -> None:
        """Return once there is a certificate.

        Raises:
            Unavailable: whoever issues cannot.
        """
        self._current = await self._issue()

    async def renew(self) -> None:
        """Ask for a new certificate now, whatever is left of the old one.

        Raises:
            Unavailable: whoever issues cannot; the old one stays.
        """
        self._current = await self._issue()
        _log.info("certificate_renewed", expires_at=self._current.not_after)
        for callback in self._callbacks:
            await callback()

    async def run(self) -> None:
        """Renew for ever."""
        retry_s = RETRY_S_MIN
        while True:
            await self._wait_until_due()
            try:
                await self.renew()
            except Exception as error:  # noqa: BLE001 - whatever it is, the old certificate serves on and the next try may do
                self._complain(error)
                await self._clock.sleep(retry_s)
                retry_s = min(retry_s * 2, RETRY_S_MAX)
            else:
                retry_s = RETRY_S_MIN
                # Even a certificate that is born overdue is not replaced more often than this.
                await self._clock.sleep(LOOK_S)

    async def _wait_until_due(self) -> None:
        due = chassis.crypto.tls.renew_at(self.current)
        while (left_s := (due - self._clock.now()).total_seconds()) > 0:
            await self._clock.sleep(min(left_s, LOOK_S))

    def _complain(self, error: Exception) -> None:
        life: timedelta = self.current.not_after - self.current.not_before
        is_late = self._clock.now() >= self.current.not_after - life * ALARM_SHARE
        level = "error" if is_late else "warning"
        _log.at(level, "certificate_renewal_failed", error=error, expires_at=self.current.not_after)
