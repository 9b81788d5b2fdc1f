"""What pages show of desktops: what one asks for and says about itself, in words for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.native import ALLOW_FIELD, OPTIONAL_SCOPES, SCOPE_PROMISES

PLATFORM_NAMES: Mapping[str, str] = MappingProxyType(
    {"windows": "Windows", "macos": "macOS", "linux": "Linux"}
)
KEY_IN_FILE = "key kept in a file"


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing that a desktop asks for; `field` names the box with which a person allows it, or is empty."""

    text: str
    field: str


def promises(scopes: tuple[str, ...]) -> tuple[Promise, ...]:
    """Return what a desktop asks for, what cannot be left out first."""
    ordered = sorted(scopes, key=lambda scope: scope in OPTIONAL_SCOPES)
    return tuple(
        Promise(SCOPE_PROMISES[scope], f"{ALLOW_FIELD}{scope}" if scope in OPTIONAL_SCOPES else "")
        for scope in ordered
    )


def facts(told: DeviceFacts) -> str:
    """Return what a desktop says about itself, e.g. "Windows, version 4.2.0"; empty when it says nothing."""
    version = f"version {told.app_version}" if told.app_version else ""
    storage = KEY_IN_FILE if told.key_storage == "file" else ""
    return ", ".join(word for word in (PLATFORM_NAMES.get(told.platform, ""), version, storage) if word)
