"""What clients learn about this authorization server; it names only what is served.

Source: RFC 8414, section 2; RFC 8628, 4; RFC 9207; RFC 9449, 5.1.
"""

from collections.abc import Mapping

from services.gateway.model.calls import PROOF_ALGORITHMS
from services.gateway.model.native import CHALLENGE_METHOD, SCOPE_PROMISES
from services.gateway.web.authorize import AUTHORIZE
from services.gateway.web.grants import GRANTS

TOKEN = "/oauth/token"  # noqa: S105 - a path
DEVICE_AUTHORIZATION = "/oauth/device_authorization"
REVOKE = "/oauth/revoke"
INTROSPECT = "/oauth/introspect"
METADATA_PATHS = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
# Clients may ask again after this long; nothing in it changes without a release.
METADATA_AGE_S = 3_600


def metadata(issuer: str) -> Mapping[str, object]:
    """Return the metadata document.

    A device shows its own bound access token at the introspection endpoint, which is a method of its own
    ("DPoP", from the registry of access token types). There are no keys to fetch: nothing is signed.
    """
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "device_authorization_endpoint": issuer + DEVICE_AUTHORIZATION,
        "revocation_endpoint": issuer + REVOKE,
        "introspection_endpoint": issuer + INTROSPECT,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "scopes_supported": list(SCOPE_PROMISES),
        "code_challenge_methods_supported": [CHALLENGE_METHOD],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "introspection_endpoint_auth_methods_supported": ["DPoP"],
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
    }
