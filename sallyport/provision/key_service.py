"""What the services find in the key service: mounts, the certificate authority, policies, log-ins.

- Each identity may do what `policies/<identity>.hcl` says and nothing else.
- Certificates live a day at most (T-25), name one identity, and are for P-256 keys.
- Keys are never made by using them: a destroyed key stays destroyed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sallyport.engines.authority
import sallyport.engines.openbao
import sallyport.provision
import sallyport.provision.handout

POLICIES = Path(__file__).parents[1] / "policies"
# What every identity may do with its own token.
TOKEN_POLICY = "token"  # noqa: S105 - a policy's name
SIGNING_KEYS = ("retention-receipt", "telemetry-checkpoint")
AUTHORITY_LIFE = "87600h"
CERTIFICATE_LIFE_MAX = "24h"
TOKEN_LIFE = "20m"  # noqa: S105 - a duration
TOKEN_LIFE_MAX = "24h"  # noqa: S105 - a duration
AUTHORITY_NAME = "Sallyport services"
# Who signs in to Postgres beside the services: only provisioning does, and only with the root token.
DATABASE_ROLES = ("postgres", sallyport.provision.OWNER)

MOUNTS: Mapping[str, Mapping[str, Any]] = {
    "transit": {"type": "transit"},
    "kv": {"type": "kv", "options": {"version": "2"}},
    "pki": {"type": "pki", "config": {"max_lease_ttl": AUTHORITY_LIFE}},
}

CERTIFICATE_ROLE: Mapping[str, Any] = {
    "key_type": "ec",
    "key_bits": 256,
    "ttl": CERTIFICATE_LIFE_MAX,
    "max_ttl": CERTIFICATE_LIFE_MAX,
    "key_usage": ["DigitalSignature"],
    "allow_bare_domains": True,
    "allow_localhost": False,
    "allow_ip_sans": False,
    "server_flag": False,
    "client_flag": False,
}


async def provision(
    openbao: sallyport.engines.openbao.OpenBao, folder: sallyport.provision.handout.Folder
) -> bytes:
    """Make what is missing, and return the certificate of the services' authority as PEM.

    Args:
        openbao: started.
        folder: where the log-ins are written, each readable by its owner only.

    Raises:
        CallRefused: OpenBao refused a step.
        OSError: OpenBao cannot be reached.
    """
    await _mount(openbao)
    ca_pem = await _authority(openbao)
    await _certificate_roles(openbao)
    await _keys(openbao)
    for identity in (*sallyport.provision.IDENTITIES, sallyport.provision.VERIFIER):
        await _allow(openbao, identity)
        await _hand_out(openbao, folder, identity)
    sallyport.engines.authority.write_public(folder.services_ca_file, ca_pem)
    return ca_pem


async def _mount(openbao: sallyport.engines.openbao.OpenBao) -> None:
    mounted = await openbao.call("GET", "sys/mounts")
    for name, description in MOUNTS.items():
        if f"{name}/" not in mounted:
            await openbao.call("POST", f"sys/mounts/{name}", description)
    if "approle/" not in await openbao.call("GET", "sys/auth"):
        await openbao.call("POST", "sys/auth/approle", {"type": "approle"})
    await _write_policy(openbao, TOKEN_POLICY)


async def _authority(openbao: sallyport.engines.openbao.OpenBao) -> bytes:
    """Return the root's certificate; made once, its key never leaves OpenBao."""
    issuers = await openbao.call("GET", "pki/config/issuers")
    if not issuers["data"]["default"]:
        root = {
            "common_name": AUTHORITY_NAME,
            "ttl": AUTHORITY_LIFE,
            "key_type": "ec",
            "key_bits": 256,
            "max_path_length": 0,
        }
        await openbao.call("POST", "pki/root/generate/internal", root)
    issuer = await openbao.call("GET", "pki/issuer/default")
    certificate: str = issuer["data"]["certificate"]
    return certificate.strip().encode("ascii") + b"\n"


async def _certificate_roles(openbao: sallyport.engines.openbao.OpenBao) -> None:
    both_ends = {"server_flag": True, "client_flag": True}
    for identity in sallyport.provision.IDENTITIES:
        # The bare name is the common name, which Postgres takes for the role.
        names = [f"{identity}.sallyport.internal", identity]
        await _certificate_role(openbao, identity, {"allowed_domains": names, **both_ends})
    for role in DATABASE_ROLES:
        # An underscore is no part of a host name.
        client = {"allowed_domains": [role], "cn_validations": ["disabled"], "client_flag": True}
        await _certificate_role(openbao, role, client)
    public = {
        "allowed_domains": ["public", "localhost"],
        "allow_localhost": True,
        # A region may have a name of its own below it.
        "allow_subdomains": True,
        "allow_ip_sans": True,
        "server_flag": True,
    }
    await _certificate_role(openbao, "public", public)


async def _certificate_role(
    openbao: sallyport.engines.openbao.OpenBao, name: str, particulars: Mapping[str, Any]
) -> None:
    await openbao.call("POST", f"pki/roles/{name}", {**CERTIFICATE_ROLE, **particulars})


async def _keys(openbao: sallyport.engines.openbao.OpenBao) -> None:
    await openbao.call("POST", "transit/config/keys", {"disable_upsert": True})
    for name in SIGNING_KEYS:
        await openbao.call("POST", f"transit/keys/{name}", {"type": "ed25519"})


async def _allow(openbao: sallyport.engines.openbao.OpenBao, identity: str) -> None:
    await _write_policy(openbao, identity)
    role = {
        "token_policies": [identity, TOKEN_POLICY],
        "token_no_default_policy": True,
        "token_ttl": TOKEN_LIFE,
        "token_max_ttl": TOKEN_LIFE_MAX,
    }
    await openbao.call("POST", f"auth/approle/role/{identity}", role)


async def _write_policy(openbao: sallyport.engines.openbao.OpenBao, name: str) -> None:
    rules = (POLICIES / f"{name}.hcl").read_text(encoding="utf-8")
    await openbao.call("PUT", f"sys/policies/acl/{name}", {"policy": rules})


async def _hand_out(
    openbao: sallyport.engines.openbao.OpenBao,
    folder: sallyport.provision.handout.Folder,
    identity: str,
) -> None:
    """Write an identity's log-in; a secret id that still works is kept."""
    secret_file = folder.secret_id_file(identity)
    secret_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    role = f"auth/approle/role/{identity}"
    role_id = await openbao.call("GET", f"{role}/role-id")
    _write(folder.role_id_file(identity), role_id["data"]["role_id"])
    if secret_file.exists():
        kept = secret_file.read_text(encoding="ascii")
        if await openbao.call("POST", f"{role}/secret-id/lookup", {"secret_id": kept}):
            return
    secret_id = await openbao.call("POST", f"{role}/secret-id", {})
    _write(secret_file, secret_id["data"]["secret_id"])


def _write(path: Path, text: str) -> None:
    sallyport.engines.authority.write_private(path, text.encode("ascii"))
