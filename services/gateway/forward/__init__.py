"""The forwarding path: one desktop call in, Amazon's answer (or a refusal in its shape) out.

Owns the order of the gates a call passes: trip-wire, identity and proof, operation, policy, the intent in
the audit log; then what others have under way or was kept, the safe, token, quota, Amazon, observation;
then field policy, links to documents, the outcome. Never does I/O itself: everything outside comes through
the Protocols in `ports`, so the path runs under a deterministic scheduler (R-27). The composition root runs
`Identities.watch`, `RateLimiter.run`, `RateLimiter.tick` and `Forwarder.tasks`, without which nothing keeps
deadlines; `coalescing` alone starts tasks, for calls that several wait for, and ends them with its own.

How the composition root puts it together (all keyword arguments)::

    ports = Ports(auth=…, safe=…, audit=…, upstream=…, buckets=…, revisions=…, homes=…, policies=…, signals=…,
                  clock=clock, entropy=entropy)
    identities = Identities(auth=ports.auth, clock=clock, entropy=entropy, signals=signals)
    limiter = RateLimiter(store=ports.buckets, clock=clock, entropy=entropy, signals=ports.signals)
    links = DocumentLinks(catalogue=…, table=DocumentTable.load(), types=…, hosts=…, sealing=…, signals=…)
    forwarder = Forwarder(catalogue=Catalogue.load(), ports=ports, identities=identities, limiter=limiter,
                          documents=links, user_agent=exchange.user_agent(version))
    tasks += [("revocations", identities.watch), ("quota", limiter.run), ("quota_ticks", limiter.tick),
              *forwarder.tasks]

`await forwarder.handle(call)` never raises for a client's fault, nor for a dependency's: it renders
both in Amazon's shape. What its answers' links to documents are worth is `documents.Documents`' affair, which
another face serves. Doors of other faces reuse `model.tripwire.check` and `model.faults.render`.
"""

from services.gateway.forward.forwarder import Forwarder
from services.gateway.forward.identities import Identities
from services.gateway.forward.ports import Ports
from services.gateway.forward.rate_limiter import RateLimiter

__all__ = ["Forwarder", "Identities", "Ports", "RateLimiter"]
