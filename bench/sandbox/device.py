"""A desktop program in the compat profile that makes cases' calls, as an unmodified library would."""

import ssl
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from bench.sandbox.cases import Case
from bench.sandbox.verdict import Told
from sallyport.demo.patience import expect_up, patiently
from sallyport.demo.scene import Program, Scene

# The gateway may wait for a permit, and ask Amazon four times.
TIMEOUT_S = 60.0
NO_ANSWER = 0


class Device:
    """One program. Use as an async context manager."""

    def __init__(self, scene: Scene, program: Program) -> None:
        self._program = program
        self._base = scene.stack.layout.public_url
        self._ca_file = str(scene.stack.ground.folder.services_ca_file)
        # As some libraries do; it names the region, and no case's marketplaces decide.
        self._host = f"sellingpartnerapi-{scene.account['region']}.amazon.com"
        self._token = ""

    async def __aenter__(self) -> Self:
        trust = ssl.create_default_context(cafile=self._ca_file)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust), timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)
        )
        self._token = await patiently(self._fetch_token)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(self, case: Case) -> Told:
        """Return the gateway's answer to a case's call; with NO_ANSWER the name of what came instead."""
        headers = {"x-amz-access-token": self._token, "Host": self._host}
        if case.body:
            headers["Content-Type"] = "application/json"
        # As it is written: percent-encoding is part of a case.
        url = URL(f"{self._base}{case.target}", encoded=True)
        try:
            async with self._session.request(
                case.method, url, data=case.body or None, headers=headers, allow_redirects=False
            ) as answer:
                return Told(answer.status, await answer.read())
        except aiohttp.ClientError as error:
            return Told(NO_ANSWER, type(error).__name__.encode())

    async def _fetch_token(self) -> str:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._program.refresh_token,
            "client_id": self._program.device_id,
            "client_secret": "x",
        }
        async with self._session.post(f"{self._base}/auth/o2/token", data=form) as answer:
            expect_up(answer.status)
            document = await answer.json()
            token: str = document["access_token"]
            return token
