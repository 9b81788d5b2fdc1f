"""What telemetry does: one file per use case.

`ports` (what the use cases need), `diary` (what telemetry writes about itself), `intake` (events in),
`checkpoints` (signing), `exporting` (the log out), `upkeep` (orphaned intents, health).
"""
