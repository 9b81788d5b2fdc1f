"""The command line: what a simulator is told when it starts."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import simulator.hostility
from simulator.amazon import FACES
from simulator.world import SELLERS_MAX

DEFAULT_LISTEN = "127.0.0.1:8443"
DEFAULT_CONTROL = "127.0.0.1:8480"
DEFAULT_STATE = Path(".sallyport/simulator")
DEFAULT_SELLERS = 4
EPILOG = """\
The applications file is JSON:

  {"applications": [{
    "application_id": "amzn1.sellerapps.app.…",
    "client_id": "amzn1.application-oa2-client.…",
    "client_secret": "amzn1.oa2-cs.v1.…",
    "redirect_uris": ["https://127.0.0.1:9443/consent/callback"],
    "name": "optional", "log_in_uri": "optional", "logs_in_always": false, "is_draft": false,
    "roles": ["direct_to_consumer_shipping", "tax_invoicing"], "secret_expires_at": "optional"
  }]}

When it is ready it prints one line of JSON with its addresses. simulator/README.md tells the rest.
"""


@dataclass(frozen=True)
class Listen:
    """An address to listen on and the faces served there; port 0 lets the system choose."""

    host: str
    port: int
    faces: frozenset[str] = FACES


@dataclass(frozen=True)
class Config:
    """Everything the command line decides."""

    seed: int
    listens: tuple[Listen, ...]
    control: Listen
    state_folder: Path
    applications_file: Path | None
    clock_file: Path
    ca_file: Path | None
    names: tuple[str, ...]
    hostility_share: float
    sellers_count: int
    epoch: datetime | None
    is_world_shown: bool
    models_folder: Path | None = None
    storage_url: str | None = None


def parse(arguments: Sequence[str]) -> Config:
    """Return the configuration; argparse exits with status 2 when the arguments make none."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.applications is None and not given.show_world:
        parser.error("--applications is required")
    state_folder: Path = given.state_folder
    return Config(
        seed=given.seed,
        listens=tuple(given.listen or [_listen(DEFAULT_LISTEN)]),
        control=given.control,
        state_folder=state_folder,
        applications_file=given.applications,
        clock_file=given.clock_file or state_folder / "clock",
        ca_file=given.ca_file,
        names=tuple(given.name),
        hostility_share=given.hostility,
        sellers_count=given.sellers,
        epoch=given.epoch,
        is_world_shown=given.show_world,
        models_folder=given.models,
        storage_url=given.storage_url,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="The simulated Amazon: consent pages, Login with Amazon and the Selling Partner API.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--applications", type=Path, metavar="FILE", help="the vendors' applications, as below")
    add("--seed", type=int, default=1, help="the number the whole world follows from (default 1)")
    add(
        "--listen",
        type=_listen,
        action="append",
        metavar="HOST:PORT[=FACE,FACE]",
        help=f"an HTTPS address for all faces or some of {sorted(FACES)}, repeatable ({DEFAULT_LISTEN})",
    )
    add(
        "--control",
        type=_control,
        default=_control(DEFAULT_CONTROL),
        metavar="HOST:PORT",
        help=f"the control interface, plain HTTP ({DEFAULT_CONTROL})",
    )
    add("--state-folder", type=Path, default=DEFAULT_STATE, metavar="DIR", help=f"({DEFAULT_STATE})")
    add("--clock-file", type=Path, metavar="FILE", help="the clock's offset in seconds (DIR/clock)")
    add("--ca-file", type=Path, metavar="FILE", help="where to copy the authority's certificate (DIR/ca.pem)")
    add(
        "--name",
        action="append",
        default=[],
        metavar="DNS",
        help="another name in the certificate; repeatable",
    )
    add(
        "--hostility",
        type=_level,
        default=_level("mild"),
        metavar="0..1|LEVEL",
        help=f"share of calls that meet a fault: a number or {', '.join(simulator.hostility.LEVELS)} (mild)",
    )
    add("--sellers", type=_sellers, default=DEFAULT_SELLERS, help=f"seller accounts, 1 to {SELLERS_MAX} (4)")
    add(
        "--epoch", type=_epoch, metavar="TIME", help="when a new world, and its clock, begins; ISO 8601 (now)"
    )
    add("--models", type=Path, metavar="DIR", help="Amazon's models: answer the sandbox cases in them")
    add(
        "--storage-url",
        type=_origin,
        metavar="URL",
        help="how the storage is called in links (the address of the first port that serves it)",
    )
    add("--show-world", action="store_true", help="print the seed's sellers and first orders, and exit")
    return parser


def _listen(text: str) -> Listen:
    address, _, faces = text.partition("=")
    host, colon, port = address.rpartition(":")
    chosen = frozenset(faces.split(",")) if faces else FACES
    if not colon or not host or not port.isdigit() or int(port) > 65_535 or not chosen <= FACES:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT or HOST:PORT=FACE,…")
    return Listen(host.strip("[]"), int(port), chosen)


def _control(text: str) -> Listen:
    if "=" in text:
        raise argparse.ArgumentTypeError("the control address has no faces")
    return _listen(text)


def _origin(text: str) -> str:
    url = urlsplit(text)
    if url.scheme != "https" or not url.netloc or url.path.strip("/") or url.query:
        raise argparse.ArgumentTypeError(f"{text!r} is not https://HOST or https://HOST:PORT")
    return f"https://{url.netloc}"


def _level(text: str) -> float:
    try:
        return simulator.hostility.level(text)
    except simulator.hostility.LevelOutOfRange as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _sellers(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= SELLERS_MAX:
        raise argparse.ArgumentTypeError(f"must lie between 1 and {SELLERS_MAX}")
    return int(text)


def _epoch(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO 8601 time") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
