"""People who sign in with a passkey, as tests need them."""

from chassis.secrecy import Secret
from fakes.auth_house import House, Person
from fakes.passkey_device import PasskeyDevice
from services.auth.service.sessions import Opened


async def sign_in(house: House, device: PasskeyDevice) -> Opened:
    """Return the session that a device's passkey opens."""
    ceremony, options = await house.use.people.passkeys.begin_sign_in()
    return await house.use.people.passkeys.sign_in(ceremony.text, device.get(options))


async def fresh(house: House, person: Person) -> Secret[str]:
    """Return the token of a session that began just now."""
    return (await sign_in(house, person.device))[0]


async def register(house: House, session_token: Secret[str], device: PasskeyDevice, name: str = "Key") -> str:
    """Return the id of a new passkey."""
    ceremony, options = await house.use.people.passkeys.begin_registration(session_token)
    named, _ = await house.use.people.passkeys.register(
        session_token, ceremony.text, credential_json=device.create(options), name=name
    )
    return named.passkey.passkey_id
