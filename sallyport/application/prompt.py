"""Taking a client secret from whoever sits at the console, or from a pipe, without showing it to anybody."""

import getpass
import sys

from chassis.secrecy import Secret

SECRET_CHARS_MAX = 4_096
NO_TEXT = "what was given on standard input is no client secret: it is no text"


class NothingGiven(Exception):
    """No secret came: the pipe was empty, nothing was typed, or what came is no text."""


def read_secret(prompt: str) -> Secret[str]:
    """Return one line without the blanks around it, typed without echo when there is a terminal.

    Raises:
        NothingGiven: it is empty, or no text.
    """
    try:
        line = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline(SECRET_CHARS_MAX)
    except EOFError:
        line = ""
    except UnicodeDecodeError:
        raise NothingGiven(NO_TEXT) from None
    secret = line.strip()
    if not secret:
        raise NothingGiven("no client secret was given on standard input")
    if not secret.isprintable():
        raise NothingGiven(NO_TEXT)
    return Secret(secret)
