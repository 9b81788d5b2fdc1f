"""Who comes in first at a stack on this machine: an owner of its one seller, and one of the vendor's staff.

Each is invited until they have set up a way to sign in; from then on the sign-in page is where they go. Who
they are is kept in the state folder. Who was put out, or left with the seller, is followed by somebody new.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

import sallyport.engines.authority
import sallyport.vendor
from sallyport.access import Admin
from sallyport.stack import Stack
from wire.auth.v1 import auth_pb2, people_pb2, sellers_pb2

PEOPLE_FILE = "people.json"
SIGN_IN = "/portal/sign-in"


@dataclass(frozen=True)
class Welcome:
    """Where both begin."""

    owner_url: str
    staff_url: str


async def welcome(stack: Stack, admin: Admin) -> Welcome:
    """Return where both begin; the seller is created, and each of them invited, when there is need."""
    file = stack.layout.folder / PEOPLE_FILE
    kept = orjson.loads(file.read_bytes()) if file.exists() else {}
    seller_id = await _seller(admin, kept.get("seller_id", ""))
    people = await _people(admin)
    owner_id, staff_id = (kept[who] if kept.get(who) in people else "" for who in ("owner_id", "staff_id"))
    owner_path = staff_path = SIGN_IN
    if not people.get(owner_id):
        owner_id, owner_path = await _invite_owner(admin, seller_id, owner_id)
    if not people.get(staff_id):
        staff_id, staff_path = await _invite_staff(admin, staff_id)
    known = {"seller_id": seller_id, "owner_id": owner_id, "staff_id": staff_id}
    sallyport.engines.authority.write_private(file, orjson.dumps(known))
    origin = stack.layout.public_url
    return Welcome(origin + owner_path, origin + staff_path)


async def _seller(admin: Admin, seller_id: str) -> str:
    """Return the id of the stack's seller: a new one where there is none, or where it has left for good."""
    if seller_id:
        found = await admin.sellers.FindSeller(sellers_pb2.FindSellerRequest(seller_id=seller_id))
        if not found.HasField("offboarding"):
            return seller_id
    return await sallyport.vendor.create_seller(admin)


async def _people(admin: Admin) -> Mapping[str, bool]:
    """Return whether they have something to sign in with, by the ids of everybody who is here."""
    rows = admin.people.ExportAccess(people_pb2.ExportAccessRequest())
    return {row.user_id: bool(row.credentials) async for row in rows if not row.device_id}


async def _invite_owner(admin: Admin, seller_id: str, user_id: str) -> tuple[str, str]:
    invited = await admin.auth.InviteUser(
        auth_pb2.InviteUserRequest(seller_id=seller_id, user_name=sallyport.vendor.USER_NAME, user_id=user_id)
    )
    return invited.user_id, f"/portal/enter/{invited.invitation}"


async def _invite_staff(admin: Admin, user_id: str) -> tuple[str, str]:
    invited = await admin.people.InviteStaff(
        people_pb2.InviteStaffRequest(
            name=sallyport.vendor.STAFF_NAME, role=auth_pb2.ROLE_SECURITY, user_id=user_id
        )
    )
    return invited.user_id, f"/portal/enter/{invited.invitation}"
