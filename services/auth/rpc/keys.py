"""Calls of the vendor's operators about sealing keys."""

import asyncio
import math
from collections.abc import AsyncIterator

from services.auth.model.key_refusals import KeyMissing
from services.auth.model.rewrapping import KeyKind, KeyOwner, Progress
from services.auth.rpc import messages
from services.auth.service.rewrapping import KeyService
from wire.auth.v1 import keys_pb2, keys_pb2_grpc

LOOK_S = 0.5


class KeyAdmin(keys_pb2_grpc.KeyAdminServicer):
    """What the vendor decides about keys, and what it sees of them."""

    def __init__(self, keys: KeyService) -> None:
        self._keys = keys

    async def RotateKeys(  # noqa: N802 - the contract's name
        self, request: keys_pb2.RotateKeysRequest, _context: messages.Context
    ) -> keys_pb2.RotateKeysResponse:
        """Take up the rotation of one key, or of all."""
        begun = await self._keys.begin(_owner(request))
        return keys_pb2.RotateKeysResponse(
            round_id=begun.round_id, keys=begun.keys, keys_under_way=begun.keys_under_way
        )

    async def WatchRotation(  # noqa: N802 - the contract's name
        self, request: keys_pb2.WatchRotationRequest, _context: messages.Context
    ) -> AsyncIterator[keys_pb2.RotationProgress]:
        """Tell how far a round has come, until it is closed."""
        told: keys_pb2.RotationProgress | None = None
        while True:
            progress = await self._keys.watch(request.round_id)
            message = _progress(progress)
            if message != told:
                yield message
            if progress.is_closed:
                return
            told = message
            await asyncio.sleep(LOOK_S)

    async def DescribeKeys(  # noqa: N802 - the contract's name
        self, _request: keys_pb2.DescribeKeysRequest, _context: messages.Context
    ) -> keys_pb2.DescribeKeysResponse:
        """Say how old the keys are."""
        ages = await self._keys.find_ages()
        message = keys_pb2.DescribeKeysResponse(keys=ages.keys, aged=ages.aged, under_way=ages.under_way)
        if ages.oldest_since is not None:
            message.oldest_since.FromDatetime(ages.oldest_since)
        return message


def _owner(request: keys_pb2.RotateKeysRequest) -> KeyOwner | None:
    """Return whose key is meant; None for all."""
    match request.WhichOneof("keys"):
        case "seller_id":
            return KeyOwner(kind=KeyKind.SELLER, owner_id=request.seller_id)
        case "application_id":
            return KeyOwner(kind=KeyKind.APPLICATION, owner_id=request.application_id)
        case "staff" if request.staff:
            return KeyOwner(kind=KeyKind.STAFF, owner_id="")
        case "all" if request.all:
            return None
    raise KeyMissing


def _progress(progress: Progress) -> keys_pb2.RotationProgress:
    message = keys_pb2.RotationProgress(
        keys=progress.keys,
        keys_rewrapped=progress.keys_rewrapped,
        keys_closed=progress.keys_closed,
        values=progress.values,
        values_done=progress.values_done,
        values_damaged=progress.values_damaged,
    )
    if progress.closes_in_s is not None:
        message.closes_in_s = math.ceil(progress.closes_in_s)
    return message
