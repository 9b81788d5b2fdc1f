"""How fast it is, as ratios taken in one run: beside a proxy that does nothing, plain COPY, plain DELETE.

Opens a stack of its own in a temporary folder, on loopback. Never a test: nothing fails for being slow.
"""
