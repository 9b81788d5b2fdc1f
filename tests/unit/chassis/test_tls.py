"""Contexts: handshakes in memory between every pair that may and may not talk."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import chassis.crypto.tls
from chassis.crypto.tls import client_context, outward_context, public_context, server_context
from fakes.certificates import Authority

HANDSHAKE_STEPS_MAX = 10
SERVER_NAME = "auth.sallyport.internal"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


class Wire:
    """A client and a server joined by memory."""

    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext, name: str = SERVER_NAME) -> None:
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(to_client, to_server, server_side=False, server_hostname=name)
        self.server = server.wrap_bio(to_server, to_client, server_side=True)

    def shake_hands(self) -> None:
        """Let both sides step until both are done; also lets TLS 1.3 tell of a refused client."""
        for _ in range(HANDSHAKE_STEPS_MAX):
            if all([self._step(self.client), self._step(self.server)]):
                break
        self.server.write(b"hello")
        assert self.client.read() == b"hello"

    def _step(self, side: ssl.SSLObject) -> bool:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True


def limited(context: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = version
    return context


def test_inside_both_sides_know_each_other_over_tls_1_3_T24(authority: Authority) -> None:
    server, client = authority.issue_identity("auth"), authority.issue_identity("gateway")
    wire = Wire(client_context(client), server_context(server))
    wire.shake_hands()
    assert wire.client.version() == wire.server.version() == "TLSv1.3"
    assert wire.server.selected_alpn_protocol() is None
    shown = wire.server.getpeercert()
    assert shown is not None
    assert shown["subjectAltName"] == (("DNS", "gateway.sallyport.internal"), ("DNS", "localhost"))


def test_inside_nothing_older_than_tls_1_3_is_spoken_T24(authority: Authority) -> None:
    leaf = authority.issue_identity("auth")
    old = limited(client_context(leaf), ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ssl.SSLError):
        Wire(old, server_context(leaf)).shake_hands()


def test_inside_a_caller_without_a_certificate_is_refused_T24(authority: Authority, tmp_path: Path) -> None:
    anonymous = outward_context(authority.write_ca(tmp_path))
    with pytest.raises(ssl.SSLError):
        Wire(anonymous, server_context(authority.issue_identity("auth"))).shake_hands()


def test_inside_a_caller_of_another_authority_is_refused_T24(authority: Authority) -> None:
    stranger = Authority().issue_identity("gateway")
    disguised = chassis.crypto.tls.Certificate(
        stranger.certificate_pem,
        stranger.key_pem,
        authority.ca_pem,
        stranger.names,
        stranger.not_before,
        stranger.not_after,
    )
    with pytest.raises(ssl.SSLError):
        Wire(client_context(disguised), server_context(authority.issue_identity("auth"))).shake_hands()


def test_a_server_of_another_name_is_refused_T24(authority: Authority) -> None:
    leaf = authority.issue_identity("retention")
    with pytest.raises(ssl.SSLCertVerificationError):
        Wire(client_context(leaf), server_context(leaf)).shake_hands()


def test_an_expired_certificate_is_refused_R15(authority: Authority) -> None:
    now = datetime.now(UTC)
    expired = authority.issue(SERVER_NAME, life=timedelta(minutes=5), not_before=now - timedelta(minutes=10))
    fresh = authority.issue_identity("gateway")
    with pytest.raises(ssl.SSLCertVerificationError):
        Wire(client_context(fresh), server_context(expired)).shake_hands()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_public_door_serves_strangers_over_tls_1_2_and_1_3(
    authority: Authority,
    tmp_path: Path,
    version: ssl.TLSVersion,
) -> None:
    stranger = limited(outward_context(authority.write_ca(tmp_path)), version)
    wire = Wire(stranger, public_context(authority.issue_identity("auth")))
    wire.shake_hands()
    assert wire.server.selected_alpn_protocol() is None


def test_the_public_door_refuses_what_is_older_and_weaker(authority: Authority) -> None:
    context = public_context(authority.issue_identity("auth"))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    names = {cipher["name"] for cipher in context.get_ciphers()}
    assert all("GCM" in name or "CHACHA20" in name for name in names)


def test_outward_the_systems_authorities_do_not_know_ours(authority: Authority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        Wire(outward_context(None), public_context(authority.issue_identity("auth"))).shake_hands()


def test_a_certificate_is_renewed_at_two_thirds_of_its_life_R15(authority: Authority) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    leaf = authority.issue("a.example", life=timedelta(hours=24), not_before=start)
    assert chassis.crypto.tls.renew_at(leaf) == start + timedelta(hours=16)


def test_names_are_the_dns_names_only(authority: Authority) -> None:
    key = authority.issue("a.example").key_pem
    assert authority.issue("a.example", "b.example").names == ("a.example", "b.example")
    assert chassis.crypto.tls.parse(authority.ca_pem, key, b"").names == ()
    with pytest.raises(ValueError, match="PEM"):
        chassis.crypto.tls.parse(b"no certificate", key, b"")


def test_a_private_key_is_not_shown(authority: Authority) -> None:
    leaf = authority.issue_identity("auth")
    assert b"PRIVATE" in leaf.key_pem.reveal()
    assert "PRIVATE" not in repr(leaf)


def test_a_context_is_built_once_per_certificate_R15(authority: Authority) -> None:
    current = [authority.issue_identity("auth")]
    context = chassis.crypto.tls.CurrentContext(lambda: current[0], public_context)
    first = context()
    assert context() is first
    current[0] = authority.issue_identity("auth")
    second = context()
    assert second is not first
    assert context() is second


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_cannot_be_used_is_named(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(OSError, match=r"ca\.pem") as refused:
        outward_context(file)
    assert refused.value.filename == str(file)
    assert refused.value.strerror
