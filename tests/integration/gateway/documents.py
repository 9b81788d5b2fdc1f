"""A gateway that moves documents, as a real process, and around it the storage, auth and the audit log."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

import chassis.crypto.tls
import sallyport.provision.ground
from fakes import s3_forms
from fakes.certificates import Authority
from fakes.storage_server import CHUNK, Seen, StorageServer, saying
from tests.conftest import KeeperFor
from tests.integration.gateway.lender import Lender
from tests.integration.gateway.process import PEERS, GatewayProcess, Peer
from tests.integration.gateway.test_process import Log

MIB = 1_048_576
DOCUMENT_CHUNKS = 64 * MIB // len(CHUNK)
# Buffers, and whatever the interpreter has not given back; far below a document.
GROWTH_BYTES_MAX = 16 * MIB
REPORTS = "/reports/2021-06-30/documents"
FEEDS = "/feeds/2021-06-30/documents"
IMAGES = "/uploads/2020-11-01/uploadDestinations/aplus/2020-11-01/contentDocuments"
PII = ("orders", "pii")
REFUSAL = re.compile(r"<\?xml [^>]+>\n<Error><Code>(\w+)</Code><Message>[^<]+</Message></Error>")


def code_of(answer: httpx.Response) -> str:
    """Return the code of a refusal, which has the shape of Amazon's storage."""
    told = REFUSAL.fullmatch(answer.text)
    assert told is not None, answer.text
    assert answer.headers["content-type"] == "application/xml"
    return told[1]


@dataclass
class House:
    """A gateway, and around it the storage, auth and the audit log."""

    gateway: GatewayProcess
    storage: StorageServer
    auth: Lender
    log: Log
    trust: ssl.SSLContext
    links: dict[str, str] = field(default_factory=dict)

    def play_api(self) -> None:
        """Let the storage's port answer for Amazon's API too, with the links that tests ask for."""

        async def report(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            name = seen.target.rsplit("/", 1)[1]
            link = self.links.get(name, self.storage.url(f"/{name}"))
            body = {"reportDocumentId": name, "url": link}
            await saying("200 OK", json.dumps(body).encode(), content_type="application/json")(
                seen, reader, writer
            )

        async def feed(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = json.loads(await reader.readexactly(int(seen.headers["content-length"])))
            body = {"feedDocumentId": "F", "url": self.storage.url(asked["contentType"].removeprefix("text"))}
            await saying("201 Created", json.dumps(body).encode(), content_type="application/json")(
                seen, reader, writer
            )

        async def image(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            link = s3_forms.link(s3_forms.fields(), f"https://localhost:{self.storage.port}/form")
            body = {"payload": {"uploadDestinationId": "1", "url": link, "headers": None}}
            await saying("201 Created", json.dumps(body).encode(), content_type="application/json")(
                seen, reader, writer
            )

        self.storage.plays[FEEDS] = feed
        self.storage.plays[IMAGES] = image
        self.storage.otherwise = lambda path: report if path.startswith(REPORTS) else None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """Give a library's plain HTTP client."""
        async with httpx.AsyncClient(
            verify=self.trust, base_url=self.gateway.origin, timeout=30, follow_redirects=False
        ) as client:
            yield client

    async def download_link(self, client: httpx.AsyncClient, name: str, token: str = "") -> str:
        headers = {"x-amz-access-token": token or self.auth.enrol(*PII)}
        answer = await client.get(f"{REPORTS}/{name}", headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    async def upload_link(self, client: httpx.AsyncClient, name: str) -> str:
        headers = {"x-amz-access-token": self.auth.enrol("orders")}
        asked = {"contentType": f"text/{name}"}
        answer = await client.post(FEEDS, json=asked, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["url"])

    async def form_link(self, client: httpx.AsyncClient) -> SplitResult:
        headers = {"x-amz-access-token": self.auth.enrol("orders")}
        asked = {"marketplaceIds": "A", "contentMD5": "5d41", "contentType": "image/png"}
        answer = await client.post(IMAGES, params=asked, headers=headers)
        assert answer.status_code == 201, answer.text
        return urlsplit(str(answer.json()["payload"]["url"]))

    def peak_bytes(self) -> int:
        """Return the most memory that the gateway's process ever had."""
        assert self.gateway._process is not None
        status = Path(f"/proc/{self.gateway.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1_024


@asynccontextmanager
async def opened(
    ground: sallyport.provision.ground.Ground, keeper_for: KeeperFor, folder: Path
) -> AsyncIterator[House]:
    """Give a house while inside."""
    auth, log, authority = Lender(), Log(), Authority()  # type: ignore[abstract] # people ask the rest
    async with AsyncExitStack() as stack:
        services: dict[str, list[Any]] = {
            "auth": [auth.service()],
            "telemetry": [log.service()],
            "retention": [],
        }
        peers = {name: Peer(await keeper_for(name), services[name]) for name in PEERS}
        for peer in peers.values():
            await peer.start()
            stack.push_async_callback(peer.stop)
        storage = await StorageServer().start(chassis.crypto.tls.public_context(authority.issue("localhost")))
        stack.push_async_callback(storage.stop)
        gateway = GatewayProcess(ground, peers, folder)
        stack.push_async_callback(gateway.end)
        await gateway.spawn(
            {
                "SALLYPORT_MODE": "development",
                "SALLYPORT_AMAZON_CA_FILE": str(authority.write_ca(folder)),
                "SALLYPORT_SPAPI_URL_NA": f"https://localhost:{storage.port}",
                "SALLYPORT_DOCUMENT_HOSTS": f"localhost:{storage.port}",
            }
        )
        await gateway.until(auth=True, audit=True)
        trust = ssl.create_default_context(cafile=str(ground.folder.services_ca_file))
        made = House(gateway, storage, auth, log, trust)
        made.play_api()
        yield made
