"""Files of the state directory that cannot be used: each is kept under another name, and logged.

Does not know what a file holds.
"""

import logging
from pathlib import Path

from resolver.control.estate.state_health import SetAside

_log = logging.getLogger(__name__)


def set_aside(path: Path, error: OSError | ValueError, loss: str) -> SetAside:
    """Rename a file to `NAME.broken`. `loss`: what the log says of it, such as `the saved inventory F is not used`."""
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    broken = path.with_suffix(".broken")
    try:
        path.replace(broken)
    except OSError as refused:
        _log.error("%s: %s; moving it failed: %s", loss, why, refused.strerror)
        return SetAside(str(path), why, "")
    _log.error("%s: %s; it is now %s", loss, why, broken)
    return SetAside(str(path), why, str(broken))
