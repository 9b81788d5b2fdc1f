"""Which part of the simulator answers which operation; those that are not here get a made-up answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.api import Handler, OwnHandler
from simulator.client_secrets import ClientSecrets
from simulator.documents.feeds import Feeds
from simulator.documents.queries import Queries
from simulator.documents.reports import Reports
from simulator.documents.uploads import Uploads
from simulator.notifications import Notifications
from simulator.orders.shipping import Shipping
from simulator.orders.v0 import OrdersV0
from simulator.orders.v2026 import Orders2026
from simulator.shop import accounts, fees
from simulator.shop.catalog import Catalog
from simulator.shop.listings import Listings
from simulator.shop.stock import Stock
from simulator.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Every part that has a state of its own."""

    tokens: Tokens
    v0: OrdersV0
    v2026: Orders2026
    shipping: Shipping
    reports: Reports
    feeds: Feeds
    queries: Queries
    uploads: Uploads
    notifications: Notifications
    catalog: Catalog
    listings: Listings
    stock: Stock
    client_secrets: ClientSecrets


def of_sellers(parts: Parts) -> Mapping[str, Handler]:
    """Return the handlers of calls made for a seller, by operation."""
    return {
        "ordersV0.getOrders": parts.v0.orders,
        "ordersV0.getOrder": parts.v0.order,
        "ordersV0.getOrderAddress": parts.v0.address,
        "ordersV0.getOrderBuyerInfo": parts.v0.buyer_info,
        "ordersV0.getOrderItems": parts.v0.items,
        "ordersV0.getOrderItemsBuyerInfo": parts.v0.items_buyer_info,
        "ordersV0.getOrderRegulatedInfo": parts.v0.regulated_info,
        "ordersV0.confirmShipment": parts.shipping.confirm,
        "ordersV0.updateShipmentStatus": parts.shipping.update_status,
        "orders_2026-01-01.searchOrders": parts.v2026.orders,
        "orders_2026-01-01.getOrder": parts.v2026.order,
        "tokens_2021-03-01.createRestrictedDataToken": parts.tokens.create_restricted,
        "notifications.createSubscription": parts.notifications.subscribe,
        "notifications.getSubscription": parts.notifications.subscription,
        "notifications.getSubscriptions": parts.notifications.subscriptions,
        **_of_documents(parts),
        **_of_shop(parts),
    }


def of_applications(parts: Parts) -> Mapping[str, OwnHandler]:
    """Return the handlers of calls that an application makes with its own token, by operation."""
    return {
        "application_2023-11-30.rotateApplicationClientSecret": parts.client_secrets.rotate_asked,
        "notifications.createDestination": parts.notifications.create_destination,
        "notifications.getDestinations": parts.notifications.destinations,
        "notifications.getDestination": parts.notifications.destination,
        "notifications.deleteDestination": parts.notifications.delete_destination,
        "notifications.getSubscriptionById": parts.notifications.subscription_by_id,
        "notifications.deleteSubscriptionById": parts.notifications.unsubscribe_by_id,
        "notifications.sendTestNotification": parts.notifications.send_test,
    }


def _of_shop(parts: Parts) -> Mapping[str, Handler]:
    return {
        "sellers.getMarketplaceParticipations": accounts.participations,
        "sellers.getAccount": accounts.account,
        "catalogItems_2022-04-01.getCatalogItem": parts.catalog.item,
        "catalogItems_2022-04-01.searchCatalogItems": parts.catalog.search,
        "listingsItems_2021-08-01.getListingsItem": parts.listings.item,
        "listingsItems_2021-08-01.searchListingsItems": parts.listings.search,
        "listingsItems_2021-08-01.putListingsItem": parts.listings.put,
        "listingsItems_2021-08-01.patchListingsItem": parts.listings.patch,
        "listingsItems_2021-08-01.deleteListingsItem": parts.listings.delete,
        "productFeesV0.getMyFeesEstimateForSKU": fees.for_sku,
        "productFeesV0.getMyFeesEstimateForASIN": fees.for_asin,
        "productFeesV0.getMyFeesEstimates": fees.several,
        "fbaInventory.getInventorySummaries": parts.stock.summaries,
    }


def _of_documents(parts: Parts) -> Mapping[str, Handler]:
    return {
        "reports_2021-06-30.createReport": parts.reports.create,
        "reports_2021-06-30.getReport": parts.reports.one,
        "reports_2021-06-30.getReports": parts.reports.several,
        "reports_2021-06-30.cancelReport": parts.reports.cancel,
        "reports_2021-06-30.getReportDocument": parts.reports.document,
        "reports_2021-06-30.createReportSchedule": parts.reports.create_schedule,
        "reports_2021-06-30.getReportSchedules": parts.reports.schedules,
        "reports_2021-06-30.getReportSchedule": parts.reports.schedule,
        "reports_2021-06-30.cancelReportSchedule": parts.reports.cancel_schedule,
        "feeds_2021-06-30.createFeedDocument": parts.feeds.create_document,
        "feeds_2021-06-30.createFeed": parts.feeds.create,
        "feeds_2021-06-30.getFeed": parts.feeds.one,
        "feeds_2021-06-30.getFeeds": parts.feeds.several,
        "feeds_2021-06-30.cancelFeed": parts.feeds.cancel,
        "feeds_2021-06-30.getFeedDocument": parts.feeds.document,
        "dataKiosk_2023-11-15.createQuery": parts.queries.create,
        "dataKiosk_2023-11-15.getQuery": parts.queries.one,
        "dataKiosk_2023-11-15.getQueries": parts.queries.several,
        "dataKiosk_2023-11-15.cancelQuery": parts.queries.cancel,
        "dataKiosk_2023-11-15.getDocument": parts.queries.document,
        "uploads_2020-11-01.createUploadDestinationForResource": parts.uploads.create_destination,
        "services.createServiceDocumentUploadDestination": parts.uploads.create_service_destination,
    }
