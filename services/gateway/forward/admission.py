"""The gates that a call passes before anything is done for it, and what it then is.

In their order: who calls, and proves it; how much of theirs is under way; which operation it is; whether the
policy opens it, and what of it the device may see; where it goes. A refusal is the error of its gate.
"""

from collections.abc import Sequence

from services.gateway.catalogue.table import Catalogue
from services.gateway.forward.document_links import DocumentLinks
from services.gateway.forward.homes import Homes
from services.gateway.forward.identities import Identities
from services.gateway.forward.journey import Journey, order_id_of
from services.gateway.forward.ports import Ports
from services.gateway.forward.records import Seen
from services.gateway.forward.under_way import UnderWay
from services.gateway.model import exchange, faults, policy, priority, regions, targets
from services.gateway.model.calls import Call, Device, Region

# Names of query parameters that were left out, for the developer who wonders.
IGNORED_HEADER = "x-sallyport-ignored"
# What was asked for and not fetched, because the desktop would see nothing of it.
NARROWED_HEADER = "x-sallyport-narrowed"


class Admission:
    """Lets calls in, and counts them while they are under way."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        ports: Ports,
        identities: Identities,
        documents: DocumentLinks,
        homes: Homes,
    ) -> None:
        self._catalogue = catalogue
        self._ports = ports
        self._identities = identities
        self._documents = documents
        self._homes = homes
        self._under_way = UnderWay()

    async def admit(self, call: Call, seen: Seen, *, until_s: float) -> Journey:
        """Return what a call is; it is under way then, and until `leave`, whatever comes of it.

        Args:
            call: of a stranger.
            seen: learns who calls what as soon as that is known.
            until_s: the monotonic moment at which the client must have its answer.

        Raises:
            SallyportError: the first gate that does not let it pass.
        """
        device = await self._enter(call, seen)
        target = targets.parse(call.target)
        operation, parameters = self._catalogue.match(call.method, target.segments)
        targets.check_slashes(target.path, parameters)
        seen.operation = operation.name
        rules = self._ports.policies.rules
        document_class = None
        if operation.document_links:
            document_class = await self._documents.classify(
                operation, device, parameters, policy=rules.policy
            )
        purpose = rules.purpose(call.fields)
        plan = rules.plan(operation, device, path=target.path, purpose=purpose, document_class=document_class)
        known = targets.known_part(target.pairs, operation.query)
        policy.check_search(plan.view, known.names)
        query, narrowed = plan.view.narrow(known.text)
        body = exchange.request_body(operation, call.body)
        region = self._stated_region(call, target, body)
        if region is None and len(device.regions) > 1:
            region = await self._homes.find(device, operation, parameters=parameters, pairs=target.pairs)
        return Journey(
            call=call,
            device=device,
            operation=operation,
            rules=rules,
            plan=plan,
            region=regions.settle(region, device),
            path=target.path,
            query=query,
            body=body,
            parameters=parameters,
            order_id=order_id_of(parameters),
            priority=priority.stated(call.fields, known.names),
            document_class=document_class,
            omissions=_omissions(known.dropped, narrowed, plan.withheld),
            until_s=until_s,
        )

    def leave(self, seen: Seen) -> None:
        """Count one call less, if it was counted: it is answered."""
        if seen.device is not None:
            self._under_way.leave(seen.device)

    async def _enter(self, call: Call, seen: Seen) -> Device:
        """Return who calls: a device that stands, has room for one more call, and shows its key."""
        device = await self._identities.who(call.access_token, call.came_from)
        self._under_way.enter(device)
        seen.device = device
        _check_possession(call, device)
        return device

    def _stated_region(self, call: Call, target: targets.Target, body: bytes) -> Region | None:
        named = self._ports.hosts.region(call.host)
        if named is not None:
            return named
        return regions.stated(targets.values(target.pairs, regions.MARKETPLACE_PARAMETERS), body)


def _check_possession(call: Call, device: Device) -> None:
    """Let a call pass that needs no proof, or whose own is by the device's key and used up hereby (T-02)."""
    proven = call.proof.thumbprint if call.proof else ""
    if proven != device.key_thumbprint:
        raise faults.InvalidDpopProof
    if call.proof is not None:
        call.proof.use_up()


def _omissions(
    parameters: Sequence[str], datasets: Sequence[str], elements: Sequence[str]
) -> list[tuple[str, str]]:
    """Return the headers that tell what of a call does not go to Amazon."""
    headers = [(IGNORED_HEADER, ",".join(parameters))] if parameters else []
    if datasets or elements:
        narrowed = [f"{policy.INCLUDED_DATA}={','.join(datasets)}"] if datasets else []
        narrowed += [f"{policy.DATA_ELEMENTS}={','.join(elements)}"] if elements else []
        headers.append((NARROWED_HEADER, ";".join(narrowed)))
    return headers
