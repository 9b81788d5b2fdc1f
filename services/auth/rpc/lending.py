"""Calls for what is lent of the application's own."""

from types import MappingProxyType

from services.auth.model.grantless import Scope
from services.auth.model.refusals import ScopeNotLent
from services.auth.rpc import messages
from services.auth.service import UseCases
from wire.auth.v1 import auth_pb2, lending_pb2, lending_pb2_grpc

SCOPES_LENT = MappingProxyType({lending_pb2.GRANTLESS_SCOPE_NOTIFICATIONS: Scope.NOTIFICATIONS})


class LendingCalls(lending_pb2_grpc.LendingServiceServicer):
    """What the gateway may call Amazon with in the application's own name."""

    def __init__(self, use_cases: UseCases) -> None:
        self._lending = use_cases.lending

    async def LendGrantlessToken(  # noqa: N802 - the contract's name
        self, request: lending_pb2.LendGrantlessTokenRequest, _context: messages.Context
    ) -> auth_pb2.AmazonToken:
        """Lend a token that no seller stands behind."""
        scope = SCOPES_LENT.get(request.scope)
        if scope is None:
            raise ScopeNotLent
        lent = await self._lending.lend_grantless(
            messages.borrower(), scope, refused_digest=request.refused_digest
        )
        return messages.amazon_token(lent, self._lending.left_s(lent))
