"""What buyers hand in with simulated orders lies in the storage, behind links among the orders' data."""

import io
import json
import zipfile
from urllib.parse import parse_qsl, urlsplit

from tests.unit.simulator.papers import fetch
from tests.unit.simulator.rig import Rig

ORDERS = "/orders/v0/orders"


def customized(rig: Rig, number: int, part: str = "orderItems/buyerInfo") -> list[str]:
    """Return the links that stand in the lines of an order."""
    path = f"{ORDERS}/{rig.orders()[number].order_id}/{part}"
    lines = rig.get(path, rig.restricted(rig.access())).document()["payload"]["OrderItems"]
    told = [line.get("BuyerInfo", line).get("BuyerCustomizedInfo", {}) for line in lines]
    return [each["CustomizedURL"] for each in told if each]


def test_each_line_of_a_customized_order_links_to_what_its_buyer_wants() -> None:
    rig = Rig()
    order = rig.orders()[10]
    links = customized(rig, 10)
    assert len(links) == len(order.items)
    for item, link in zip(order.items, links, strict=True):
        answer = fetch(rig, link)
        assert answer.header("Content-Type") == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            words = json.loads(archive.read(f"{item.item_id}.json"))
        assert order.buyer.name in words["engraving"]
    assert [urlsplit(each).path for each in customized(rig, 10, "orderItems")] == [
        urlsplit(each).path for each in links
    ]


def test_other_orders_link_to_nothing() -> None:
    assert customized(Rig(), 23) == []


def test_a_regulated_order_links_to_its_prescription() -> None:
    rig = Rig()
    order = rig.orders()[6]
    path = f"{ORDERS}/{order.order_id}/regulatedInfo"
    told = rig.get(path, rig.restricted(rig.access())).document()["payload"]["RegulatedInformation"]["Fields"]
    (link,) = [field["FieldValue"] for field in told if field["FieldType"] == "FileAttachment"]
    assert order.buyer.name in fetch(rig, link).body.decode()


def test_what_nobody_handed_in_is_missing_and_a_link_is_good_for_its_own_file() -> None:
    rig = Rig()
    link = urlsplit(customized(rig, 10)[0])
    query = parse_qsl(link.query)
    for path in (link.path.replace("902-", "903-"), link.path + "x"):
        assert rig.send("GET", path, query, headers={"host": link.netloc}).status == 403
