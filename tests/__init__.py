"""Tests of everything, on real parts where it matters."""

import os

# Tests end servers in the middle of calls, and gRPC remarks on each. Its errors are printed all the same; it
# reads this when it is loaded.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
