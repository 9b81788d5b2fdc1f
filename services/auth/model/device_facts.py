"""What a desktop says about itself. Nobody verifies it: it helps people and alarms, and decides nothing."""

import re
from dataclasses import dataclass
from enum import StrEnum

from services.auth.model.device_refusals import InvalidDeviceFacts

# As version numbers are written, e.g. "4.2.0-beta.1+arm64".
VERSION_FORM = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,31}", re.ASCII)


class Platform(StrEnum):
    """What a desktop runs on."""

    WINDOWS = "windows"
    MACOS = "macos"
    LINUX = "linux"
    OTHER = "other"


class KeyStorage(StrEnum):
    """Where a desktop keeps its key: in the operating system's keystore, or in a file (T-01)."""

    OS_KEYSTORE = "os_keystore"
    FILE = "file"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class DeviceFacts:
    """What a desktop says about itself.

    Attributes:
        app_version: of the vendor's application; empty when it was not told.
    """

    platform: Platform = Platform.OTHER
    app_version: str = ""
    key_storage: KeyStorage = KeyStorage.UNKNOWN


NOTHING_KNOWN = DeviceFacts()


def device_facts(platform: str, app_version: str, key_storage: str) -> DeviceFacts:
    """Return the facts in a desktop's own words; an empty word says nothing.

    Raises:
        InvalidDeviceFacts: a word that is not known here, or no version.
    """
    try:
        return DeviceFacts(
            platform=Platform(platform or Platform.OTHER),
            app_version=version(app_version),
            key_storage=KeyStorage(key_storage or KeyStorage.UNKNOWN),
        )
    except ValueError as error:
        raise InvalidDeviceFacts from error


def version(app_version: str) -> str:
    """Return an application's version, or an empty text as it is.

    Raises:
        InvalidDeviceFacts: not a version.
    """
    if app_version and not VERSION_FORM.fullmatch(app_version):
        raise InvalidDeviceFacts
    return app_version
