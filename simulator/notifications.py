"""The Notifications API: destinations of an application, subscriptions of its sellers.

All of it is remembered until a restart. Nothing is ever sent to a destination.

Source: model notifications of amzn/selling-partner-api-models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator import exchange
from simulator.call import Call, OwnCall
from simulator.seed import Mint

DESTINATIONS_MAX = 1_000
SUBSCRIPTIONS_MAX = 100_000
TEXT_SIZE_MAX = 256

Document = dict[str, Any]


@dataclass(frozen=True)
class _Subscription:
    application_id: str
    seller_id: str
    type_name: str
    shown: Document = field(repr=False)


class Notifications:
    """Answers with documents; the caller has checked token and plan."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._destinations: dict[str, tuple[str, Document]] = {}
        self._subscriptions: dict[str, _Subscription] = {}

    def create_destination(self, call: OwnCall) -> Document:
        """Return the answer of createDestination.

        Raises:
            Refusal: 400, it names neither a queue nor an event bus; 409, there are too many.
        """
        body = call.body()
        specification = body.get("resourceSpecification")
        if not isinstance(specification, dict):
            raise exchange.invalid_input("Invalid Input", "resourceSpecification must be specified.")
        if len(self._destinations) >= DESTINATIONS_MAX:
            raise exchange.Refusal(409, "ResourceConflict", "There are too many destinations.")
        name = _text(body, "name")
        destination_id = self._mint.identifier()
        shown = {"name": name, "destinationId": destination_id, "resource": _resource(specification, name)}
        self._destinations[destination_id] = (call.application.application_id, shown)
        return {"payload": shown}

    def destinations(self, call: OwnCall) -> Document:
        """Return the answer of getDestinations."""
        owner = call.application.application_id
        return {"payload": [shown for theirs, shown in self._destinations.values() if theirs == owner]}

    def destination(self, call: OwnCall) -> Document:
        """Return the answer of getDestination."""
        return {
            "payload": self._destination(call.parameters["destinationId"], call.application.application_id)
        }

    def delete_destination(self, call: OwnCall) -> Document:
        """Forget a destination."""
        destination_id = call.parameters["destinationId"]
        self._destination(destination_id, call.application.application_id)
        del self._destinations[destination_id]
        return {}

    def subscribe(self, call: Call) -> Document:
        """Return the answer of createSubscription.

        Raises:
            Refusal: 404, there is no such destination; 409, the seller has such a subscription.
        """
        body, type_name = call.body(), call.parameters["notificationType"]
        self._destination(_text(body, "destinationId"), call.access.application.application_id)
        if self._find(call, type_name) is not None:
            raise exchange.Refusal(409, "ResourceConflict", "The subscription exists already.")
        if len(self._subscriptions) >= SUBSCRIPTIONS_MAX:
            raise exchange.Refusal(409, "ResourceConflict", "There are too many subscriptions.")
        subscription_id = self._mint.identifier()
        shown = {
            "subscriptionId": subscription_id,
            "payloadVersion": _text(body, "payloadVersion"),
            "destinationId": body["destinationId"],
        }
        if isinstance(body.get("processingDirective"), dict):
            shown["processingDirective"] = body["processingDirective"]
        access = call.access
        self._subscriptions[subscription_id] = _Subscription(
            access.application.application_id, access.seller.seller_id, type_name, shown
        )
        return {"payload": shown}

    def subscription(self, call: Call) -> Document:
        """Return the answer of getSubscription."""
        found = self._find(call, call.parameters["notificationType"])
        if found is None:
            raise exchange.not_found()
        return {"payload": found.shown}

    def subscriptions(self, call: Call) -> Document:
        """Return the answer of getSubscriptions."""
        listed = [each.shown for each in self._subscriptions.values() if _is_of(each, call)]
        return {"payload": {"subscriptions": listed}}

    def subscription_by_id(self, call: OwnCall) -> Document:
        """Return the answer of getSubscriptionById."""
        return {"payload": self._own(call).shown}

    def unsubscribe_by_id(self, call: OwnCall) -> Document:
        """End a subscription."""
        self._own(call)
        del self._subscriptions[call.parameters["subscriptionId"]]
        return {}

    def send_test(self, call: OwnCall) -> Document:
        """Return the answer of sendTestNotification; nothing is sent."""
        self._destination(_text(call.body(), "destinationId"), call.application.application_id)
        return {"payload": self._mint.identifier()}

    def _destination(self, destination_id: str, owner: str) -> Document:
        theirs, shown = self._destinations.get(destination_id, ("", {}))
        if theirs != owner:
            raise exchange.not_found()
        return shown

    def _find(self, call: Call, type_name: str) -> _Subscription | None:
        found = (each for each in self._subscriptions.values() if _is_of(each, call))
        return next((each for each in found if each.type_name == type_name), None)

    def _own(self, call: OwnCall) -> _Subscription:
        found = self._subscriptions.get(call.parameters["subscriptionId"])
        asked = (call.application.application_id, call.parameters["notificationType"])
        if found is None or (found.application_id, found.type_name) != asked:
            raise exchange.not_found()
        return found


def _is_of(subscription: _Subscription, call: Call) -> bool:
    owner = (call.access.application.application_id, call.access.seller.seller_id)
    return (subscription.application_id, subscription.seller_id) == owner


def _resource(specification: Mapping[str, Any], name: str) -> Document:
    match specification:
        case {"sqs": {"arn": str(arn)}}:
            return {"sqs": {"arn": arn[:TEXT_SIZE_MAX]}}
        case {"eventBridge": {"accountId": str(account), "region": str(region)}}:
            bus = {"name": f"aws.partner/sellingpartnerapi.amazon.com/{account}/{name}"}
            return {"eventBridge": {**bus, "region": region, "accountId": account}}
        case _:
            raise exchange.invalid_input("Invalid Input", "resourceSpecification names no resource.")


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= TEXT_SIZE_MAX:
        raise exchange.invalid_input("Invalid Input", f"{name} must be specified.")
    return value
