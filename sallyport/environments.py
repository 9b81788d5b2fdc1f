"""What each process of one machine's stack finds in its environment. Paths and addresses, never a secret."""

import os
from collections.abc import Mapping

import sallyport.provision
import sallyport.provision.handout
from sallyport.layout import LOOPBACK, Layout
from sallyport.provision.ground import Ground

MACHINE_KEYS = ("PATH", "LANG", "LC_ALL", "TZ")


def of_service(service: str, layout: Layout, ground: Ground) -> dict[str, str]:
    """Return the whole environment of a service's process."""
    return {**_machine(), **_common(service, layout, ground), **_own(service, layout, ground)}


def of_console(layout: Layout, ground: Ground) -> dict[str, str]:
    """Return the settings with which an operator's verb reaches this stack."""
    vault = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, "console")
    return {
        **sallyport.provision.handout.vault_settings(vault),
        **{
            f"SALLYPORT_{peer.upper()}_ADDRESS": _rpc(layout, peer)
            for peer in ("auth", "retention", "telemetry")
        },
    }


def _own(service: str, layout: Layout, ground: Ground) -> Mapping[str, str]:
    match service:
        case "auth":
            return _auth(layout)
        case "gateway":
            return _gateway(layout)
        case "retention":
            return _retention(layout, ground)
    return {}


def _machine() -> dict[str, str]:
    return {key: os.environ[key] for key in MACHINE_KEYS if key in os.environ}


def _common(service: str, layout: Layout, ground: Ground) -> dict[str, str]:
    vault = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, service)
    stored = service in sallyport.provision.SERVICES_WITH_STORE
    database = sallyport.provision.handout.database_config(ground.postgres)
    return {
        "SALLYPORT_MODE": "development",
        "SALLYPORT_LISTEN": _rpc(layout, service),
        "SALLYPORT_PRIVATE_LISTEN": f"{LOOPBACK}:{layout.private_port(service)}",
        "SALLYPORT_DEVELOPMENT_CLOCK_FILE": str(layout.clock_file),
        **sallyport.provision.handout.vault_settings(vault),
        **(sallyport.provision.handout.database_settings(database) if stored else {}),
    }


def _auth(layout: Layout) -> Mapping[str, str]:
    return {
        **_amazon(layout),
        "SALLYPORT_LWA_URL": layout.amazon_url,
        "SALLYPORT_QUEUE_URL": layout.queue_url,
        "SALLYPORT_QUEUE_ENDPOINT": layout.amazon_url,
        "SALLYPORT_QUEUE_KEY_FILE": str(layout.queue_key_file),
        "SALLYPORT_AMAZON_CONSENT_URL": layout.amazon_url,
        "SALLYPORT_PUBLIC_URL": layout.public_url,
        **{f"SALLYPORT_{peer.upper()}_ADDRESS": _rpc(layout, peer) for peer in ("retention", "telemetry")},
    }


def _gateway(layout: Layout) -> Mapping[str, str]:
    return {
        **_amazon(layout),
        # The links in the cases of Amazon's static sandbox lead to Amazon's own hosts.
        "SALLYPORT_DOCUMENT_HOSTS": f"{layout.storage_url.removeprefix('https://')},amazon",
        "SALLYPORT_PUBLIC_LISTEN": f"{LOOPBACK}:{layout.gateway_port}",
        "SALLYPORT_PUBLIC_URL": layout.public_url,
        **{
            f"SALLYPORT_{peer.upper()}_ADDRESS": _rpc(layout, peer)
            for peer in ("auth", "retention", "telemetry")
        },
    }


def _retention(layout: Layout, ground: Ground) -> Mapping[str, str]:
    return {
        "SALLYPORT_TELEMETRY_ADDRESS": _rpc(layout, "telemetry"),
        "SALLYPORT_VERIFIER_ROLE_ID_FILE": str(ground.folder.role_id_file("verifier")),
        "SALLYPORT_VERIFIER_SECRET_ID_FILE": str(ground.folder.secret_id_file("verifier")),
    }


def _amazon(layout: Layout) -> Mapping[str, str]:
    return {
        **{f"SALLYPORT_SPAPI_URL_{region}": layout.amazon_url for region in ("NA", "EU", "FE")},
        "SALLYPORT_AMAZON_CA_FILE": str(layout.amazon_ca_file),
    }


def _rpc(layout: Layout, service: str) -> str:
    return f"{LOOPBACK}:{layout.rpc_port(service)}"
