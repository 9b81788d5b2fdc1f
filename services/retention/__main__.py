"""`python -m services.retention` runs the service."""

import sys

import chassis.run
from services.retention import app, config

if __name__ == "__main__":
    sys.exit(chassis.run.main("retention", config.load, app.build))
