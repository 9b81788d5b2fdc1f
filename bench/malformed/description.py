"""An OpenAPI description of the gateway's faces, made in the run from its own catalogue of operations.

It says what a caller may send, not what Amazon answers: names of parameters come from the catalogue, types
are guesses that schemathesis is free to break.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bench.malformed.framing import TOKEN_HEADER
from services.gateway.catalogue.table import Catalogue
from services.gateway.model.operations import Operation

IN_PATH = re.compile(r"\{([^}]+)\}")
ANY_ANSWER = {"default": {"description": "anything"}}
BODILESS = frozenset({"GET", "DELETE"})
TEXT = {"type": "string"}
FORM = "application/x-www-form-urlencoded"
GRANT_FIELDS = ("grant_type", "client_id", "refresh_token", "client_secret", "scope", "code", "code_verifier")
ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "/auth/o2/token": GRANT_FIELDS,
    "/oauth/token": (*GRANT_FIELDS, "redirect_uri", "device_code"),
    "/oauth/device_authorization": ("client_id", "scope", "device_platform"),
    "/oauth/revoke": ("client_id", "token", "token_type_hint"),
    "/oauth/introspect": ("token", "token_type_hint"),
}
AUTHORIZE_FIELDS = ("response_type", "client_id", "redirect_uri", "code_challenge", "scope", "state")

Document = dict[str, Any]


def describe(catalogue: Catalogue) -> Document:
    """Return the description."""
    paths: Document = {}
    for operation in catalogue:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    for path, fields in ENDPOINTS.items():
        paths[path] = {"post": _endpoint(path, fields)}
    query = [_parameter(name, "query", TEXT) for name in AUTHORIZE_FIELDS]
    paths["/oauth/authorize"] = {"get": {"parameters": query, "responses": ANY_ANSWER}}
    return {"openapi": "3.0.3", "info": {"title": "The gateway's faces", "version": "1"}, "paths": paths}


def _operation(operation: Operation) -> Document:
    described: Document = {
        "operationId": operation.name,
        "parameters": list(_parameters(operation)),
        "responses": ANY_ANSWER,
    }
    if operation.method not in BODILESS:
        described["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return described


def _parameters(operation: Operation) -> Iterator[Document]:
    for name in IN_PATH.findall(operation.path):
        yield _parameter(name, "path", {**TEXT, "minLength": 1})
    for name in sorted(operation.query):
        is_list = name.lower().endswith("s")
        yield _parameter(name, "query", {"type": "array", "items": TEXT} if is_list else TEXT)
    for name in sorted(operation.headers):
        if name != TOKEN_HEADER:
            yield _parameter(name, "header", TEXT)


def _parameter(name: str, place: str, schema: Document) -> Document:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _endpoint(path: str, fields: tuple[str, ...]) -> Document:
    schema = {"type": "object", "properties": dict.fromkeys(fields, TEXT), "required": [fields[0]]}
    kinds = (FORM, "application/json") if path == "/auth/o2/token" else (FORM,)
    return {
        "requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in kinds}},
        "responses": ANY_ANSWER,
    }
