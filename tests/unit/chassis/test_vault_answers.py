"""What the client makes of answers that a healthy OpenBao does not give, and of those it gives rarely."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

import chassis.crypto.seal
import chassis.errors
import chassis.vault
from chassis.vault.session import Answer, Invalid, Session

KEY = "auth-seller-0191"


class Scripted:
    """Answers each path as it is told to; whatever it was not told of is not there."""

    def __init__(self, answers: Mapping[str, Answer | Exception]) -> None:
        self._answers = answers

    async def ask(self, _verb: str, path: str, _data: Mapping[str, Any] | None = None) -> Answer:
        answer = self._answers.get(path)
        if isinstance(answer, Exception):
            raise answer
        return answer


def vault(answers: Mapping[str, Answer | Exception]) -> chassis.vault.Vault:
    return chassis.vault.Vault(cast("Session", Scripted(answers)))


def batch(*results: Mapping[str, str]) -> Answer:
    return {"data": {"batch_results": list(results)}}


@pytest.mark.parametrize("step", ["config", "delete"])
async def test_a_key_that_could_not_be_destroyed_is_never_taken_for_destroyed_R18(step: str) -> None:
    refused = f"transit/keys/{KEY}/config" if step == "config" else f"transit/keys/{KEY}"

    class Refusing(Scripted):
        async def ask(self, verb: str, path: str, data: Mapping[str, Any] | None = None) -> Answer:
            if path == refused and verb != "read":
                raise Invalid
            return await super().ask(verb, path, data)

    client = chassis.vault.Vault(cast("Session", Refusing({f"transit/keys/{KEY}": {"data": {}}})))
    with pytest.raises(chassis.errors.Internal):
        await client.transit_destroy(KEY)


async def test_a_key_that_is_there_and_takes_no_change_is_not_taken_for_gone_R06() -> None:
    there = {f"transit/keys/{KEY}": cast("Answer", {"data": {}})}
    with pytest.raises(chassis.errors.Internal):
        await vault({**there, f"transit/keys/{KEY}/config": Invalid()}).transit_retire(KEY, 9)
    with pytest.raises(chassis.errors.Internal):
        await vault({**there, f"transit/keys/{KEY}/rotate": Invalid()}).transit_rotate(KEY)


@pytest.mark.parametrize(
    "answer",
    [
        batch({"plaintext": "AAAA"}, {"error": "invalid ciphertext"}),
        batch({"plaintext": "AAAA"}),
        batch({"plaintext": "AAAA"}, {"plaintext": "AAAA"}, {"plaintext": "AAAA"}),
    ],
    ids=["one did not open", "one is missing", "one too many"],
)
async def test_a_batch_opens_whole_or_not_at_all_T16(answer: Answer) -> None:
    parts = [("vault:v1:AAAA", b"one"), ("vault:v1:AAAA", b"two")]
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await vault({f"transit/decrypt/{KEY}": answer}).transit_open_many(KEY, parts)


@pytest.mark.parametrize("size", [0, chassis.vault.BATCH_MAX + 1])
async def test_a_batch_has_its_bounds_R23(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 100 parts"):
        await vault({}).transit_seal_many(KEY, [(b"token", b"place")] * size)


async def test_no_answer_is_no_sealed_value_no_signature_and_no_certificate_R06() -> None:
    silent = vault({})
    for call in (
        lambda: silent.transit_seal(KEY, b"token", b"place"),
        lambda: silent.transit_open(KEY, "vault:v1:AAAA", b"place"),
        lambda: silent.transit_sign(KEY, b"message"),
        lambda: silent.issue_certificate("auth", ("auth.sallyport.internal",), 60.0),
    ):
        with pytest.raises(chassis.vault.KeyServiceUnavailable):
            await call()


async def test_destroyed_versions_are_not_counted_as_forgotten_again_R12() -> None:
    states = {"1": {"destroyed": True}, "2": {"destroyed": False}, "3": {"destroyed": False}}
    metadata: Answer = {"data": {"current_version": 3, "versions": states}}
    assert await vault({"kv/metadata/p": metadata}).kv_forget_older("p") == 1
