"""`python -m services.telemetry` runs the service."""

import sys

import chassis.run
from services.telemetry import app, config

if __name__ == "__main__":
    sys.exit(chassis.run.main("telemetry", config.load, app.build))
