"""Retention's use cases, with the ports they need.

One file per use: `clocks` (observe), `safe` (seal, open), `erasing` (erase, and the keys that are overdue),
`upkeep` (measure, forget). They share `data_keys` with its `key_cache` and `trail` (audit);
`ports` declares what they need from outside. Nothing here starts a task, sleeps or reads a clock of its own.
"""
