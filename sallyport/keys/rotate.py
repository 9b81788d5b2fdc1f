"""Asking auth to rotate keys and watching it, over restarts of auth: the work is auth's own."""

import asyncio
import time

import chassis.errors
import sallyport.access
import sallyport.keys.progress
from wire.auth.v1.keys_pb2 import (
    DescribeKeysRequest,
    DescribeKeysResponse,
    RotateKeysRequest,
    RotateKeysResponse,
    RotationProgress,
    WatchRotationRequest,
)

# Auth may be restarted meanwhile; a replica that died leaves its key to others within seconds.
PATIENCE_S = 120.0
AGAIN_S = 0.5


async def rotate(
    config: sallyport.access.Config,
    wanted: RotateKeysRequest,
    display: sallyport.keys.progress.Display,
    *,
    until_closed: bool,
) -> tuple[RotateKeysResponse, RotationProgress]:
    """Return what was taken up and how far it came.

    Args:
        config: how auth is reached.
        wanted: whose keys.
        display: shows the progress meanwhile.
        until_closed: wait until older versions are closed, not only until every value is sealed anew.

    Raises:
        SallyportError: auth refuses, or does not answer for PATIENCE_S.
    """
    async with sallyport.access.open_admin(config) as admin:
        begun = await admin.keys.RotateKeys(wanted)
        last = RotationProgress()
        if not begun.keys:
            return begun, last
        silent_since_s = time.monotonic()
        while True:
            try:
                async for progress in admin.keys.WatchRotation(WatchRotationRequest(round_id=begun.round_id)):
                    last, silent_since_s = progress, time.monotonic()
                    display.show(progress)
                    if _is_over(progress, until_closed=until_closed):
                        return begun, last
            except chassis.errors.Unavailable:
                if time.monotonic() - silent_since_s > PATIENCE_S:
                    raise
            await asyncio.sleep(AGAIN_S)


async def describe(config: sallyport.access.Config) -> DescribeKeysResponse:
    """Return how old the keys are.

    Raises:
        SallyportError: auth refuses or does not answer.
    """
    async with sallyport.access.open_admin(config) as admin:
        return await admin.keys.DescribeKeys(DescribeKeysRequest())


def _is_over(progress: RotationProgress, *, until_closed: bool) -> bool:
    return (progress.keys_closed if until_closed else progress.keys_rewrapped) >= progress.keys
