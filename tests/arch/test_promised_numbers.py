"""The times and counts of docs/threats.md beside those that the code holds to: changing one is a decision.

Each service's own tests show that it keeps its numbers; here they are held against what was promised.
"""

import pytest

import chassis.db.pool
import chassis.run
import chassis.web.connection
import services.auth.app
import services.auth.jobs
import services.auth.vault
import services.gateway.app.ground
import services.gateway.jobs
import services.gateway.peers.auth
import services.retention.app
import services.retention.jobs
import services.telemetry.app
import services.telemetry.jobs
import services.telemetry.vault
from services.auth.model import consents, lending, passwords
from services.auth.service import lockout
from services.gateway import capabilities, nonces, proof, shared_key
from services.gateway.door import limits
from services.gateway.forward import documents, identities
from services.retention.model import erasures, orders
from services.retention.service import key_cache
from services.telemetry import committer
from services.telemetry.model import intents
from services.telemetry.service import upkeep

A_DAY_S = 86_400

# What is needed or lasts at most, in seconds where nothing else is said, and what was promised.
AT_MOST = [
    ("T-01, links and streams", identities.SILENCE_S_MAX + documents.DOUBT_S_MAX, 60),
    ("T-01, the stream's own watch", services.gateway.peers.auth.SILENCE_S_MAX, identities.SILENCE_S_MAX),
    ("T-02, a nonce", nonces.NONCE_LIFE_S, 300),
    ("T-09, heads of calls", limits.HEAD_DEADLINE_S, 10),
    ("T-09, heads inside", chassis.web.connection.HEAD_DEADLINE_S, 10),
    ("T-11, guesses of codes", lockout.FAILURES_MAX, 10),
    ("T-11, guesses of passwords", passwords.FAILURES_MAX, 10),
    ("T-22, one failed round and another", 2 * services.telemetry.jobs.CHECKPOINT_INTERVAL_S, 60),
    ("T-25, auth", services.auth.app.CERTIFICATE_LIFE_S, A_DAY_S),
    ("T-25, gateway", services.gateway.app.ground.CERTIFICATE_LIFE_S, A_DAY_S),
    ("T-25, retention", services.retention.app.CERTIFICATE_LIFE_S, A_DAY_S),
    ("T-25, telemetry", services.telemetry.app.CERTIFICATE_LIFE_S, A_DAY_S),
    (
        "R-01",
        intents.INTENT_OPEN_S + services.telemetry.jobs.ORPHANS_INTERVAL_S + committer.ANSWER_S_MAX,
        60,
    ),
    ("R-02, auth", services.auth.jobs.HEALTH_PERIOD_S + services.auth.jobs.HEALTH_S_MAX, 5),
    ("R-02, gateway", services.gateway.jobs.HEALTH_PERIOD_S + services.gateway.jobs.ROUND_S_MAX, 5),
    ("R-02, retention", services.retention.jobs.HEALTH_PERIOD_S + services.retention.jobs.HEALTH_S_MAX, 5),
    (
        "R-02, telemetry",
        services.telemetry.jobs.HEALTH_INTERVAL_S + upkeep.PROBE_S_MAX + chassis.db.pool.ACQUIRE_S_MAX,
        5,
    ),
    ("R-06, keys of nonces and links", shared_key.KEY_S_MAX, 60),
    ("R-06, the key of digests", services.auth.vault.DIGEST_KEY_REMEMBERED_S, 60),
    ("R-06, keys of webhooks", services.telemetry.vault.WEBHOOK_KEYS_REMEMBERED_S, 60),
    ("R-06, data keys", key_cache.KEY_CACHE_S + key_cache.FORGET_PERIOD_S, 60),
    ("R-09", lending.LEASE_S, 30),
    ("R-14, what a replica believes of another", capabilities.AHEAD_S_MAX, 60),
    ("R-14, the same of nonces", nonces.PROOF_S_MAX - nonces.NONCE_LIFE_S, 60),
    ("R-14, how far desktops may be off", proof.IAT_OFF_S_MAX, 600),
    ("R-16", chassis.run.DRAIN_S_MAX, 20),
    ("R-18, in days", orders.DAYS_MAX, 30),
    ("R-22, in days", erasures.CLOCK_KEPT_FOR.days + orders.DAYS_MAX, 547),
]
# What lasts, and how long it was promised to last at least.
AT_LEAST = [
    ("R-08, a refusal is confirmed after minutes", consents.REFUSAL_CONFIRMED_AFTER.total_seconds(), 120),
    ("R-14, how late a host may be that destroys keys", orders.CLOCK_SKEW_MAX.total_seconds(), 600),
    ("R-20, in days: what a restored key may have outlived", erasures.REVIVAL_DAYS, 2 * orders.DAYS_MAX),
    ("T-11, how long who guessed codes is locked out", lockout.LOCKED_S, 900),
    ("T-11, how long who guessed passwords is", passwords.LOCKED.total_seconds(), 1_800),
]


@pytest.mark.parametrize(("promise", "needed", "promised"), AT_MOST, ids=[row[0] for row in AT_MOST])
def test_nothing_takes_or_lasts_longer_than_promised(promise: str, needed: float, promised: float) -> None:
    assert needed <= promised, promise


@pytest.mark.parametrize(("promise", "lasting", "promised"), AT_LEAST, ids=[row[0] for row in AT_LEAST])
def test_nothing_lasts_shorter_than_promised(promise: str, lasting: float, promised: float) -> None:
    assert lasting >= promised, promise
