"""`python -m services.auth` runs the service."""

import sys

import chassis.run
import services.auth.app
import services.auth.config

if __name__ == "__main__":
    sys.exit(chassis.run.main("auth", services.auth.config.load, services.auth.app.build, is_wiping=True))
