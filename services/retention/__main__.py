"""`python -m services.retention` runs the service."""

import sys

import chassis.run
import services.retention.app
import services.retention.config

if __name__ == "__main__":
    sys.exit(chassis.run.main("retention", services.retention.config.load, services.retention.app.build))
