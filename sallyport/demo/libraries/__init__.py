"""The unmodified client libraries, each run as the desktop program that a vendor would ship.

Each module is a program of its own: settings as one JSON object on standard input, what the library returned
as one JSON object on standard output, exit code 1 with the library's own error on standard error.
"""
