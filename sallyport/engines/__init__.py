"""The embedded engines: PostgreSQL and OpenBao as child processes, for one machine.

They are the real servers, started from the wheels that carry their programs, with TLS on, on loopback
only, their data in a folder that survives kill -9. They stand in for a cluster's engines in development
and in tests: whoever can read the folder can read the keys, so nothing here is for production.
"""
