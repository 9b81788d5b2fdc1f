"""List orders and read one address with `python-amazon-sp-api`, as it comes from PyPI."""

from types import SimpleNamespace
from typing import Any

from sp_api.api import Orders
from sp_api.auth import AccessTokenClient

from sallyport.demo.libraries.settings import Settings, answer, read


def main() -> None:
    """Read the settings, call the library, print the outcome."""
    settings = read()
    orders = orders_client(settings)
    listed = orders.get_orders(MarketplaceIds=[settings.marketplace_id], CreatedAfter=settings.created_after)
    order_ids = [order["AmazonOrderId"] for order in listed.payload["Orders"]]
    address = orders.get_order_address(settings.order_id or order_ids[0]).payload["ShippingAddress"]
    answer(order_ids, address)


def orders_client(settings: Settings) -> Any:
    """Return the library's Orders client: only its endpoint and its token host are set."""

    class DeviceTokens(AccessTokenClient):  # type: ignore[misc] # the library has no types
        host = settings.gateway.removeprefix("https://")

    return Orders(
        marketplace=SimpleNamespace(
            endpoint=settings.gateway, marketplace_id=settings.marketplace_id, region="us-east-1"
        ),
        refresh_token=settings.refresh_token,
        credentials={"lwa_app_id": settings.device_id, "lwa_client_secret": "x"},
        auth_token_client_class=DeviceTokens,
        version="v0",
    )


if __name__ == "__main__":
    main()
