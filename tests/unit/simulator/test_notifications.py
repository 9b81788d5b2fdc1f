from tests.unit.simulator.rig import APPLICATION, PLAIN, Rig

DESTINATIONS = "/notifications/v1/destinations"
ORDER_CHANGE = "/notifications/v1/subscriptions/ORDER_CHANGE"
SCOPE = "sellingpartnerapi::notifications"
QUEUE = {"name": "orders", "resourceSpecification": {"sqs": {"arn": "arn:aws:sqs:us-east-1:1:orders"}}}


def own_token(rig: Rig, *, is_other: bool = False) -> str:
    application = PLAIN if is_other else APPLICATION
    granted = rig.lwa(application, grant_type="client_credentials", scope=SCOPE)
    token: str = granted.document()["access_token"]
    return token


def a_destination(rig: Rig) -> str:
    made = rig.post(DESTINATIONS, own_token(rig), QUEUE)
    assert made.status == 200, made
    destination_id: str = made.document()["payload"]["destinationId"]
    return destination_id


def test_a_destination_belongs_to_its_application() -> None:
    rig = Rig()
    path = f"{DESTINATIONS}/{a_destination(rig)}"
    assert rig.get(path, own_token(rig)).document()["payload"]["name"] == "orders"
    assert rig.get(path, own_token(rig, is_other=True)).status == 404
    assert rig.get(DESTINATIONS, own_token(rig, is_other=True)).document() == {"payload": []}
    assert rig.send("DELETE", path, headers={"x-amz-access-token": own_token(rig)}).status == 200
    assert rig.get(path, own_token(rig)).status == 404


def test_destinations_need_the_applications_own_token_and_subscriptions_a_sellers() -> None:
    rig = Rig()
    assert rig.post(DESTINATIONS, rig.access(), QUEUE).status == 403
    subscription = {"destinationId": a_destination(rig), "payloadVersion": "1.0"}
    assert rig.post(ORDER_CHANGE, own_token(rig), subscription).status == 403


def test_a_subscription_is_one_sellers_and_ends_by_its_id() -> None:
    rig = Rig()
    asked = {"destinationId": a_destination(rig), "payloadVersion": "1.0"}
    made = rig.post(ORDER_CHANGE, rig.access(), asked).document()["payload"]
    assert rig.get(ORDER_CHANGE, rig.access()).document()["payload"] == made
    assert rig.get(ORDER_CHANGE, rig.access(1)).status == 404
    assert rig.post(ORDER_CHANGE, rig.access(), asked).status == 409
    path = f"{ORDER_CHANGE}/{made['subscriptionId']}"
    assert rig.get(path, own_token(rig)).document()["payload"] == made
    assert rig.get(path.replace("ORDER_CHANGE", "PRICING_HEALTH"), own_token(rig)).status == 404
    assert rig.send("DELETE", path, headers={"x-amz-access-token": own_token(rig)}).status == 200
    assert rig.get(ORDER_CHANGE, rig.access()).status == 404


def test_a_destination_that_names_no_resource_is_refused() -> None:
    rig = Rig()
    assert rig.post(DESTINATIONS, own_token(rig), {"name": "x", "resourceSpecification": {}}).status == 400
    assert rig.post(DESTINATIONS, own_token(rig), {"name": "x"}).status == 400
