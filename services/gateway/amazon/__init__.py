"""Calls to Amazon's SP-API endpoints: bytes out, bytes back, within bounds.

Owns the connections: HTTP/1.1, kept alive, TLS with the endpoint's name verified. Never follows a redirect,
never sends a request anywhere but to the configured origins, never logs a body, a header or an address. What
comes back is taken whole or not at all (T-05, T-29). One call of `Amazon.send` is one request on the wire:
whether to ask again is the caller's decision.

    client ─▶ pool (one per origin: idle, under way, waiting) ─▶ dialler ─▶ connection ─▶ answers ─▶ bodies
       └──▶ requests                                                            ├──▶ deadline
                                                                                └──▶ large_answers
"""

from services.gateway.amazon.client import Amazon

__all__ = ["Amazon"]
