"""One stand-in per port, in memory: for unit tests and for `sallyport simulate`.

Each passes the contract suite (`tests/contract/`) that the real part passes. Services never import them.
"""
