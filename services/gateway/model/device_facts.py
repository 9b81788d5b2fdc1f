"""What a desktop says about itself, in the parameters of its requests. Nobody verifies it.

device_platform      windows, macos, linux or other
device_version       of the vendor's application, as version numbers are written
device_key_storage   os_keystore, file or unknown
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import chassis.errors

PLATFORM_FIELD = "device_platform"
VERSION_FIELD = "device_version"
KEY_STORAGE_FIELD = "device_key_storage"
PLATFORMS = frozenset({"windows", "macos", "linux", "other"})
KEY_STORAGES = frozenset({"os_keystore", "file", "unknown"})
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,31}", re.ASCII)


class FactsUnreadable(chassis.errors.InvalidInput):
    """One of the parameters is in other words than the known ones."""

    code = "invalid_request"
    text = "device_platform, device_version or device_key_storage is not of a known form."


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a desktop says about itself; an empty text says nothing."""

    platform: str = ""
    app_version: str = ""
    key_storage: str = ""

    def fields(self) -> tuple[tuple[str, str], ...]:
        """Return the parameters that say this again, without those that say nothing."""
        named = (
            (PLATFORM_FIELD, self.platform),
            (VERSION_FIELD, self.app_version),
            (KEY_STORAGE_FIELD, self.key_storage),
        )
        return tuple((name, value) for name, value in named if value)


def read_facts(parameters: Mapping[str, str]) -> DeviceFacts:
    """Return what a desktop says about itself.

    Raises:
        FactsUnreadable: not in words that are known here.
    """
    facts = DeviceFacts(
        platform=parameters.get(PLATFORM_FIELD, ""),
        app_version=parameters.get(VERSION_FIELD, ""),
        key_storage=parameters.get(KEY_STORAGE_FIELD, ""),
    )
    is_known = facts.platform in {"", *PLATFORMS} and facts.key_storage in {"", *KEY_STORAGES}
    if not is_known or (facts.app_version and not VERSION.fullmatch(facts.app_version)):
        raise FactsUnreadable
    return facts
