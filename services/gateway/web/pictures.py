"""An authenticator app's secret as people take it: a picture for the camera, text for the keyboard."""

import re
from urllib.parse import parse_qs, urlsplit

import segno
from markupsafe import Markup

# Longer than any that auth makes, and far below what such a picture holds.
OTPAUTH_URI = re.compile(r"otpauth://totp/[!-~]{1,1024}", re.ASCII)
# A camera reads it off a screen: no need to survive stains.
ERROR_CORRECTION = "l"
MODULE_PIXELS = 5
GROUP_CHARS = 4


def qr_code(otpauth_uri: str) -> Markup:
    """Return the picture as SVG to stand inside a page: black on white whatever the page's colours."""
    code = segno.make_qr(otpauth_uri, error=ERROR_CORRECTION)
    picture = code.svg_inline(scale=MODULE_PIXELS, light="#fff", omitsize=True, svgclass=None)
    # Made of numbers by the library; nothing of the address stands in it as text.
    return Markup(picture)  # noqa: S704


def app_secret(otpauth_uri: str) -> str:
    """Return the secret in groups that are easy to copy by hand; empty when the address has none."""
    (secret,) = parse_qs(urlsplit(otpauth_uri).query).get("secret", [""])[:1]
    return " ".join(secret[start : start + GROUP_CHARS] for start in range(0, len(secret), GROUP_CHARS))
