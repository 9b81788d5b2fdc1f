"""`python -m services.gateway` runs the service."""

import sys

import chassis.run
import services.gateway.app
import services.gateway.config

if __name__ == "__main__":
    sys.exit(chassis.run.main("gateway", services.gateway.config.load, services.gateway.app.build))
