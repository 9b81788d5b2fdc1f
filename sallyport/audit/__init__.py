"""The audit log, outside the service that writes it: fetching an export, and checking one offline.

`verify` is written from docs/audit-format.md and shares no code with `services.telemetry`, so that a mistake
in one of them shows in the other.
"""
