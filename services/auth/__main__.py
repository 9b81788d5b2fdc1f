"""Start auth: `python -m services.auth`."""

import sys

import chassis.run
import services.auth.app
import services.auth.config

sys.exit(chassis.run.main("auth", services.auth.config.load, services.auth.app.build))
