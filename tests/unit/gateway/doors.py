"""The door on a real loopback TLS socket, with fakes behind them, and a browser to knock with."""

import functools
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

import chassis.crypto.tls
import chassis.env
from chassis.secrecy import Secret
from chassis.web import SocketlessSite
from fakes.certificates import Authority
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.gateway_auth import FakeAuth
from fakes.gateway_authorization import FakeAuthorization
from fakes.gateway_consents import FakeConsents
from fakes.gateway_people import FakePeople
from fakes.gateway_sellers import FakeSellers
from services.gateway.door import Door, Pages, SpapiFace, Ways
from services.gateway.model import faults
from services.gateway.model.allowance import Allowance
from services.gateway.model.audit import AuditEvent
from services.gateway.model.calls import Answer, Call
from services.gateway.model.native import NativeClient
from services.gateway.model.people import Visit
from services.gateway.model.roles import Role
from services.gateway.nonces import Nonces
from services.gateway.proof import ProofVerifier
from services.gateway.service import (
    Consents,
    Desk,
    Desktops,
    Entry,
    LibraryApps,
    NativeApps,
    Portal,
    Security,
    Team,
    Watch,
)
from services.gateway.web import BODY_BYTES_MAX, Faces, cookies
from services.gateway.web.arrivals import Arrivals
from services.gateway.web.authorize import AuthorizePages
from services.gateway.web.consents import ConsentPages
from services.gateway.web.desktops import DesktopPages
from services.gateway.web.entry import EntryPages
from services.gateway.web.lwa import LwaFace
from services.gateway.web.oauth import OAuthFace
from services.gateway.web.people import PeoplePages
from services.gateway.web.portal import PortalPages
from services.gateway.web.render import Renderer
from services.gateway.web.security import SecurityPages
from services.gateway.web.staff import StaffPages
from services.gateway.web.team import TeamPages
from services.gateway.web.visitors import Visitors
from tests.unit.gateway.proofs import nonces_for

# Clients know the gateway by this name; the tests' connections end at loopback all the same.
ORIGIN = "https://gateway.example"
CLIENT = NativeClient("desktop", "Order Desk")


@dataclass
class FakeAudit:
    events: list[AuditEvent] = field(default_factory=list)
    failure: Exception | None = None

    async def record(self, event: AuditEvent) -> None:
        if self.failure is not None:
            raise self.failure
        self.events.append(event)


@dataclass
class FakeSignals:
    refusals: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def refused(self, code: str) -> None:
        self.refusals.append(code)

    def side_failed(self, what: str, code: str) -> None:
        self.failures.append((what, code))


@dataclass
class FakeForwarder:
    calls: list[Call] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)

    async def turn_away(
        self, access_token: str, request_id: str, *, came_from: str, is_bound: bool
    ) -> Answer | None:
        assert came_from == "127.0.0.1"
        if access_token not in self.strangers:
            return None
        return faults.render(faults.TokenMissing(), request_id, is_bound=is_bound)

    async def handle(self, call: Call) -> Answer:
        if call.proof is not None:
            call.proof.use_up()
        self.calls.append(call)
        return Answer(200, [("content-type", "application/json"), ("x-amzn-requestid", "r-1")], b'{"ok":1}')


@dataclass
class House:
    """The door and everything behind it."""

    port: int
    clock: FakeClock
    auth: FakeAuth
    consents: FakeConsents
    people: FakePeople
    sellers: FakeSellers
    audit: FakeAudit
    signals: FakeSignals
    forwarder: FakeForwarder
    nonces: Nonces
    authorization: FakeAuthorization
    apps: NativeApps
    session: aiohttp.ClientSession

    def url(self, path: str) -> URL:
        """Return where a path is; nothing in it is encoded again."""
        return URL(f"https://localhost:{self.port}{path}", encoded=True)

    async def ask(self, method: str, path: str, **options: Any) -> "Heard":
        """Return what one request without cookies or redirects is answered."""
        options.setdefault("allow_redirects", False)
        async with self.session.request(method, self.url(path), **options) as answer:
            return Heard(answer.status, answer.headers, await answer.read())


@dataclass(frozen=True)
class Heard:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def cookies(self) -> list[str]:
        return list(self.headers.getall("Set-Cookie", []))  # type: ignore[attr-defined]

    def form_token(self, action: str) -> str:
        """Return the token in the page's form for an action."""
        form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', self.text, re.DOTALL)
        assert form is not None, f"no form for {action}"
        token = re.search(r'name="form_token" value="([^"]+)"', form[0])
        assert token is not None
        return token[1]

    def begin_token(self, action: str) -> str:
        """Return the token with which the script begins a ceremony, from the form for its action."""
        form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*data-begin-token="([^"]+)"', self.text)
        assert form is not None, f"no passkey form for {action}"
        return form[1]

    def hidden(self, action: str) -> dict[str, str]:
        """Return every hidden field of the page's form for an action."""
        form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', self.text, re.DOTALL)
        assert form is not None, f"no form for {action}"
        return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))


async def visit_of(house: House, person: "Person") -> Visit:
    """Return the visit of somebody who is on a browser."""
    return await house.auth.find_session(Secret(person.jar[cookies.SESSION]))


class Person:
    """A browser without scripts: keeps cookies, says where its forms come from."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.jar: dict[str, str] = {}

    async def get(self, path: str, **headers: str) -> Heard:
        return await self._send("GET", path, None, {"Sec-Fetch-Site": "none", **headers})

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> Heard:
        return await self._send("POST", path, dict(form), {**SAME_ORIGIN, **headers})

    async def enter(self, invitation: str) -> Heard:
        """Follow an invitation and return the answer to its button."""
        path = f"/portal/enter/{invitation}"
        page = await self.get(path)
        return await self.post(path, {"form_token": page.form_token(path)})

    async def come_in(self, role: Role = Role.OWNER) -> "Person":
        """Follow a fresh invitation; settled at once, as if something to sign in with were set up."""
        await self.enter(self.house.auth.invite(role=role))
        visit = await self.house.auth.find_session(Secret(self.jar[cookies.SESSION]))
        await self.house.people.list_credentials(visit)
        self.jar[cookies.SESSION] = self.house.auth.settle(visit).session_token.reveal()
        return self

    async def _send(
        self, method: str, path: str, form: dict[str, str] | None, headers: dict[str, str]
    ) -> Heard:
        kept = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        sent = {**headers, "Cookie": kept} if kept else headers
        heard = await self.house.ask(method, path, data=form, headers=sent)
        for cookie in heard.cookies():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.jar.pop(name, None)
            if "Max-Age=0" not in cookie:
                self.jar[name] = value
        return heard


SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}


@functools.cache
def tls() -> tuple[chassis.crypto.tls.Certificate, ssl.SSLContext]:
    """Return the door's certificate and how it is verified; the same for every test."""
    authority = Authority()
    trust = ssl.create_default_context(cadata=authority.ca_pem.decode())
    return authority.issue("localhost"), trust


def put_people(
    people: FakePeople, sellers: FakeSellers, portal: Portal, *, behind: Mapping[str, Any]
) -> PeoplePages:
    """Return people's pages over the fakes; `behind` is what every page stands on."""
    clock, entry = people.auth.clock, Entry(ways=people)
    arrivals = Arrivals(clock=clock, entropy=FakeEntropy())
    security = Security(keeper=people)
    return PeoplePages(
        entry=EntryPages(portal=portal, entry=entry, arrivals=arrivals, **behind),
        security=SecurityPages(security=security, entry=entry, arrivals=arrivals, clock=clock, **behind),
        team=TeamPages(team=Team(members=people), origin=ORIGIN, **behind),
        staff=StaffPages(desk=Desk(sellers=sellers), clock=clock, **behind),
    )


@asynccontextmanager
async def open_house() -> AsyncIterator[House]:
    """Open the door on loopback."""
    (certificate, trust), clock, entropy = tls(), FakeClock(), FakeEntropy()
    auth, audit, signals, forwarder = FakeAuth(clock), FakeAudit(), FakeSignals(), FakeForwarder()
    people = FakePeople(auth)
    sellers, portal = FakeSellers(people), Portal(people=auth)
    watch = Watch(audit=audit, signals=signals, clock=clock, entropy=entropy, allowance=Allowance())
    authorization = FakeAuthorization(auth)
    apps = NativeApps(people=auth, tokens=auth, authorization=authorization, client=CLIENT, issuer=ORIGIN)
    visitors = Visitors(portal=portal, watch=watch, origin=ORIGIN)
    renderer = Renderer(vendor_name="Lamplight", desktop_name=CLIENT.name, provider_name="Lamplight Login")
    nonces = nonces_for(clock)
    proofs = ProofVerifier(origins=[ORIGIN], clock=clock, nonces=nonces)
    consents = FakeConsents(auth)
    faces = Faces(
        consents=ConsentPages(
            portal=portal,
            consents=Consents(keeper=consents),
            visitors=visitors,
            renderer=renderer,
            clock=clock,
        ),
        people=put_people(people, sellers, portal, behind={"visitors": visitors, "renderer": renderer}),
        portal=PortalPages(portal=portal, visitors=visitors, renderer=renderer, origin=ORIGIN, clock=clock),
        desktops=DesktopPages(
            desktops=Desktops(authorization=authorization), visitors=visitors, renderer=renderer
        ),
        authorize=AuthorizePages(apps=apps, visitors=visitors, renderer=renderer),
        oauth=OAuthFace(apps=apps, watch=watch, proofs=proofs, issuer=ORIGIN),
        lwa=LwaFace(apps=LibraryApps(tokens=auth), watch=watch),
    )
    site = SocketlessSite(routes=faces.routes(), body_bytes_max=BODY_BYTES_MAX, is_strict_transport=True)
    spapi = SpapiFace(forwarder=forwarder, proofs=proofs)
    door = Door(
        listen=chassis.env.Address("127.0.0.1", 0),
        tls=lambda: chassis.crypto.tls.public_context(certificate),
        ways=Ways([*Pages(site).ways(), spapi.way()]),
        signals=signals,
    )
    await site.start()
    await door.start()
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield House(
            port=door.port,
            clock=clock,
            auth=auth,
            consents=consents,
            people=people,
            sellers=sellers,
            audit=audit,
            signals=signals,
            forwarder=forwarder,
            nonces=nonces,
            authorization=authorization,
            apps=apps,
            session=session,
        )
    await door.stop(1.0)
    await site.stop()
