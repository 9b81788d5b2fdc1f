"""gRPC clients of the services that the gateway stands on: auth, retention, telemetry.

One file per audience. Each turns the gateway's own values into messages and back; errors arrive as
chassis kinds with the other side's codes, put there by `chassis.rpc`.
"""
