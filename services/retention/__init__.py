"""Retention is the safe: buyers' data, sealed, each record with the clock that ends it.

Owns: sealed records, what is known about orders' clocks, the keys by erase day and by seller, erasure and
its signed receipts; schema `retention`, transit keys `retention-*`.
Never: talks to Amazon or to the outside; keeps a record past its clock; lets a person read one.
Talks to: Postgres, Vault, telemetry (audit).
Called by: the gateway (observe, seal, open); the operators' console (erase, receipts, verify).

How data lives here: `service.clocks` learns when an order left, `service.safe` seals a copy under a data key
of its seller and erase day, `service.erasing` destroys the day's key when the day begins, and `verifier`, who
alone may sign receipts, tries every path to what was there.
"""
