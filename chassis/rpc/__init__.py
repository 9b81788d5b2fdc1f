"""Calls between our own processes: gRPC, both sides proven, every method in a table.

- TLS 1.3 only, and both sides show a certificate of our authority (T-24). Renewed certificates are taken up
  without a restart and without a failed call (R-15).
- Who calls is the DNS name in the caller's certificate. A method is served only to the callers in its row,
  within its row's deadline, and leaves a line in the log under its row's event kind.
- A `SallyportError` raised by a handler is raised again at the caller, as its kind with its code and text.
  Anything else is logged whole under a random id and arrives as Internal with that id.
- The request id and the trace travel along.
- Who asks all the time asks over a line: a stream of requests, each with its answer. To all of the above it
  is one call, and it ends at the first error.
"""

from chassis.rpc.channel import Channel
from chassis.rpc.line import Line
from chassis.rpc.methods import Method, Service
from chassis.rpc.server import Server, caller, calling_process
from chassis.rpc.status import MethodUnknown

__all__ = ["Channel", "Line", "Method", "MethodUnknown", "Server", "Service", "caller", "calling_process"]
