"""Device grants, revocation, introspection and withheld scopes, as the gateway sees them, in memory."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import chassis.errors
from chassis.secrecy import Secret
from fakes.gateway_auth import FakeAuth
from services.gateway.model.calls import Profile
from services.gateway.model.device_grants import BegunGrant, GrantRequest, WaitingDesktop
from services.gateway.model.inspection import Inspection
from services.gateway.model.native import Approval, DeviceCodeGrant, TokenSet
from services.gateway.model.people import Visit
from services.gateway.model.roles import Right

GRANT_LIFE_S = 600
USER_CODES = ("BCDF-GHJK", "LMNP-QRST", "VWXZ-BCDF")


def refusal(code: str) -> chassis.errors.InvalidInput:
    error = chassis.errors.InvalidInput()
    error.code = code
    return error


@dataclass
class WaitingRow:
    waiting: WaitingDesktop
    key_thumbprint: str
    device_id: str | None = None
    is_denied: bool = False


@dataclass
class FakeAuthorization:
    """Fits the gateway's Authorization.

    Attributes:
        fault: raised by whoever looks for a device grant, while there is one.
    """

    auth: FakeAuth
    fault: chassis.errors.SallyportError | None = None
    rows: dict[str, WaitingRow] = field(default_factory=dict)
    revoked: list[tuple[str, str]] = field(default_factory=list)
    known: dict[str, Inspection] = field(default_factory=dict)

    async def begin_device_grant(self, request: GrantRequest) -> BegunGrant:
        self.auth.check_up()
        device_code = self.auth.token("dc")
        waiting = WaitingDesktop(
            user_code=USER_CODES[len(self.rows) % len(USER_CODES)],
            client_id=request.client_id,
            scopes=request.scopes,
            facts=request.facts,
            expires_at=self.auth.clock.now() + timedelta(seconds=GRANT_LIFE_S),
        )
        self.rows[device_code] = WaitingRow(waiting, request.key_thumbprint)
        return BegunGrant(
            device_code=Secret(device_code),
            user_code=waiting.user_code,
            expires_in_s=GRANT_LIFE_S,
            interval_s=5,
        )

    async def find_device_grant(self, visit: Visit, user_code: str) -> WaitingDesktop:
        self.auth.require(visit, Right.ENROL_DEVICE)
        self._check()
        return self._row(user_code).waiting

    async def approve_device_grant(self, visit: Visit, user_code: str, approval: Approval) -> None:
        row = self._row(user_code)
        row.device_id = self.auth.enrol(visit, approval, Profile.BOUND, facts=row.waiting.facts)

    async def deny_device_grant(self, visit: Visit, user_code: str) -> None:
        self.auth.require(visit, Right.ENROL_DEVICE)
        self._row(user_code).is_denied = True

    async def redeem_device_grant(self, grant: DeviceCodeGrant, key_thumbprint: str) -> TokenSet:
        self.auth.check_up()
        self._check()
        row = self.rows.get(grant.device_code.reveal())
        if row is None or row.waiting.client_id != grant.client_id:
            raise refusal("invalid_grant")
        if row.key_thumbprint not in {"", key_thumbprint}:
            raise refusal("invalid_grant")
        if row.is_denied:
            raise refusal("access_denied")
        if row.device_id is None:
            raise refusal("authorization_pending")
        return self.auth.rotate(row.device_id, key_thumbprint, grant.client_id)

    async def revoke_token(self, client_id: str, token: Secret[str]) -> None:
        self.auth.check_up()
        self.revoked.append((client_id, token.reveal()))

    async def inspect_token(
        self, access_token: Secret[str], key_thumbprint: str, token: Secret[str]
    ) -> Inspection | None:
        self.auth.check_up()
        asker = self.known.get(access_token.reveal())
        if asker is None or asker.key_thumbprint != key_thumbprint:
            raise chassis.errors.Unauthenticated
        found = self.known.get(token.reveal())
        return found if found is not None and found.device_id == asker.device_id else None

    async def withhold_scopes(self, visit: Visit, device_id: str, scopes: tuple[str, ...]) -> None:
        mine = self.auth.desktops.get(self.auth.require(visit, Right.REVOKE_OWN_DEVICE).seller_id, [])
        for index, desktop in enumerate(mine):
            if desktop.device_id == device_id:
                left = desktop.scopes.difference(scopes)
                mine[index] = replace(desktop, scopes=left, withheld_scopes=frozenset(scopes))
                return
        raise chassis.errors.NotFound

    def _check(self) -> None:
        if self.fault is not None:
            raise self.fault

    def _row(self, user_code: str) -> WaitingRow:
        for row in self.rows.values():
            if row.waiting.user_code == user_code and row.device_id is None and not row.is_denied:
                return row
        raise refusal("invalid_user_code")
