"""What every service stands on; knows no service.

The first import of anything in here keeps gRPC to TLS 1.3, before anything can have loaded it.
"""

import chassis.ciphers  # noqa: F401 - it acts by being loaded
