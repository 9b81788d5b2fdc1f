"""Telemetry keeps the audit log: one hash-chained, append-only, signed record of who did what.

Owns: the audit log, and the checkpoints over it, signed with a key that never leaves Vault.
Never: stores a buyer's data or a secret; changes or deletes a record.
Talks to: Postgres (schema `telemetry`), Vault (key `telemetry-checkpoint`, its certificate).
Called by: gateway, auth, retention (Append); the operators' console (Export).

How an event travels: `rpc` decodes it, `service` checks it, `committer` puts it into one group with
others that wait, `store` chains the group under a lock and commits, and only then is the caller answered.
"""
