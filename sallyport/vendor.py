"""What the vendor's operator does before a seller comes: register the application, create sellers, invite."""

from contextlib import suppress

import chassis.errors
from sallyport.access import Admin
from sallyport.stack import Stack
from wire.auth.v1 import applications_pb2, auth_pb2, people_pb2

SELLER_NAME = "Example Seller"
USER_NAME = "Owner"
STAFF_NAME = "Security"


async def register_application(stack: Stack, admin: Admin) -> None:
    """Tell auth the application's identifiers and secret, once: auth renews the secret itself after that."""
    known = applications_pb2.ShowApplicationRequest(application_id=stack.application.application_id)
    with suppress(chassis.errors.Conflict):
        await admin.applications.ShowApplication(known)
        return
    await admin.auth.RegisterApplication(
        auth_pb2.RegisterApplicationRequest(
            application_id=stack.application.application_id,
            client_id=stack.application.client_id,
            client_secret=stack.application.client_secret,
        )
    )


async def create_seller(admin: Admin) -> str:
    """Return the id of a new seller."""
    seller = await admin.auth.CreateSeller(auth_pb2.CreateSellerRequest(name=SELLER_NAME))
    return seller.seller_id


async def invite(stack: Stack, admin: Admin, seller_id: str) -> str:
    """Return the address at which a new owner of a seller comes in once."""
    request = auth_pb2.InviteUserRequest(seller_id=seller_id, user_name=USER_NAME)
    return _address(stack, (await admin.auth.InviteUser(request)).invitation)


async def invite_staff(stack: Stack, admin: Admin) -> str:
    """Return the address at which somebody new who looks after the vendor's security comes in once."""
    request = people_pb2.InviteStaffRequest(name=STAFF_NAME, role=auth_pb2.ROLE_SECURITY)
    return _address(stack, (await admin.people.InviteStaff(request)).invitation)


def _address(stack: Stack, invitation: str) -> str:
    return f"{stack.layout.public_url}/portal/enter/{invitation}"
