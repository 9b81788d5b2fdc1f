"""Who comes in first at a stack on this machine: an owner of its one seller, and one of the vendor's staff.

Each is invited until they have set up a way to sign in; from then on the sign-in page is where they go. Who
they are is kept in the state folder.
"""

from dataclasses import dataclass

import orjson

import sallyport.vendor
from sallyport.access import Admin
from sallyport.stack import Stack
from wire.auth.v1 import auth_pb2, people_pb2

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
    seller_id = kept.get("seller_id") or await sallyport.vendor.create_seller(admin)
    owner_id, staff_id = kept.get("owner_id", ""), kept.get("staff_id", "")
    owner_path = staff_path = SIGN_IN
    settled = await _settled(admin)
    if owner_id not in settled:
        owner_id, owner_path = await _invite_owner(admin, seller_id, owner_id)
    if staff_id not in settled:
        staff_id, staff_path = await _invite_staff(admin, staff_id)
    file.write_bytes(orjson.dumps({"seller_id": seller_id, "owner_id": owner_id, "staff_id": staff_id}))
    origin = stack.layout.public_url
    return Welcome(origin + owner_path, origin + staff_path)


async def _settled(admin: Admin) -> frozenset[str]:
    """Return the ids of everybody who has something to sign in with."""
    rows = admin.people.ExportAccess(people_pb2.ExportAccessRequest())
    return frozenset([row.user_id async for row in rows if row.credentials and not row.device_id])


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
