"""`python -m services.retention` runs the service."""

import sys

import chassis.run
from services.retention.app import build
from services.retention.config import SETTINGS, load

if __name__ == "__main__":
    sys.exit(chassis.run.main("retention", load, build, settings=SETTINGS))
