"""The gateway's configuration: its public origin, its peers, Amazon's endpoints, the desktop application.

Quotas, scopes, field policy and every bound are not settings: they are data of the catalogue and
promises in code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import chassis.env
from services.gateway.model.calls import Region
from services.gateway.model.links import AMAZON_HOSTS, DocumentHosts
from services.gateway.model.native import NativeClient

LISTEN = "SALLYPORT_LISTEN"
PUBLIC_LISTEN = "SALLYPORT_PUBLIC_LISTEN"
PUBLIC_URL = "SALLYPORT_PUBLIC_URL"
REGION_URLS = {region: f"SALLYPORT_PUBLIC_URL_{region.upper()}" for region in Region}
PUBLIC_CERTIFICATE_FILE = "SALLYPORT_PUBLIC_CERTIFICATE_FILE"
PUBLIC_KEY_FILE = "SALLYPORT_PUBLIC_KEY_FILE"
AUTH_ADDRESS = "SALLYPORT_AUTH_ADDRESS"
RETENTION_ADDRESS = "SALLYPORT_RETENTION_ADDRESS"
TELEMETRY_ADDRESS = "SALLYPORT_TELEMETRY_ADDRESS"
SPAPI_URLS = {region: f"SALLYPORT_SPAPI_URL_{region.upper()}" for region in Region}
AMAZON_CA_FILE = "SALLYPORT_AMAZON_CA_FILE"
DOCUMENT_HOSTS = "SALLYPORT_DOCUMENT_HOSTS"
VENDOR_NAME = "SALLYPORT_VENDOR_NAME"
OIDC_NAME = "SALLYPORT_OIDC_NAME"
DESKTOP_NAME = "SALLYPORT_DESKTOP_NAME"
DESKTOP_CLIENT_ID = "SALLYPORT_DESKTOP_CLIENT_ID"
DESKTOP_REDIRECT_PATH = "SALLYPORT_DESKTOP_REDIRECT_PATH"
POLICY_FILE = "SALLYPORT_POLICY_FILE"

# Stands among hosts for those that are known to be Amazon's.
AMAZONS_OWN = "amazon"

# Source: RFC 6761, 6.3: the name, and any below it, of whoever's machine it is read on.
LOCAL_NAME = "localhost"

# Auth takes client ids of this form.
CLIENT_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
REDIRECT_PATH_FORM = re.compile(r"/[A-Za-z0-9._~/-]*", re.ASCII)

SETTINGS = (
    *(setting for setting in chassis.env.COMMON if setting.name != LISTEN),
    *chassis.env.DATABASE,
    chassis.env.Setting(LISTEN, "not used: no service calls the gateway", "127.0.0.1:0"),
    chassis.env.Setting(PUBLIC_LISTEN, "host:port of the public door"),
    chassis.env.Setting(PUBLIC_URL, "https origin under which desktops and browsers know the gateway"),
    *(
        chassis.env.Setting(name, f"https origin under which calls go to region {region}; empty: none", "")
        for region, name in REGION_URLS.items()
    ),
    chassis.env.Setting(PUBLIC_CERTIFICATE_FILE, "PEM of the public certificate; empty: from Vault", ""),
    chassis.env.Setting(PUBLIC_KEY_FILE, "PEM of its key; together with the certificate", ""),
    chassis.env.Setting(AUTH_ADDRESS, "host:port of auth"),
    chassis.env.Setting(RETENTION_ADDRESS, "host:port of retention"),
    chassis.env.Setting(TELEMETRY_ADDRESS, "host:port of telemetry"),
    *(
        chassis.env.Setting(
            name,
            f"https origin of SP-API, region {region}",
            f"https://sellingpartnerapi-{region}.amazon.com",
        )
        for region, name in SPAPI_URLS.items()
    ),
    chassis.env.Setting(AMAZON_CA_FILE, "authority that vouches for Amazon; empty for the system's", ""),
    chassis.env.Setting(
        DOCUMENT_HOSTS,
        "hosts where documents may lie, with commas; amazon: those known to be Amazon's, as when empty",
        "",
    ),
    chassis.env.Setting(VENDOR_NAME, "whose portal this is, as people read it", "Sallyport"),
    chassis.env.Setting(
        OIDC_NAME, "the vendor's identity provider, as people read it; empty: none is offered", ""
    ),
    chassis.env.Setting(DESKTOP_NAME, "the desktop application, as people read it", "Sallyport Desktop"),
    chassis.env.Setting(DESKTOP_CLIENT_ID, "public client id of the desktop application", "desktop"),
    chassis.env.Setting(DESKTOP_REDIRECT_PATH, "the one path of its loopback redirects; empty for any", ""),
    chassis.env.Setting(POLICY_FILE, "TOML file of what desktops may call and see; empty: built-in", ""),
)


@dataclass(frozen=True)
class CertificateFiles:
    """A public certificate from outside Vault."""

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class PublicConfig:
    """The public door.

    Attributes:
        origin: https, without a trailing slash; also the OAuth issuer.
        region_origins: more of them, each for the calls of one region, and each with a name of its own.
        certificate_files: None takes a certificate from Vault.
        vendor_name: whose portal it is.
        provider_name: the vendor's identity provider; empty when people do not sign in with it.
    """

    listen: chassis.env.Address
    origin: str
    region_origins: Mapping[Region, str]
    certificate_files: CertificateFiles | None
    vendor_name: str
    provider_name: str

    @property
    def host(self) -> str:
        """The name of the origin."""
        return _name(self.origin)

    @property
    def region_hosts(self) -> Mapping[str, Region]:
        """The regions' own names."""
        return {_name(origin): region for region, origin in self.region_origins.items()}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every name in the certificate."""
        return self.host, *self.region_hosts

    @property
    def origins(self) -> tuple[str, ...]:
        """Every origin under which clients know the gateway."""
        return self.origin, *self.region_origins.values()

    @property
    def is_local(self) -> bool:
        """Whether the origin is on a developer's own machine, whose other ports are not Sallyport's."""
        return self.host.split(".")[-1] == LOCAL_NAME


@dataclass(frozen=True, kw_only=True)
class PeersConfig:
    """Where the other services listen."""

    auth: chassis.env.Address
    retention: chassis.env.Address
    telemetry: chassis.env.Address


@dataclass(frozen=True, kw_only=True)
class AmazonConfig:
    """Amazon's endpoints, and where documents lie; `ca_file` None trusts the system's authorities."""

    base_urls: Mapping[Region, str]
    document_hosts: DocumentHosts
    ca_file: Path | None


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the gateway is told, checked once at start; `policy_file` None follows the built-in policy."""

    common: chassis.env.CommonConfig
    database: chassis.env.DatabaseConfig
    public: PublicConfig
    peers: PeersConfig
    amazon: AmazonConfig
    desktop: NativeClient
    policy_file: Path | None


def load(environ: Mapping[str, str]) -> Config:
    """Return the configuration in an environment.

    Raises:
        ConfigError: naming every bad key.
    """
    reader = chassis.env.read(environ, SETTINGS)
    ca_file, policy_file = reader.optional_text(AMAZON_CA_FILE), reader.optional_text(POLICY_FILE)
    config = Config(
        common=chassis.env.common(reader),
        database=chassis.env.database(reader),
        public=_public(reader),
        peers=PeersConfig(
            auth=reader.address(AUTH_ADDRESS),
            retention=reader.address(RETENTION_ADDRESS),
            telemetry=reader.address(TELEMETRY_ADDRESS),
        ),
        amazon=AmazonConfig(
            base_urls={region: _origin(reader, name) for region, name in SPAPI_URLS.items()},
            document_hosts=_document_hosts(reader),
            ca_file=Path(ca_file) if ca_file else None,
        ),
        desktop=_desktop(reader),
        policy_file=Path(policy_file) if policy_file else None,
    )
    reader.finish()
    return config


def _public(reader: chassis.env.Reader) -> PublicConfig:
    certificate = reader.optional_text(PUBLIC_CERTIFICATE_FILE)
    key = reader.optional_text(PUBLIC_KEY_FILE)
    if bool(certificate) != bool(key):
        reader.refuse(PUBLIC_KEY_FILE, f"goes together with {PUBLIC_CERTIFICATE_FILE}")
    origin = _origin(reader, PUBLIC_URL)
    return PublicConfig(
        listen=reader.address(PUBLIC_LISTEN),
        origin=origin,
        region_origins=_region_origins(reader, origin),
        certificate_files=CertificateFiles(Path(certificate), Path(key)) if certificate and key else None,
        vendor_name=reader.text(VENDOR_NAME),
        provider_name=reader.optional_text(OIDC_NAME) or "",
    )


def _region_origins(reader: chassis.env.Reader, origin: str) -> Mapping[Region, str]:
    """Return the origins that stand for a region; by its name alone one must be told from all others."""
    origins, names = dict[Region, str](), {_name(origin)}
    for region, setting in REGION_URLS.items():
        if reader.optional_text(setting):
            told = _origin(reader, setting)
            if _name(told) in names:
                reader.refuse(setting, "must have a host name of its own")
            origins[region] = told
            names.add(_name(told))
    return origins


def _desktop(reader: chassis.env.Reader) -> NativeClient:
    client_id, redirect_path = reader.text(DESKTOP_CLIENT_ID), reader.optional_text(DESKTOP_REDIRECT_PATH)
    if CLIENT_ID_FORM.fullmatch(client_id) is None:
        reader.refuse(DESKTOP_CLIENT_ID, "must have 1 to 64 letters, digits, dots, dashes and underscores")
    if redirect_path and REDIRECT_PATH_FORM.fullmatch(redirect_path) is None:
        reader.refuse(DESKTOP_REDIRECT_PATH, "must be a path of plain characters")
    return NativeClient(client_id, reader.text(DESKTOP_NAME), redirect_path)


def _document_hosts(reader: chassis.env.Reader) -> DocumentHosts:
    told = [host.strip() for host in (reader.optional_text(DOCUMENT_HOSTS) or AMAZONS_OWN).split(",")]
    hosts = [each for host in told for each in (AMAZON_HOSTS if host == AMAZONS_OWN else (host,))]
    try:
        return DocumentHosts(hosts)
    except ValueError:
        reader.refuse(DOCUMENT_HOSTS, "must be host names in lower case, each perhaps with * and a port")
        return DocumentHosts(())


def _name(origin: str) -> str:
    return urlsplit(origin).hostname or ""


def _origin(reader: chassis.env.Reader, name: str) -> str:
    url = reader.url(name)
    if url != url.lower() or urlsplit(url).path or not url.isascii():
        reader.refuse(name, "must be an https origin in lower case, without a path")
    return url
