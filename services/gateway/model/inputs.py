"""Bytes that strangers send to the faces for people and for tokens, read strictly into names and values.

Every name at most once, every value a text, nothing beyond the bounds; what cannot be read is refused
whole. A value that is empty counts as absent (RFC 6749, 3.1).
"""

import base64
import binascii
import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

import orjson

import chassis.errors

# Every form of ours is far below this; so is every token request seen from a library.
FORM_BYTES_MAX = 16_384
FIELDS_MAX = 32
BASIC_CHARS_MAX = 512


class InvalidRequest(chassis.errors.InvalidInput):
    """The request cannot be read as what it must be."""

    code = "invalid_request"
    text = "The request is not well-formed."


class BodyTooLarge(chassis.errors.InvalidInput):
    """The form is larger than any that is sent here."""

    code = "body_too_large"
    text = "The request is too large."
    http_status = 413


def read_form(encoded: bytes) -> dict[str, str]:
    """Return the fields of a form.

    Raises:
        BodyTooLarge: more than FORM_BYTES_MAX.
        InvalidRequest: not a form, not UTF-8, a name twice, or more than FIELDS_MAX.
    """
    _check_size(encoded)
    try:
        pairs = parse_qsl(
            encoded.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError as error:
        raise InvalidRequest from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidRequest("A field is given more than once.")
    return {name: value for name, value in fields.items() if value}


def read_query(query: str) -> dict[str, str]:
    """Return the fields of a URL's query, as it came; see `read_form`."""
    return read_form(query.encode("utf-8", "surrogateescape"))


def read_json(encoded: bytes) -> dict[str, str]:
    """Return the members of a JSON object whose values are all texts; a null counts as absent.

    Raises:
        BodyTooLarge: more than FORM_BYTES_MAX.
        InvalidRequest: anything else that is not such an object.
    """
    _check_size(encoded)
    try:
        members = orjson.loads(encoded)
        # The same again, because the first one forgets all but the last member of a name.
        pairs = json.loads(encoded, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest from error
    if not isinstance(members, dict) or len(members) > FIELDS_MAX:
        raise InvalidRequest("The body is not an object of a few members.")
    if len(members) != len(pairs):
        raise InvalidRequest("A member is given more than once.")
    if not all(isinstance(value, str) for value in members.values() if value is not None):
        raise InvalidRequest("A member is not a text.")
    return {name: value for name, value in members.items() if value}


def required(fields: Mapping[str, str], name: str) -> str:
    """Return a field that must be there.

    Raises:
        InvalidRequest: it is not.
    """
    if name not in fields:
        raise InvalidRequest(f"{name} is missing.")
    return fields[name]


def basic_user(authorization: str) -> str:
    """Return the user of HTTP Basic credentials whose password is empty, as public clients send them.

    Raises:
        InvalidRequest: other credentials; a public client has no password.
    """
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic" or len(encoded) > BASIC_CHARS_MAX:
            raise InvalidRequest("Public clients authenticate with their client_id alone.")
        user, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("The Authorization header is not well-formed.") from error
    if password or not user:
        raise InvalidRequest("Public clients have a name and no password.")
    return user


def _check_size(encoded: bytes) -> None:
    if len(encoded) > FORM_BYTES_MAX:
        raise BodyTooLarge
