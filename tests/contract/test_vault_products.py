"""HashiCorp Vault and OpenBao alike: nothing is asked that only one of them knows (see vault_api.py).

The binary of HashiCorp Vault comes with no package that this project may use, so its side rests on its
documentation; OpenBao's side is also compared with what the running server says about itself. With a binary
at hand, VAULT_PROGRAM=/path/to/vault lets every test here and elsewhere run on it (see docs/keys.md).
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import chassis.clock
import chassis.env
import chassis.vault
import sallyport.engines.openbao
from chassis.vault.session import Lease, Session
from fakes.certificates import Authority
from tests.contract.vault_api import FACTS

METHODS = {"read": "GET", "write_data": "POST", "delete": "DELETE"}
CERTIFICATE = Authority().issue("auth.sallyport.internal")

Asked = tuple[str, str, frozenset[str]]


class Recorder(Session):
    """A session that notes what is asked, and answers so that the asker goes on."""

    def __init__(self, config: chassis.env.VaultConfig) -> None:
        super().__init__(config, chassis.clock.SystemClock())
        self.asked: set[Asked] = set()

    async def _send(self, verb: str, path: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        self.asked.add((METHODS[verb], _template(path), frozenset(data or {})))
        size = len((data or {}).get("batch_input", ()))
        part = {"ciphertext": "vault:v1:AAAA", "plaintext": "AAAA"}
        answer = {
            **part,
            "batch_results": [part] * size,
            "signature": "vault:v1:AAAA",
            "keys": {"1": {"public_key": "A" * 43 + "="}},
            "latest_version": 1,
            "min_decryption_version": 1,
            "data": {},
            "metadata": {"version": 2, "created_time": "2026-11-22T10:00:00Z"},
            "current_version": 2,
            "versions": {"1": {"destroyed": False}},
            "certificate": CERTIFICATE.certificate_pem.decode("ascii"),
            "private_key": CERTIFICATE.key_pem.reveal().decode("ascii"),
            "issuing_ca": CERTIFICATE.ca_pem.decode("ascii"),
        }
        return {"data": answer, "auth": {"client_token": "t", "lease_duration": 60}}


def _template(path: str) -> str:
    """Return a path with what names a thing of ours replaced by what the documentation calls it."""
    parts = path.split("/")
    match parts[:2]:
        case ["kv", kind]:
            return f"kv/{kind}/{{path}}"
        case ["transit" as mount, kind]:
            return "/".join([mount, kind, "{name}", *parts[3:]])
        case ["pki", kind]:
            return f"pki/{kind}/{{role}}"
        case ["auth", mount] if mount != "token":
            return "/".join(["auth", f"{{{mount}}}", *parts[2:]])
    return path


CALLS: Mapping[str, tuple[Any, ...]] = {
    "kv_read": ("p",),
    "kv_write": ("p", {"a": "b"}),
    "kv_create": ("p", {"a": "b"}),
    "kv_find": ("p",),
    "kv_replace": ("p", {"a": "b"}),
    "kv_forget_older": ("p",),
    "transit_create": ("k",),
    "transit_exists": ("k",),
    "transit_destroy": ("k",),
    "transit_seal": ("k", b"x", b"place"),
    "transit_open": ("k", "vault:v1:AAAA", b"place"),
    "transit_seal_many": ("k", [(b"x", b"place")]),
    "transit_open_many": ("k", [("vault:v1:AAAA", b"place")]),
    "transit_versions": ("k",),
    "transit_rotate": ("k",),
    "transit_retire": ("k", 1),
    "transit_sign": ("k", b"x"),
    "transit_public_pem": ("k",),
    "issue_certificate": ("auth", ("auth.sallyport.internal",), 60.0),
}
NAMED: Mapping[str, Mapping[str, Any]] = {"kv_replace": {"number": 1}}
LIFE = {"run", "close"}


def test_every_question_of_the_client_is_asked_here() -> None:
    public = {
        name
        for name, _ in inspect.getmembers(chassis.vault.Vault, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert set(CALLS) == public - LIFE


@pytest.fixture
async def asked(tmp_path: Path) -> set[Asked]:
    """Everything that the client asks, over all its methods and both log-ins."""
    for name in ("role", "secret", "token"):
        (tmp_path / name).write_text("x")
    logins: Mapping[str, chassis.env.AppRole | chassis.env.ServiceAccount] = {
        "approle": chassis.env.AppRole(role_id_file=tmp_path / "role", secret_id_file=tmp_path / "secret"),
        "kubernetes": chassis.env.ServiceAccount(role="auth", token_file=tmp_path / "token"),
    }
    found: set[Asked] = set()
    for mount, login in logins.items():
        session = Recorder(
            chassis.env.VaultConfig(
                address="https://localhost:1",
                ca_file=Authority().write_ca(tmp_path),
                login=login,
                mount=mount,
                namespace=None,
                pki_role="auth",
            )
        )
        await session.open()
        vault = chassis.vault.Vault(session)
        for name, arguments in CALLS.items():
            await getattr(vault, name)(*arguments, **NAMED.get(name, {}))
        assert await session._is_alive(session._lease)
        await session._renew(session._lease or Lease(0.0, 0.0))
        await vault.close()
        found |= session.asked
    return found


def test_all_that_is_asked_is_documented_by_both_products(asked: set[Asked]) -> None:
    undocumented = [
        (method, path, sorted(parameters - FACTS[method, path].parameters))
        for method, path, parameters in asked
        if (method, path) not in FACTS or parameters - FACTS[method, path].parameters
    ]
    assert undocumented == []


def test_nothing_is_listed_that_is_not_asked(asked: set[Asked]) -> None:
    assert set(FACTS) - {(method, path) for method, path, _ in asked} == set()
    for (method, path), fact in FACTS.items():
        sent = {
            name
            for verb, asked_path, names in asked
            if (verb, asked_path) == (method, path)
            for name in names
        }
        assert fact.parameters == sent, path


async def test_the_running_server_knows_every_path_and_parameter(
    openbao: sallyport.engines.openbao.OpenBao,
) -> None:
    await openbao.call("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
    known = await openbao.call("GET", "sys/internal/specs/openapi")
    await openbao.call("DELETE", "sys/auth/kubernetes")
    missing = [
        (method, path, parameter)
        for (method, path), fact in FACTS.items()
        for parameter in fact.parameters - _known(known, method, path)
    ]
    assert missing == []


def _known(document: Mapping[str, Any], method: str, path: str) -> set[str]:
    """Return the parameters of a path by a server's own OpenAPI document."""
    own = "/" + path.replace("{approle}", "approle").replace("{kubernetes}", "kubernetes")
    operation = document["paths"][own][method.lower()]
    if "requestBody" not in operation:
        return set()
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema["properties"])
