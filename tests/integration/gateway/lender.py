"""Auth for desktops that call: knows their access tokens, lends tokens of Amazon's, tells of revocations."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc.aio

import chassis.errors
import chassis.rpc
from wire.auth.v1 import auth_pb2, auth_pb2_grpc

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

LIFE_S = 3_600


class Revoked(chassis.errors.Unauthenticated):
    code = "device_revoked"
    text = "The device was revoked."


class Unknown(chassis.errors.Unauthenticated):
    code = "token_invalid"
    text = "The access token was not issued here."


@dataclass
class Lender(auth_pb2_grpc.AuthServiceServicer):
    """The part of auth that the forwarding path asks; each device is its own, of one seller."""

    scopes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    streams: list[asyncio.Queue[str]] = field(default_factory=list)
    in_vain: int = 0

    def enrol(self, *scopes: str) -> str:
        """Return the access token of a new device."""
        token = f"sp_at_{len(self.scopes):043d}"
        self.scopes[token] = scopes
        return token

    def revoke(self, token: str) -> None:
        """Revoke a device and tell everybody who listens."""
        self.revoked.add(token)
        for stream in self.streams:
            stream.put_nowait(token)

    async def Introspect(self, request: auth_pb2.IntrospectRequest, _context: "Context") -> auth_pb2.Device:
        token = request.access_token
        if token in self.revoked:
            raise Revoked
        if token not in self.scopes:
            self.in_vain += 1
            raise Unknown
        return auth_pb2.Device(
            device_id=token,
            seller_id="00000000-0000-7000-8000-000000000001",
            profile=auth_pb2.PROFILE_COMPAT,
            scopes=self.scopes[token],
            regions=[auth_pb2.REGION_NA],
            default_marketplace_id="ATVPDKIKX0DER",
            expires_in_s=LIFE_S,
        )

    async def LendAmazonToken(
        self, _request: auth_pb2.LendAmazonTokenRequest, _context: "Context"
    ) -> auth_pb2.AmazonToken:
        return auth_pb2.AmazonToken(token="Atza|lent", expires_in_s=LIFE_S)

    async def WatchRevocations(
        self, _request: auth_pb2.WatchRevocationsRequest, _context: "Context"
    ) -> AsyncIterator[auth_pb2.Revocation]:
        stream: asyncio.Queue[str] = asyncio.Queue()
        self.streams.append(stream)
        yield auth_pb2.Revocation()
        while True:
            yield auth_pb2.Revocation(device_id=await stream.get())

    def service(self) -> chassis.rpc.Service:
        """Return what a `chassis.rpc.Server` serves."""
        descriptor = auth_pb2.DESCRIPTOR.services_by_name["AuthService"]
        row = chassis.rpc.Method(callers=frozenset({"gateway"}), deadline_s=600.0, event="auth.fake.asked")
        return chassis.rpc.Service(
            descriptor=descriptor,
            add=auth_pb2_grpc.add_AuthServiceServicer_to_server,
            servicer=self,
            methods={method.name: row for method in descriptor.methods},
        )
