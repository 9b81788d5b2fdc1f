"""`python -m services.gateway` runs the service."""

import sys

import chassis.run
from services.gateway import app, config

if __name__ == "__main__":
    sys.exit(chassis.run.main("gateway", config.load, app.build))
