"""`python -m services.gateway` runs the service."""

import sys

import chassis.run
from services.gateway.app import build
from services.gateway.config import SETTINGS, load

if __name__ == "__main__":
    sys.exit(chassis.run.main("gateway", load, build, settings=SETTINGS))
