"""One process of each service, put together as its `app` does it, on engines and wires that may fail.

`ground` is what all of them stand on; each other file builds the house of the service it is named after.
Health checks are left out, because nobody asks for readiness here.
"""

import chassis.rpc  # noqa: F401 - settles how grpc speaks TLS, so it comes before whatever loads grpc
