"""The identity provider's port, on the fake and on OpenID Connect over TLS; and ways to lie to the latter."""

import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from chassis.clock import SystemClock
from chassis.errors import SallyportError
from chassis.secrecy import Secret
from fakes.auth_people_edges import ISSUER, FakeProvider
from fakes.clock import FakeClock
from fakes.oidc_server import CLIENT_ID, CLIENT_SECRET, OidcServer
from services.auth.model.people_refusals import (
    ProviderMissing,
    ProviderUnavailable,
    SecondFactorMissing,
    SignInRefused,
)
from services.auth.model.provider import Binding, ProviderAnswer, Trust
from services.auth.provider import NoProvider, Provider, connect
from services.auth.provider.keys import AGAIN_S

BINDING = Binding(state="state", nonce="nonce", code_verifier=Secret("v" * 43))
REDIRECT = "https://gateway.example/portal/sign-in/provider"


async def secret() -> Secret[str]:
    return Secret(CLIENT_SECRET)


class Ticking(SystemClock):
    """The real time of day, with durations that a test passes."""

    def __init__(self) -> None:
        super().__init__()
        self.durations = FakeClock()

    def monotonic_s(self) -> float:
        return self.durations.monotonic_s()


@dataclass
class Stage:
    """A provider's port, and how somebody signs in behind it."""

    provider: Any
    issuer: str
    consent: Callable[[str, str], str]

    async def signed_in(self, subject: str = "ana", binding: Binding = BINDING) -> ProviderAnswer:
        url = (await self.provider.authorization_url(binding)).reveal()
        return ProviderAnswer(
            state=binding.state, code=Secret(self.consent(url, subject)), issuer=self.issuer
        )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[OidcServer]:
    async with OidcServer().serve(tmp_path) as server:
        yield server


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
async def provider(server: OidcServer, clock: Ticking) -> AsyncIterator[Provider]:
    trust = Trust(issuer=server.url, client_id=CLIENT_ID, strong_contexts=frozenset({"urn:strong"}))
    async with connect(
        trust, clock, ca_file=server.ca_file, redirect_uri=REDIRECT, client_secret=secret
    ) as provider:
        yield provider


@pytest.fixture(params=["fake", "real"])
async def stage(request: pytest.FixtureRequest, server: OidcServer, provider: Provider) -> Stage:
    if request.param == "real":
        return Stage(provider, server.url, server.consent)
    fake = FakeProvider()

    def consent(_url: str, subject: str) -> str:
        fake.subjects[subject] = subject
        return subject

    return Stage(fake, ISSUER, consent)


async def test_an_answer_says_whose_account_it_is(stage: Stage) -> None:
    assert stage.provider.is_offered
    account = await stage.provider.account(await stage.signed_in("ana"), BINDING)
    assert (account.issuer, account.subject) == (stage.issuer, "ana")
    assert "ana" not in repr(account)


async def test_a_code_is_good_once(stage: Stage) -> None:
    answer = await stage.signed_in()
    await stage.provider.account(answer, BINDING)
    with pytest.raises(SignInRefused):
        await stage.provider.account(answer, BINDING)


async def test_an_answer_to_another_sign_in_is_refused(stage: Stage) -> None:
    other = replace(BINDING, nonce="another", code_verifier=Secret("w" * 43))
    with pytest.raises(SignInRefused):
        await stage.provider.account(await stage.signed_in(), other)


# What only OpenID Connect can get wrong


async def refused(
    server: OidcServer, provider: Provider, change: Callable[[str], None] | None = None, **claims: Any
) -> type[SallyportError]:
    """Return how an answer is refused whose token differs by these claims, or by a change of its code."""
    url = (await provider.authorization_url(BINDING)).reveal()
    code = server.consent(url, **claims)
    if change is not None:
        change(code)
    answer = ProviderAnswer(state="state", code=Secret(code), issuer=server.url)
    with pytest.raises(SallyportError) as refusal:
        await provider.account(answer, BINDING)
    return type(refusal.value)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},
        {"aud": None},
        {"azp": "another-client"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "2099"},
        {"iat": 1_000_000_000},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"nbf": 10**400},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
)
async def test_a_token_that_is_not_for_this_sign_in_is_refused(
    server: OidcServer, provider: Provider, claims: dict[str, Any]
) -> None:
    assert await refused(server, provider, **claims) is SignInRefused


@pytest.mark.parametrize(
    "evidence",
    [
        {"amr": None},
        {"amr": ["pwd"]},
        {"amr": "mfa"},
        {"amr": None, "acr": "urn:weak"},
        {"amr": [["mfa"]], "acr": ["urn:strong"]},
    ],
)
async def test_a_sign_in_by_password_alone_is_refused(
    server: OidcServer, provider: Provider, evidence: dict[str, Any]
) -> None:
    assert await refused(server, provider, **evidence) is SecondFactorMissing


@pytest.mark.parametrize(
    "evidence", [{"amr": ["hwk"]}, {"amr": ["pwd", "otp"]}, {"amr": None, "acr": "urn:strong"}]
)
async def test_a_second_factor_is_known_by_method_or_by_context(
    server: OidcServer, provider: Provider, evidence: dict[str, Any]
) -> None:
    code = server.consent((await provider.authorization_url(BINDING)).reveal(), **evidence)
    answer = ProviderAnswer(state="state", code=Secret(code), issuer=server.url)
    assert (await provider.account(answer, BINDING)).subject == "ana"


async def test_a_token_without_a_signature_is_refused(server: OidcServer, provider: Provider) -> None:
    def unsign(code: str) -> None:
        server.of(code).header, server.of(code).signed = {"alg": "none"}, lambda _: b""

    def strip(code: str) -> None:
        server.of(code).signed = lambda _: b""

    assert await refused(server, provider, unsign) is SignInRefused
    assert await refused(server, provider, strip) is SignInRefused


async def test_a_token_signed_with_a_secret_of_ours_is_refused(
    server: OidcServer, provider: Provider
) -> None:
    """The public key, or the client's secret, shown as the key of a symmetric signature."""
    for text in (server.key.as_pem(private=False), CLIENT_SECRET.encode()):

        def forge(code: str, text: bytes = text) -> None:
            server.of(code).header = {"alg": "HS256"}
            server.of(code).signed = lambda begun: hmac.digest(text, begun, "sha256")

        assert await refused(server, provider, forge) is SignInRefused


async def test_a_token_signed_with_a_strangers_key_is_refused(server: OidcServer, provider: Provider) -> None:
    def forge(code: str) -> None:
        server.of(code).key = RSAKey.generate_key(2048, {"kid": "first"})

    assert await refused(server, provider, forge) is SignInRefused


@pytest.mark.parametrize("issuer", ["https://evil.example", ""])
async def test_an_answer_of_another_provider_is_refused_before_its_code_is_shown_to_ours(
    server: OidcServer, provider: Provider, issuer: str
) -> None:
    """Mix-up: the browser comes back from somebody else, with a code that is not ours to redeem."""
    code = server.consent((await provider.authorization_url(BINDING)).reveal())
    with pytest.raises(SignInRefused):
        await provider.account(ProviderAnswer(state="s", code=Secret(code), issuer=issuer), BINDING)
    server.of(code)


async def test_a_provider_that_never_names_itself_need_not(server: OidcServer, provider: Provider) -> None:
    server.metadata = {"authorization_response_iss_parameter_supported": False}
    code = server.consent((await provider.authorization_url(BINDING)).reveal())
    account = await provider.account(ProviderAnswer(state="s", code=Secret(code), issuer=""), BINDING)
    assert account.subject == "ana"


async def test_a_code_whose_verifier_is_another_browsers_is_refused(
    server: OidcServer, provider: Provider
) -> None:
    code = server.consent((await provider.authorization_url(BINDING)).reveal())
    stolen = replace(BINDING, code_verifier=Secret("x" * 43))
    with pytest.raises(SignInRefused):
        await provider.account(ProviderAnswer(state="s", code=Secret(code), issuer=server.url), stolen)


async def test_new_keys_are_fetched_when_a_token_names_them_but_not_for_every_stranger(
    server: OidcServer, provider: Provider, clock: Ticking
) -> None:
    await _sign_in(server, provider)
    server.rotate()
    assert await refused(server, provider) is SignInRefused
    assert server.key_sets == 1
    clock.durations.pass_(AGAIN_S)
    await _sign_in(server, provider)
    for _ in range(5):
        await refused(server, provider, lambda code: server.of(code).header.update(kid="unknown"))
    assert server.key_sets == 2


async def test_keys_that_may_not_sign_are_not_taken(server: OidcServer, provider: Provider) -> None:
    weak = {"kty": "RSA", "kid": "first", "e": "AQAB", "n": "x" * 171}
    for published in (
        [{**server.key.as_dict(private=False), "use": "enc"}],
        [weak],
        [OctKey.generate_key(256, {"kid": "first"}).as_dict()],
        [{"kty": "RSA", "kid": "first"}, {"kty": "EC", "crv": "P-999", "x": "", "y": "", "kid": "first"}],
        ["first"],
    ):
        server.published = published  # type: ignore[assignment]
        assert await refused(server, provider) is SignInRefused


async def test_a_key_of_a_curve_that_nobody_knows_stands_in_no_others_way(
    server: OidcServer, provider: Provider
) -> None:
    strange = {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "strange"}
    server.published = [strange, server.key.as_dict(private=False)]
    await _sign_in(server, provider)


async def test_a_client_secret_in_the_form_is_used_where_that_is_what_is_wanted(
    server: OidcServer, provider: Provider
) -> None:
    server.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await _sign_in(server, provider)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://localhost/token"},
        {"authorization_endpoint": None},
        {"jwks_uri": 7},
    ],
)
async def test_metadata_that_is_another_providers_or_leaves_tls_is_not_used(
    server: OidcServer, provider: Provider, metadata: dict[str, Any]
) -> None:
    server.metadata = metadata
    with pytest.raises(ProviderUnavailable):
        await provider.authorization_url(BINDING)


async def test_a_provider_that_is_down_is_unavailable_and_comes_back(
    server: OidcServer, provider: Provider
) -> None:
    server.is_down = True
    with pytest.raises(ProviderUnavailable):
        await provider.authorization_url(BINDING)
    server.is_down = False
    code = server.consent((await provider.authorization_url(BINDING)).reveal())
    server.is_down = True
    with pytest.raises(ProviderUnavailable):
        await provider.account(ProviderAnswer(state="s", code=Secret(code), issuer=server.url), BINDING)


async def test_a_huge_answer_is_not_read_to_its_end(server: OidcServer, provider: Provider) -> None:
    server.metadata = {"filler": "x" * 200_000}
    with pytest.raises(ProviderUnavailable):
        await provider.authorization_url(BINDING)


async def test_where_no_provider_is_configured_none_is_offered() -> None:
    absent = NoProvider()
    assert not absent.is_offered
    with pytest.raises(ProviderMissing):
        await absent.authorization_url(BINDING)
    with pytest.raises(ProviderMissing):
        await absent.account(ProviderAnswer(state="s", code=Secret("c"), issuer=""), BINDING)


async def _sign_in(server: OidcServer, provider: Provider) -> None:
    code = server.consent((await provider.authorization_url(BINDING)).reveal())
    answer = ProviderAnswer(state="state", code=Secret(code), issuer=server.url)
    assert (await provider.account(answer, BINDING)).subject == "ana"
