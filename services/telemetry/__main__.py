"""`python -m services.telemetry` runs the service."""

import sys

import chassis.run
from services.telemetry.app import build
from services.telemetry.config import SETTINGS, load

if __name__ == "__main__":
    sys.exit(chassis.run.main("telemetry", load, build, settings=SETTINGS))
