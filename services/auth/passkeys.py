"""WebAuthn: what a browser is asked, and whether its answer is a passkey's.

- The relying party is the host of the public origin; an answer made for any other origin, or inside another
  site's frame, is refused.
- The person is verified on the device at each use, and no attestation is asked for: which make of device
  it is, is nobody's business here.
- Everything in an answer is a stranger's until it is verified: whatever the library makes of odd bytes
  ends as one refusal (T-10).
"""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, parse_attestation_object, parse_client_data_json
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.auth.model.ceremonies import PASSKEY_LIFE
from services.auth.model.passkeys import CREDENTIAL_CHARS_MAX, Assertion, Attested, Passkey
from services.auth.model.people_refusals import PasskeyRefused, SignInRefused

TIMEOUT_MS = int(PASSKEY_LIFE.total_seconds() * 1000)
# Source: WebAuthn, 4, "credential ID".
CREDENTIAL_ID_BYTES_MAX = 1_023
PUBLIC_KEY_BYTES_MAX = 2_048
USER_HANDLE_BYTES_MAX = 64
# A browser that was asked for no attestation leaves none, or one by the passkey itself.
FORMATS = frozenset({AttestationFormat.NONE, AttestationFormat.PACKED})


class Passkeys:
    """The relying party of one public origin."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._rp_id = urlsplit(origin).hostname or ""

    def registration_options(
        self, challenge: bytes, *, user_handle: bytes, person_name: str, known: Sequence[bytes]
    ) -> str:
        """Return what `navigator.credentials.create` gets, as JSON.

        Args:
            challenge: fresh, for this registration only.
            user_handle: what the passkey keeps for the person; says nothing about them.
            person_name: for the device's own list of passkeys.
            known: the ids of the person's passkeys, none of which is registered twice.
        """
        options = webauthn.generate_registration_options(
            rp_id=self._rp_id,
            rp_name=self._rp_id,
            user_id=user_handle,
            user_name=person_name,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=credential_id) for credential_id in known],
        )
        return webauthn.options_to_json(options)

    def sign_in_options(self, challenge: bytes) -> str:
        """Return what `navigator.credentials.get` gets, as JSON; it names no passkey, so it tells nothing."""
        options = webauthn.generate_authentication_options(
            rp_id=self._rp_id,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            allow_credentials=[],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return webauthn.options_to_json(options)

    def attested(self, credential_json: str, challenge: bytes) -> Attested:
        """Return the new passkey of an answer to this challenge.

        Raises:
            PasskeyRefused: it is no such answer.
        """
        try:
            answer = _parsed(credential_json)
            _check_frame(answer)
            attestation = parse_attestation_object(
                base64url_to_bytes(answer["response"]["attestationObject"])
            )
            verified = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except Exception as error:
            raise PasskeyRefused from error
        is_short = len(verified.credential_id) <= CREDENTIAL_ID_BYTES_MAX
        if attestation.fmt not in FORMATS or not is_short:
            raise PasskeyRefused
        if len(verified.credential_public_key) > PUBLIC_KEY_BYTES_MAX:
            raise PasskeyRefused
        return Attested(
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
        )

    def claimed(self, credential_json: str) -> Assertion:
        """Return which passkey an answer claims to be from.

        Raises:
            SignInRefused: it is no answer.
        """
        try:
            answer = _parsed(credential_json)
            credential_id = base64url_to_bytes(answer["rawId"])
            user_handle = base64url_to_bytes(answer["response"]["userHandle"])
        except Exception as error:
            raise SignInRefused from error
        if len(credential_id) > CREDENTIAL_ID_BYTES_MAX or len(user_handle) > USER_HANDLE_BYTES_MAX:
            raise SignInRefused
        return Assertion(unverified_credential_id=credential_id, unverified_user_handle=user_handle)

    def asserted(self, credential_json: str, challenge: bytes, passkey: Passkey) -> int:
        """Return the authenticator's count of uses, if this passkey answered this challenge.

        Raises:
            SignInRefused: it did not, or did not verify the person.
        """
        try:
            answer = _parsed(credential_json)
            _check_frame(answer)
            verified = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                # The count is judged by the model, which tells a copied passkey from a wrong answer.
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except Exception as error:
            raise SignInRefused from error
        if verified.credential_id != passkey.credential_id:
            raise SignInRefused
        return verified.new_sign_count


def _parsed(credential_json: str) -> dict[str, Any]:
    if len(credential_json) > CREDENTIAL_CHARS_MAX:
        raise ValueError("too long")
    answer = json.loads(credential_json)
    if not isinstance(answer, dict):
        raise TypeError("not an object")
    return answer


def _check_frame(answer: dict[str, Any]) -> None:
    """Return if the answer was made in a page of its own, not inside another site's frame."""
    client_data = parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"]))
    if client_data.cross_origin:
        raise ValueError("inside a frame")
