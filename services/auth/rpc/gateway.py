"""Calls that the gateway makes for itself: whose token this is, what changed, with what to call Amazon."""

import asyncio
from collections.abc import AsyncIterator

from chassis.secrecy import Secret
from services.auth.model.loans import Loan
from services.auth.rpc import messages
from services.auth.service import UseCases
from wire.auth.v1 import auth_pb2

# Source: proto/wire/auth/v1/auth.proto, Revocation.
KEEP_ALIVE_S = 15.0


class GatewayCalls:
    """What the gateway's forwarding path needs."""

    def __init__(self, use_cases: UseCases) -> None:
        self._access_tokens = use_cases.tokens
        self._lending = use_cases.lending
        self._news = use_cases.news

    async def Introspect(  # noqa: N802 - the contract's name
        self, request: auth_pb2.IntrospectRequest, _context: messages.Context
    ) -> auth_pb2.Device:
        """Say what an access token stands for."""
        return messages.introspected(await self._access_tokens.introspect(Secret(request.access_token)))

    async def WatchRevocations(  # noqa: N802 - the contract's name
        self, _request: auth_pb2.WatchRevocationsRequest, _context: messages.Context
    ) -> AsyncIterator[auth_pb2.Revocation]:
        """Tell of devices that changed: a marker first, signs of life in silence."""
        watcher = self._news.watch()
        try:
            yield auth_pb2.Revocation()
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        told = await watcher.next()
                except TimeoutError:
                    yield auth_pb2.Revocation()
                else:
                    yield auth_pb2.Revocation(device_id=told.device_id, seller_id=told.seller_id)
        finally:
            self._news.leave(watcher)

    async def LendAmazonToken(  # noqa: N802 - the contract's name
        self, request: auth_pb2.LendAmazonTokenRequest, _context: messages.Context
    ) -> auth_pb2.AmazonToken:
        """Lend a token of Amazon's."""
        loan = Loan(
            borrower=messages.borrower(),
            device_id=request.device_id,
            region=messages.region_asked(request.region),
            restriction=(
                messages.restriction_asked(request.restriction) if request.HasField("restriction") else None
            ),
            target_application=request.target_application,
            refused_digest=request.refused_digest,
        )
        lent = await self._lending.lend(loan)
        return messages.amazon_token(lent, self._lending.left_s(lent))
