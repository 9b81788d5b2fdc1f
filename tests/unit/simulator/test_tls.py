import ssl
from pathlib import Path

from cryptography import x509

import simulator.tls
from simulator.marketplaces import hosts


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_certificate_names_this_machine_and_amazons_hosts(tmp_path: Path) -> None:
    simulator.tls.ensure(tmp_path, hosts())
    names = (
        load(tmp_path / "server.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    )
    held = names.get_values_for_type(x509.DNSName)
    for name in (
        "localhost",
        "api.amazon.com",
        "sellingpartnerapi-na.amazon.com",
        "sellingpartnerapi-eu.amazon.com",
        "sellingpartnerapi-fe.amazon.com",
        "sellercentral.amazon.com",
        "sellercentral-europe.amazon.com",
        "sellercentral.amazon.co.jp",
    ):
        assert name in held
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_the_certificate_is_kept_while_it_is_good_and_replaced_when_a_name_is_missing(tmp_path: Path) -> None:
    ca = simulator.tls.ensure(tmp_path, hosts())
    first = (load(ca), load(tmp_path / "server.pem"))
    simulator.tls.ensure(tmp_path, hosts())
    assert (load(ca), load(tmp_path / "server.pem")) == first
    simulator.tls.ensure(tmp_path, [*hosts(), "simulator.test"])
    assert load(ca) != first[0]


def test_the_authoritys_key_is_nowhere_on_disk(tmp_path: Path) -> None:
    ca = load(simulator.tls.ensure(tmp_path, hosts()))
    keys = [path for path in tmp_path.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert [path.name for path in keys] == ["server.key"]
    assert (tmp_path / "server.key").stat().st_mode & 0o077 == 0
    assert load(tmp_path / "server.pem").public_key() != ca.public_key()


def test_a_strict_client_accepts_the_authority_and_old_tls_is_off(tmp_path: Path) -> None:
    ca = simulator.tls.ensure(tmp_path, hosts())
    context = ssl.create_default_context(cafile=str(ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    server = simulator.tls.server_context(tmp_path)
    assert server.minimum_version is ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="api.amazon.com")
    peer = server.wrap_bio(outgoing, incoming, server_side=True)
    for _ in range(3):
        for side in (client, peer):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.getpeercert() is not None
