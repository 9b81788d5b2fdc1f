"""What the doors refuse, on the whole stack."""

import re

import orjson
import pytest

from sallyport.demo.scene import Scene
from sallyport.demo.steps.people import connect_a_seller, enrol_the_desktops

AMAZON_REFRESH_TOKEN = "Atzr|IwEBIPastedByASellerWhoMeantWell0123456789"


async def _enrolled(scene: Scene) -> Scene:
    await connect_a_seller(scene)
    await enrol_the_desktops(scene)
    return scene


async def test_a_consent_with_a_wrong_state_is_refused_T08(scene: Scene) -> None:
    await scene.come_in()
    page = await scene.open("/consent/callback?state=wrong&selling_partner_id=A1&spapi_oauth_code=abc")
    assert page.status == 400
    assert ">active<" not in (await scene.open("/portal")).text


async def test_a_reused_code_is_refused_and_ends_what_it_issued_T04(scene: Scene) -> None:
    await connect_a_seller(scene)
    grant = await scene.desktop.ask(scene.browser, "Anna's laptop")
    await scene.desktop.fetch_tokens(grant)
    first = await scene.desktop.call("GET", "/orders/v0/orders/000-0000000-0000000")
    with pytest.raises(RuntimeError, match="invalid_grant"):
        await scene.desktop.fetch_tokens(grant)
    then = await scene.desktop.call("GET", "/orders/v0/orders/000-0000000-0000000")
    assert first.status == 404
    assert then.status in {401, 403}


async def test_a_foreign_order_answers_as_an_absent_one_T07(scene: Scene) -> None:
    await _enrolled(scene)
    others = [a for a in await scene.amazon.sellers() if a["seller_id"] != scene.account["seller_id"]]
    foreign = (await scene.amazon.orders(others[0]["seller_id"]))[0].order_id
    answers = [
        await scene.desktop.call("GET", f"/orders/v0/orders/{order_id}/address")
        for order_id in (foreign, "000-0000000-0000000")
    ]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].body.replace(foreign.encode(), b"") == answers[1].body.replace(
        b"000-0000000-0000000", b""
    )


async def test_an_expired_access_token_is_refused_until_refreshed(scene: Scene) -> None:
    await _enrolled(scene)
    order = (await scene.amazon.orders(scene.account["seller_id"]))[-1]
    await scene.amazon.advance(days=0.1)
    late = await scene.desktop.call("GET", f"/orders/v0/orders/{order.order_id}")
    await scene.desktop.refresh()
    fresh = await scene.desktop.call("GET", f"/orders/v0/orders/{order.order_id}")
    assert late.status in {401, 403}
    assert re.search("expired", late.body.decode())
    assert fresh.status == 200


async def test_an_unknown_operation_is_refused_T05(scene: Scene) -> None:
    await _enrolled(scene)
    before = await scene.amazon.latest_call()
    answer = await scene.desktop.call("GET", "/orders/v9/everything")
    assert answer.status == 403
    assert "operation_not_allowed" in answer.body.decode()
    assert await scene.amazon.latest_call() == before


async def test_a_device_without_the_scope_gets_no_handle_for_personal_data(scene: Scene) -> None:
    await connect_a_seller(scene)
    await scene.desktop.enrol(scene.browser, "Stock planner")
    body = {
        "restrictedResources": [
            {"method": "GET", "path": "/orders/v0/orders", "dataElements": ["buyerInfo", "shippingAddress"]}
        ]
    }
    answer = await scene.desktop.call(
        "POST", "/tokens/2021-03-01/restrictedDataToken", body=orjson.dumps(body)
    )
    listed = await scene.desktop.call(
        "GET", f"/orders/v0/orders?MarketplaceIds={scene.marketplace_id}&CreatedAfter=2020-01-01T00:00:00Z"
    )
    needles = [needle for o in await scene.amazon.orders(scene.account["seller_id"]) for needle in o.needles]
    assert answer.status in {200, 403}
    assert listed.status == 200
    assert not [needle for needle in needles if needle in listed.body.decode()]


async def test_amazon_credentials_pasted_in_are_refused_and_kept_nowhere_T06(scene: Scene) -> None:
    await _enrolled(scene)
    call = await scene.desktop.call(
        "POST", "/tokens/2021-03-01/restrictedDataToken", body=f'{{"x":"{AMAZON_REFRESH_TOKEN}"}}'.encode()
    )
    home = await scene.open("/portal")
    page = await scene.submit(home, "/portal/devices", device_name=AMAZON_REFRESH_TOKEN)
    logs = b"".join(path.read_bytes() for path in sorted(scene.stack.layout.logs.iterdir()))
    assert call.status == 422
    assert b"credentials_not_accepted" in call.body
    assert page.status == 422
    assert AMAZON_REFRESH_TOKEN.encode() not in logs
    assert "PastedByASeller" not in page.text
