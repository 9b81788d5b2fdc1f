"""Parts of auth's messages that several of its clients read or write."""

from chassis.secrecy import Secret
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.native import TokenSet
from wire.auth.v1 import auth_pb2


def facts(known: DeviceFacts) -> auth_pb2.DeviceFacts:
    """Return what a desktop said about itself, as auth hears it."""
    return auth_pb2.DeviceFacts(
        platform=known.platform, app_version=known.app_version, key_storage=known.key_storage
    )


def facts_told(told: auth_pb2.DeviceFacts) -> DeviceFacts:
    """Return what a desktop said about itself, as auth tells it."""
    return DeviceFacts(told.platform, told.app_version, told.key_storage)


def token_set(told: auth_pb2.TokenSet) -> TokenSet:
    """Return what a device is handed."""
    return TokenSet(
        access_token=Secret(told.access_token),
        refresh_token=Secret(told.refresh_token),
        expires_in_s=told.expires_in_s,
        scopes=tuple(told.scopes),
    )
