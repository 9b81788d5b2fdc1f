"""The rate limiter: how many desktops and several replicas share one seller's quotas at Amazon.

The buckets lie in storage (`model.buckets`); this process spends from them under leases of a few calls, so
most calls get their permit here. Calls wait within their deadline rather than fail: people before bulk, the
devices of a seller round robin. How many may wait at once is bounded, for each device, each seller and in
all, so that one tenant's flood stays its own (T-32, R-23). While storage is away what was granted is spent,
then calls are refused until it is back (R-05).

`limiter` permits for calls, from all buckets · `local_bucket` what this replica has of one bucket ·
`wait_queue` who waits for it. `RateLimiter.run` and `RateLimiter.tick` are the process's tasks: the one talks
to storage, the other wakes it when something is due.
"""

from services.gateway.forward.rate_limiter.limiter import Permit, RateLimiter

__all__ = ["Permit", "RateLimiter"]
