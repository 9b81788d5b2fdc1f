"""The gRPC edge: who may call what, and how messages become values and back.

The gateway speaks for people and desktops; only the operators' console decides for the vendor. Both see
tokens of ours exactly once, when they are issued, and never a refresh token of Amazon's (T-06, T-19).
"""

from collections.abc import Sequence

import chassis.rpc
from services.auth.rpc.admin import AuthAdmin
from services.auth.rpc.applications import ApplicationAdmin
from services.auth.rpc.authorization import AuthorizationService
from services.auth.rpc.consents import ConsentCalls
from services.auth.rpc.devices import DeviceCalls
from services.auth.rpc.gateway import GatewayCalls
from services.auth.rpc.keys import KeyAdmin
from services.auth.rpc.lending import LendingCalls
from services.auth.rpc.methods import (
    ADMIN_METHODS,
    APPLICATION_METHODS,
    AUTHORIZATION_METHODS,
    CONSENT_METHODS,
    KEY_METHODS,
    LENDING_METHODS,
    PEOPLE_ADMIN_METHODS,
    PEOPLE_METHODS,
    SELLER_METHODS,
    SERVICE_METHODS,
)
from services.auth.rpc.people import PeopleCalls
from services.auth.rpc.people_members import PeopleAdmin, PeopleService
from services.auth.rpc.sellers import SellerAdmin
from services.auth.service import UseCases
from wire.auth.v1 import (
    applications_pb2,
    applications_pb2_grpc,
    auth_pb2,
    auth_pb2_grpc,
    authorization_pb2,
    authorization_pb2_grpc,
    consents_pb2,
    consents_pb2_grpc,
    keys_pb2,
    keys_pb2_grpc,
    lending_pb2,
    lending_pb2_grpc,
    people_pb2,
    people_pb2_grpc,
    sellers_pb2,
    sellers_pb2_grpc,
)

__all__ = [
    "ADMIN_METHODS",
    "APPLICATION_METHODS",
    "AUTHORIZATION_METHODS",
    "CONSENT_METHODS",
    "KEY_METHODS",
    "LENDING_METHODS",
    "PEOPLE_ADMIN_METHODS",
    "PEOPLE_METHODS",
    "SELLER_METHODS",
    "SERVICE_METHODS",
    "AuthService",
    "services",
]


class AuthService(PeopleCalls, DeviceCalls, GatewayCalls, auth_pb2_grpc.AuthServiceServicer):
    """What the gateway needs while desktops and browsers are served."""

    def __init__(self, use_cases: UseCases) -> None:
        PeopleCalls.__init__(self, use_cases)
        DeviceCalls.__init__(self, use_cases)
        GatewayCalls.__init__(self, use_cases)


def services(use_cases: UseCases) -> Sequence[chassis.rpc.Service]:
    """Return every surface, ready for a server."""
    return (*_for_gateway(use_cases), *_for_console(use_cases))


def _for_gateway(use_cases: UseCases) -> Sequence[chassis.rpc.Service]:
    return (
        chassis.rpc.Service(
            descriptor=auth_pb2.DESCRIPTOR.services_by_name["AuthService"],
            add=auth_pb2_grpc.add_AuthServiceServicer_to_server,
            servicer=AuthService(use_cases),
            methods=SERVICE_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=authorization_pb2.DESCRIPTOR.services_by_name["AuthorizationService"],
            add=authorization_pb2_grpc.add_AuthorizationServiceServicer_to_server,
            servicer=AuthorizationService(use_cases),
            methods=AUTHORIZATION_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=lending_pb2.DESCRIPTOR.services_by_name["LendingService"],
            add=lending_pb2_grpc.add_LendingServiceServicer_to_server,
            servicer=LendingCalls(use_cases),
            methods=LENDING_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=consents_pb2.DESCRIPTOR.services_by_name["ConsentService"],
            add=consents_pb2_grpc.add_ConsentServiceServicer_to_server,
            servicer=ConsentCalls(use_cases),
            methods=CONSENT_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=people_pb2.DESCRIPTOR.services_by_name["PeopleService"],
            add=people_pb2_grpc.add_PeopleServiceServicer_to_server,
            servicer=PeopleService(use_cases.people),
            methods=PEOPLE_METHODS,
        ),
    )


def _for_console(use_cases: UseCases) -> Sequence[chassis.rpc.Service]:
    return (
        chassis.rpc.Service(
            descriptor=people_pb2.DESCRIPTOR.services_by_name["PeopleAdmin"],
            add=people_pb2_grpc.add_PeopleAdminServicer_to_server,
            servicer=PeopleAdmin(use_cases.people),
            methods=PEOPLE_ADMIN_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=sellers_pb2.DESCRIPTOR.services_by_name["SellerAdmin"],
            add=sellers_pb2_grpc.add_SellerAdminServicer_to_server,
            servicer=SellerAdmin(use_cases.offboarding),
            methods=SELLER_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=auth_pb2.DESCRIPTOR.services_by_name["AuthAdmin"],
            add=auth_pb2_grpc.add_AuthAdminServicer_to_server,
            servicer=AuthAdmin(use_cases.admin, use_cases.people.members),
            methods=ADMIN_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=applications_pb2.DESCRIPTOR.services_by_name["ApplicationAdmin"],
            add=applications_pb2_grpc.add_ApplicationAdminServicer_to_server,
            servicer=ApplicationAdmin(use_cases.applications),
            methods=APPLICATION_METHODS,
        ),
        chassis.rpc.Service(
            descriptor=keys_pb2.DESCRIPTOR.services_by_name["KeyAdmin"],
            add=keys_pb2_grpc.add_KeyAdminServicer_to_server,
            servicer=KeyAdmin(use_cases.keys),
            methods=KEY_METHODS,
        ),
    )
