"""`pldns dashboard`: the address of the page in a browser.

The address has no secret: the page asks for a token itself.
"""

import os
import webbrowser
from pathlib import Path

from resolver.cli import daemon_address, output


def run(config: Path | None, default: Path, *, open_browser: bool) -> int:
    """Print the address, and open it if asked to. Return 1 if no browser can be started."""
    url = daemon_address.page_url(config, default, os.environ)
    output.line(url)
    return 0 if not open_browser or webbrowser.open(url) else 1
