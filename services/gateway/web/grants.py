"""What the vendor's desktop application sends to the token endpoints, read into the model's values."""

from collections.abc import Mapping, Sequence

from chassis.secrecy import Secret
from services.gateway.model import inputs, token_faults
from services.gateway.model.device_facts import VERSION_FIELD, read_facts
from services.gateway.model.native import VERIFIER, CodeGrant, DeviceCodeGrant, RefreshGrant
from services.gateway.service.apps import Grant

# Source: RFC 8628, 3.4.
DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS = ("authorization_code", "refresh_token", DEVICE_CODE_GRANT)


def client_id(fields: Mapping[str, str], authorizations: Sequence[str]) -> str:
    """Return the client's name, from the body or from HTTP Basic with an empty password.

    Raises:
        InvalidRequest: none, two that differ, or one with a secret.
    """
    named = {inputs.basic_user(authorization) for authorization in authorizations}
    if "client_id" in fields:
        named.add(fields["client_id"])
    if len(named) != 1 or "client_secret" in fields:
        raise inputs.InvalidRequest("The client names itself once, by its client_id alone.")
    return named.pop()


def read_grant(fields: Mapping[str, str], client: str) -> Grant:
    """Return what a client shows for tokens.

    Raises:
        InvalidRequest: something is missing, or not of its form.
        UnsupportedGrant: a grant that nobody gets tokens for.
    """
    match fields.get("grant_type"):
        case "authorization_code":
            verifier = inputs.required(fields, "code_verifier")
            if VERIFIER.fullmatch(verifier) is None:
                raise inputs.InvalidRequest("code_verifier must have 43 to 128 unreserved characters.")
            return CodeGrant(
                client_id=client,
                code=Secret(inputs.required(fields, "code")),
                code_verifier=Secret(verifier),
                redirect_uri=inputs.required(fields, "redirect_uri"),
            )
        case "refresh_token":
            token = Secret(inputs.required(fields, "refresh_token"))
            version = read_facts({VERSION_FIELD: fields.get(VERSION_FIELD, "")}).app_version
            return RefreshGrant(client_id=client, refresh_token=token, app_version=version)
        case grant_type if grant_type == DEVICE_CODE_GRANT:
            code = Secret(inputs.required(fields, "device_code"))
            return DeviceCodeGrant(client_id=client, device_code=code)
        case None:
            raise inputs.InvalidRequest("grant_type is missing.")
        case _:
            raise token_faults.UnsupportedGrant
