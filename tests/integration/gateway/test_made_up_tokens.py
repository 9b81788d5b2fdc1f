"""Strangers with made-up tokens at the real gateway: auth is asked seldom, devices notice nothing (R-23)."""

import asyncio
from pathlib import Path

import httpx

import sallyport.provision.ground
from services.gateway.model.strangers import ADDRESS_MAX, ADDRESS_PER_S
from tests.conftest import KeeperFor
from tests.integration.gateway.documents import PII, REPORTS, opened

SHOWN = ADDRESS_MAX + 60


async def test_made_up_tokens_cost_auth_a_bounded_number_of_questions_and_a_device_nothing_R23(
    ground: sallyport.provision.ground.Ground, keeper_for: KeeperFor, tmp_path: Path
) -> None:
    async with opened(ground, keeper_for, tmp_path) as house, house.client() as client:
        known = house.auth.enrol(*PII)
        await house.download_link(client, "before", known)

        async def show(number: int) -> httpx.Response:
            headers = {"x-amz-access-token": f"sp_at_{'-' * 20}{number:023d}"}
            return await client.get(f"{REPORTS}/mine", headers=headers)

        began_s = asyncio.get_running_loop().time()
        answers = [await show(number) for number in range(SHOWN)]
        took_s = asyncio.get_running_loop().time() - began_s
        await house.download_link(client, "after", known)
        metrics = (await client.get(house.gateway.metrics_url)).text
    assert ADDRESS_MAX <= house.auth.in_vain <= ADDRESS_MAX + took_s * ADDRESS_PER_S + 1
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == SHOWN - house.auth.in_vain
    assert {answer.status_code for answer in answers} == {403, 429}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert f'refusals_total{{code="too_many_unknown_tokens"}} {len(refused)}.0' in metrics
