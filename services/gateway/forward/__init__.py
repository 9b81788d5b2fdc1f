"""The forwarding path: one desktop call in, Amazon's answer (or a refusal in its shape) out.

Owns the order of the gates a call passes: trip-wire, identity and proof, operation, policy, the intent in
the audit log; then what others have under way or was kept, the safe, token, quota, Amazon, observation;
then field policy, links to documents, the outcome. Never does I/O itself: everything outside comes through
the Protocols in `ports`, so the path runs under a deterministic scheduler (R-27). The composition root
(`app.path`) puts it together and runs `Identities.watch`, `RateLimiter.run`, `RateLimiter.tick`,
`Documents.tasks` and `Forwarder.tasks`, without which nothing keeps deadlines; `coalescing` alone starts
tasks, for calls that several wait for, and ends them with its own.

`await forwarder.handle(call)` never raises for a client's fault, nor for a dependency's: it renders
both in Amazon's shape. What its answers' links to documents are worth is `documents.Documents`' affair, which
another face serves. Other faces reuse `model.tripwire.check` and `model.faults.render`.
"""

from services.gateway.forward.forwarder import Forwarder
from services.gateway.forward.identities import Identities
from services.gateway.forward.ports import Ports
from services.gateway.forward.rate_limiter import RateLimiter

__all__ = ["Forwarder", "Identities", "Ports", "RateLimiter"]
