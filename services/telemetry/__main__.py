"""`python -m services.telemetry` runs the service."""

import sys

import chassis.run
import services.telemetry.app
import services.telemetry.config

if __name__ == "__main__":
    sys.exit(chassis.run.main("telemetry", services.telemetry.config.load, services.telemetry.app.build))
