"""A hostile upstream before the gateway's forwarding path: what it costs the attacked seller, and others.

The forwarding path and the connections to Amazon are the product's own; its peers (auth, safe, audit log,
quota) are the fakes that pass their contract suites. The door is not in it.
"""
