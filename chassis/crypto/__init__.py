"""The only place that names an algorithm: everybody else seals, opens, signs, verifies and digests."""
