"""What of Vault's HTTP API we stand on, and where each product documents it.

`chassis.vault` may ask nothing that is not here; a test compares. The table names the parameters that both
HashiCorp Vault and OpenBao document for a path, as far as we use them, and fields that we read of an answer.

Sources: HashiCorp, `vault` repository, website/content/api-docs (and, per request, the published client's
docs); OpenBao, `openbao` repository, website/content/api-docs. Pages are named below, relative to api-docs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What both products document for one path.

    Attributes:
        page: of the documentation, the same in both.
        parameters: that we send.
        answers: fields of `data` (of `auth` for log-ins) that we read.
    """

    page: str
    parameters: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()


def _fact(page: str, parameters: str = "", answers: str = "") -> Fact:
    return Fact(page=page, parameters=frozenset(parameters.split()), answers=frozenset(answers.split()))


KV, TRANSIT, PKI = "secret/kv/kv-v2", "secret/transit", "secret/pki"
TOKEN = "client_token lease_duration"
FACTS: Mapping[tuple[str, str], Fact] = MappingProxyType(
    {
        # Keys are (method, path); {mount} is where a log-in method is mounted.
        ("GET", "kv/data/{path}"): _fact(KV, answers="data metadata"),
        ("POST", "kv/data/{path}"): _fact(KV, "data options"),
        ("GET", "kv/metadata/{path}"): _fact(KV, answers="current_version versions"),
        ("POST", "kv/destroy/{path}"): _fact(KV, "versions"),
        ("POST", "transit/keys/{name}"): _fact(TRANSIT, "type"),
        ("GET", "transit/keys/{name}"): _fact(TRANSIT, answers="keys latest_version min_decryption_version"),
        ("DELETE", "transit/keys/{name}"): _fact(TRANSIT),
        ("POST", "transit/keys/{name}/config"): _fact(TRANSIT, "deletion_allowed min_decryption_version"),
        ("POST", "transit/keys/{name}/rotate"): _fact(TRANSIT),
        # Each part of a batch takes what a single call takes, associated_data too.
        ("POST", "transit/encrypt/{name}"): _fact(
            TRANSIT, "plaintext associated_data batch_input", "ciphertext batch_results"
        ),
        ("POST", "transit/decrypt/{name}"): _fact(
            TRANSIT, "ciphertext associated_data batch_input", "plaintext batch_results"
        ),
        ("POST", "transit/sign/{name}"): _fact(TRANSIT, "input", "signature"),
        ("POST", "pki/issue/{role}"): _fact(
            PKI,
            "common_name exclude_cn_from_sans alt_names ip_sans ttl private_key_format",
            "certificate issuing_ca ca_chain private_key",
        ),
        ("POST", "auth/{approle}/login"): _fact("auth/approle", "role_id secret_id", TOKEN),
        ("POST", "auth/{kubernetes}/login"): _fact("auth/kubernetes", "role jwt", TOKEN),
        ("GET", "auth/token/lookup-self"): _fact("auth/token"),
        ("POST", "auth/token/renew-self"): _fact("auth/token", answers="lease_duration client_token"),
    }
)
