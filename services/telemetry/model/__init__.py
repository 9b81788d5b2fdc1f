"""Telemetry's values and rules: pure, no I/O, no clock; `now` is an argument.

One file per subject: `errors`, `events` (what a sender may say), `kinds` (what telemetry itself says),
`chain` (records and the bytes that are hashed), `checkpoints` (what is signed), `admission` (which calls
enter the log, and where), `intents` (when they are overdue).
The bytes are specified in docs/audit-format.md; the verifier in `sallyport.audit` is written from that
page and shares no code with this folder.
"""
