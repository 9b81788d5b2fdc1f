"""List orders and read one address with Amazon's official SDK, `amzn-sp-api`, as it comes from PyPI."""

from typing import Any

from spapi import Configuration, SPAPIClient, SPAPIConfig
from spapi.api.orders_v0.orders_v0_api import OrdersV0Api

from sallyport.demo.libraries.settings import Settings, answer, read

ANY_VALUE = "x"
"""For the client secret: the library insists on one; the gateway takes any."""


def main() -> None:
    """Read the settings, call the library, print the outcome."""
    settings = read()
    orders = orders_api(settings)
    listed = orders.get_orders([settings.marketplace_id], created_after=settings.created_after)
    order_ids = [order.amazon_order_id for order in listed.payload.orders]
    address = orders.get_order_address(settings.order_id or order_ids[0]).payload.shipping_address
    answer(order_ids, address.to_dict())


def orders_api(settings: Settings) -> Any:
    """Return the SDK's Orders client: only its two addresses and the certificate authority are set."""
    trust = Configuration()
    trust.ssl_ca_cert = settings.ca_file
    Configuration.set_default(trust)
    credentials = {"client_id": settings.device_id, "client_secret": ANY_VALUE}
    config = SPAPIConfig(**credentials, refresh_token=settings.refresh_token)
    client = SPAPIClient(
        config, oauth_endpoint=f"{settings.gateway}/auth/o2/token", endpoint=settings.gateway
    )
    return OrdersV0Api(client.api_client)


if __name__ == "__main__":
    main()
