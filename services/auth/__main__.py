"""`python -m services.auth` runs the service."""

import sys

import chassis.run
from services.auth.app import build
from services.auth.config import SETTINGS, load

if __name__ == "__main__":
    sys.exit(chassis.run.main("auth", load, build, settings=SETTINGS, is_wiping=True))
