"""`sallyport inventory`: what the services offer and say, read from the code that enforces it.

Routes with their event kinds, RPCs with callers and deadlines, audit kinds, metrics, configuration keys.
Nothing is started and nothing is dialled.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import chassis.metrics
import chassis.rpc
import sallyport.access
import services.auth.config
import services.auth.model.audit
import services.auth.rpc
import services.auth.signals
import services.gateway.config
import services.gateway.model.audit
import services.gateway.signals
import services.retention.config
import services.retention.model.audit
import services.retention.rpc
import services.retention.signals
import services.telemetry.config
import services.telemetry.model.kinds
import services.telemetry.rpc
import services.telemetry.signals
from chassis.env import Setting
from services.gateway.catalogue.table import Catalogue
from services.gateway.door import DocumentsFace, SpapiFace
from services.gateway.web import Faces
from services.gateway.web.authorize import AuthorizePages
from services.gateway.web.consents import ConsentPages
from services.gateway.web.desktops import DesktopPages
from services.gateway.web.entry import EntryPages
from services.gateway.web.lwa import LwaFace
from services.gateway.web.oauth import OAuthFace
from services.gateway.web.people import PeoplePages
from services.gateway.web.portal import PortalPages
from services.gateway.web.security import SecurityPages
from services.gateway.web.staff import StaffPages
from services.gateway.web.team import TeamPages
from wire.auth.v1 import (
    applications_pb2,
    auth_pb2,
    authorization_pb2,
    consents_pb2,
    keys_pb2,
    lending_pb2,
    people_pb2,
    sellers_pb2,
)
from wire.retention.v1 import retention_pb2
from wire.retention.v1 import sellers_pb2 as retention_sellers_pb2
from wire.telemetry.v1 import telemetry_pb2, webhooks_pb2

Inventory = dict[str, list[dict[str, Any]]]

RPC_TABLES: Sequence[tuple[Any, str, Mapping[str, chassis.rpc.Method]]] = (
    (auth_pb2, "AuthService", services.auth.rpc.SERVICE_METHODS),
    (authorization_pb2, "AuthorizationService", services.auth.rpc.AUTHORIZATION_METHODS),
    (auth_pb2, "AuthAdmin", services.auth.rpc.ADMIN_METHODS),
    (applications_pb2, "ApplicationAdmin", services.auth.rpc.APPLICATION_METHODS),
    (keys_pb2, "KeyAdmin", services.auth.rpc.KEY_METHODS),
    (lending_pb2, "LendingService", services.auth.rpc.LENDING_METHODS),
    (consents_pb2, "ConsentService", services.auth.rpc.CONSENT_METHODS),
    (sellers_pb2, "SellerAdmin", services.auth.rpc.SELLER_METHODS),
    (people_pb2, "PeopleService", services.auth.rpc.PEOPLE_METHODS),
    (people_pb2, "PeopleAdmin", services.auth.rpc.PEOPLE_ADMIN_METHODS),
    (retention_pb2, "RetentionService", services.retention.rpc.SERVICE_METHODS),
    (retention_pb2, "RetentionAdmin", services.retention.rpc.ADMIN_METHODS),
    (retention_sellers_pb2, "SellerErasure", services.retention.rpc.SELLER_METHODS),
    (telemetry_pb2, "TelemetryService", services.telemetry.rpc.SERVICE_METHODS),
    (telemetry_pb2, "TelemetryStream", services.telemetry.rpc.STREAM_METHODS),
    (telemetry_pb2, "TelemetryAdmin", services.telemetry.rpc.ADMIN_METHODS),
    (webhooks_pb2, "WebhookAdmin", services.telemetry.rpc.WEBHOOK_METHODS),
)
AUDIT_KINDS = (
    services.auth.model.audit.Kind,
    services.gateway.model.audit.Kind,
    services.retention.model.audit.Kind,
    services.telemetry.model.kinds.Kind,
)
SETTINGS: Mapping[str, Sequence[Setting]] = {
    "auth": services.auth.config.SETTINGS,
    "gateway": services.gateway.config.SETTINGS,
    "retention": services.retention.config.SETTINGS,
    "telemetry": services.telemetry.config.SETTINGS,
    "console": sallyport.access.SETTINGS,
}


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `inventory` on the command line."""
    parser = verbs.add_parser(
        "inventory",
        help="routes, RPCs, event kinds, metrics, configuration keys",
        description="List what the services offer and say. Nothing is started.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.set_defaults(verb=_run)


def take() -> Inventory:
    """Return the inventory: section name → rows, each sorted by what identifies it."""
    return {
        "routes": list(_routes()),
        "rpcs": list(_rpcs()),
        "event_kinds": [
            {"kind": kind} for kind in sorted(str(kind) for kinds in AUDIT_KINDS for kind in kinds)
        ],
        "metrics": list(_metrics()),
        "configuration_keys": list(_settings()),
    }


def _routes() -> Iterator[dict[str, Any]]:
    for route in faces_with_nothing_behind().routes():
        yield {"method": route.method, "path": route.path, "event": route.event}
    documents = DocumentsFace(documents=cast("Any", None))
    spapi = SpapiFace(forwarder=cast("Any", None), proofs=cast("Any", None))
    for way in (*documents.ways(), spapi.way()):
        yield {"method": way.method, "path": way.path, "event": way.event}


def faces_with_nothing_behind() -> Faces:
    """Return the gateway's faces as they are declared; none of them can answer."""
    nothing = cast("Any", _Nothing())
    behind = {"visitors": nothing, "renderer": nothing}
    people = PeoplePages(
        entry=EntryPages(portal=nothing, entry=nothing, arrivals=nothing, **behind),
        security=SecurityPages(security=nothing, entry=nothing, arrivals=nothing, clock=nothing, **behind),
        team=TeamPages(team=nothing, origin="", **behind),
        staff=StaffPages(desk=nothing, clock=nothing, **behind),
    )
    return Faces(
        desktops=DesktopPages(desktops=nothing, **behind),
        consents=ConsentPages(portal=nothing, consents=nothing, clock=nothing, **behind),
        people=people,
        portal=PortalPages(portal=nothing, origin="", clock=nothing, **behind),
        authorize=AuthorizePages(apps=nothing, **behind),
        oauth=OAuthFace(apps=nothing, watch=nothing, proofs=nothing, issuer=""),
        lwa=LwaFace(apps=nothing, watch=nothing),
    )


class _Nothing:
    """Stands where a part would; has every attribute, and each is nothing too."""

    def __getattr__(self, name: str) -> "_Nothing":
        return self


def _rpcs() -> Iterator[dict[str, Any]]:
    for module, service, methods in RPC_TABLES:
        package = module.DESCRIPTOR.package
        for name, method in sorted(methods.items()):
            yield {
                "rpc": f"{package}.{service}/{name}",
                "callers": sorted(method.callers),
                "deadline_s": method.deadline_s,
                "event": str(method.event),
            }


def _metrics() -> Iterator[dict[str, Any]]:
    registry = chassis.metrics.Registry()
    services.auth.signals.Signals(registry)
    services.gateway.signals.Signals(registry, (operation.name for operation in Catalogue.load()))
    services.retention.signals.Signals(registry)
    services.telemetry.signals.Signals(registry)
    for name, text in sorted(registry.texts.items()):
        yield {"metric": name, "text": text}


def _settings() -> Iterator[dict[str, Any]]:
    for service, settings in SETTINGS.items():
        for setting in settings:
            yield {"service": service, "key": setting.name, "text": setting.text, "default": setting.default}


def _run(options: argparse.Namespace) -> int:
    inventory = take()
    if options.json:
        json.dump(inventory, sys.stdout, indent=1)
        sys.stdout.write("\n")
        return 0
    for section, rows in inventory.items():
        sys.stdout.write(f"\n{section.replace('_', ' ')} ({len(rows)})\n")
        for row in rows:
            sys.stdout.write(f"  {'  '.join(_shown(value) for value in row.values())}\n")
    return 0


def _shown(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value if value is not None else "required")
