"""A grantless token that Amazon did not take, told by the gateway's client to auth's own calls."""

import hashlib
from datetime import timedelta

from chassis.secrecy import Secret
from fakes.auth_house import House
from services.auth import rpc
from services.auth.model.lending import REPORT_AGE_S_MIN
from services.gateway.peers.auth import AuthClient
from tests.contract.gateway_channel import gateway_channel

TIMEOUT_S = 15.0


def digest(token: Secret[str]) -> bytes:
    return hashlib.sha256(token.reveal().encode()).digest()


async def test_a_reported_grantless_token_is_replaced_and_an_unreported_one_is_lent_again() -> None:
    house = House()
    await house.register()
    async with gateway_channel(rpc.services(house.use)) as channel:
        auth = AuthClient(channel)
        first = await auth.lend_grantless_token(refused_digest=b"", timeout_s=TIMEOUT_S)
        house.pass_(timedelta(seconds=REPORT_AGE_S_MIN))
        again = await auth.lend_grantless_token(refused_digest=b"", timeout_s=TIMEOUT_S)
        assert again.token == first.token
        another = await auth.lend_grantless_token(refused_digest=digest(first.token), timeout_s=TIMEOUT_S)
        assert another.token != first.token
