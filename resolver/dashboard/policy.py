"""What a browser may do with the page: load its own files, talk to its own server, and nothing else.

No header names the address of pldns, so a reverse proxy may serve the page under any host and path.
"""

from collections.abc import Mapping
from typing import Final

_POLICY: Final = (
    ("default-src", "'none'"),
    ("script-src", "'self'"),
    ("style-src", "'self'"),
    ("img-src", "'self' data: blob:"),  # a picture of the map is drawn in the browser
    ("connect-src", "'self'"),
    ("worker-src", "'self'"),  # the layout of the map
    ("form-action", "'self'"),
    ("base-uri", "'none'"),
    ("frame-ancestors", "'none'"),
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "; ".join(" ".join(each) for each in _POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}
"""Headers of every response of the page."""
