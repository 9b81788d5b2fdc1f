"""The yardstick: one proxy measured beside others in one run, so that only ratios have to be believed.

Owns the load, the canned upstream, the peers (nginx, and express with axios) and the arithmetic. Never part
of what is measured. `sallyport bench` holds a running gateway beside the peers; `python -m bench`, in the
repository, a stack of its own.
"""
