"""The operators' command line: run, demo, audit, inventory, simulate."""
