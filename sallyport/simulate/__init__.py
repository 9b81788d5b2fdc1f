"""Deterministic scheduling: the services' use cases in one process, on a seeded loop, with faults.

The same seed gives the same trace. Sockets, threads and the wall clock do not exist here; whatever the use
cases need from outside comes through their ports, and behind each port stands a fake that passed the contract
suite of the real part.
"""
