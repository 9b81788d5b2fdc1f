"""Who comes in first at a stack on one's own machine, over a whole auth on fakes: start after start."""

from pathlib import Path
from typing import Any, cast

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import House
from fakes.passkey_device import PasskeyDevice
from sallyport.access import Admin
from sallyport.layout import Layout
from sallyport.stack import Application, Stack
from sallyport.welcome import PEOPLE_FILE, SIGN_IN, welcome
from services.auth.rpc.admin import AuthAdmin
from services.auth.rpc.people_members import PeopleAdmin
from services.auth.rpc.sellers import SellerAdmin

ENTER = "/portal/enter/"
NOBODY = cast("Any", None)


class Straight:
    """Calls a service without a wire in between."""

    def __init__(self, service: object) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._service, name)
        return lambda request: call(request, None)


class Machine:
    """A machine with a stack on it, of which auth alone is there."""

    def __init__(self, folder: Path) -> None:
        self.house = House()
        self.folder = folder
        self._stack = Stack(Layout(folder), NOBODY, NOBODY, Application("", "", ""))

    async def start(self) -> tuple[str, str]:
        """Return where the owner and the staff begin, without the gateway's address."""
        use = self.house.use
        admin = Admin(
            auth=cast("Any", Straight(AuthAdmin(use.admin, use.people.members))),
            people=cast("Any", Straight(PeopleAdmin(use.people))),
            sellers=cast("Any", Straight(SellerAdmin(use.offboarding))),
            **dict.fromkeys(("applications", "keys", "retention", "telemetry", "webhooks", "vault"), NOBODY),
        )
        begin = await welcome(self._stack, admin)
        origin = self._stack.layout.public_url
        return begin.owner_url.removeprefix(origin), begin.staff_url.removeprefix(origin)

    async def settle(self, path: str) -> tuple[str, str]:
        """Follow an invitation and set up a passkey; return the ids of the person and of their seller."""
        token, _ = await self.house.use.sessions.redeem_invitation(Secret(path.removeprefix(ENTER)))
        passkeys = self.house.use.people.passkeys
        ceremony, options = await passkeys.begin_registration(token)
        credential = PasskeyDevice(seed=path).create(options)
        _, opened = await passkeys.register(token, ceremony.text, credential_json=credential, name="Phone")
        assert opened is not None
        session = opened[1].session
        return session.user_id, session.seller_id


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def test_both_are_invited_until_they_have_set_up_a_way_to_sign_in(machine: Machine) -> None:
    first = await machine.start()
    second = await machine.start()
    assert all(path.startswith(ENTER) for path in (*first, *second))
    await machine.settle(second[0])
    assert (await machine.start())[0] == SIGN_IN


async def test_somebody_new_is_invited_in_the_place_of_one_who_was_put_out(machine: Machine) -> None:
    owner, staff = await machine.start()
    people = [(await machine.settle(path))[0] for path in (owner, staff)]
    for user_id in people:
        await machine.house.use.people.members.remove_anybody(user_id, reason="left the company")
    again = [(await machine.settle(path))[0] for path in await machine.start()]
    assert set(people).isdisjoint(again)
    assert await machine.start() == (SIGN_IN, SIGN_IN)


async def test_a_seller_who_left_for_good_is_followed_by_a_new_one(machine: Machine) -> None:
    owner, _ = await machine.start()
    _, seller_id = await machine.settle(owner)
    await machine.house.use.offboarding.offboard(seller_id, reason="closed their business")
    _, next_id = await machine.settle((await machine.start())[0])
    assert next_id != seller_id
    assert (await machine.start())[0] == SIGN_IN


async def test_who_they_are_is_kept_for_the_owner_of_the_folder_alone(machine: Machine) -> None:
    await machine.start()
    assert (machine.folder / PEOPLE_FILE).stat().st_mode & 0o077 == 0
