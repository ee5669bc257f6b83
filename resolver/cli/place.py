"""Where a running daemon listens: one key read from its configuration, the rest of which is not judged.

So a command that only talks to the daemon is quick, and works beside a file that is being edited.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from resolver.cli.failure import Failed
from resolver.config import nodes
from resolver.host_port import HostPort, InvalidHostPort, bracketed, parse

DNS: Final = "127.0.0.1:53"
ADMIN: Final = "127.0.0.1:8053"
"""What the configuration's models default to; they cost too much to import."""


def dns(path: Path | None, default: Path, environ: Mapping[str, str]) -> HostPort:
    """Where to ask: the first of `dns.listen`, on loopback if it is every address. Raises `Failed`."""
    listen = _value(("dns", "listen"), path, default, environ) or [DNS]
    at = endpoint(str(listen[0] if isinstance(listen, list) else listen))
    if at.address.is_unspecified:
        return HostPort("127.0.0.1" if at.address.version == 4 else "::1", at.port)
    return at


def admin(path: Path | None, default: Path, environ: Mapping[str, str]) -> str:
    """URL of the admin interface. Raises `Failed`, also where there is none."""
    listen = _value(("admin", "listen"), path, default, environ)
    if listen in {"off", False}:
        raise Failed("the configuration has no admin interface (`admin.listen: off`)")
    return f"http://{listen or ADMIN}"


def endpoint(text: str) -> HostPort:
    """Read `ADDRESS[:PORT]`, IPv6 with a port in brackets; port 53 if none is given. Raises `Failed`."""
    bare = text.count(":") > 1 and not text.startswith("[")
    try:
        at = parse(bracketed(text) if bare else text, 53)
    except InvalidHostPort:
        raise Failed(f"`{text}` is not ADDRESS:PORT") from None
    if not at.port:
        raise Failed(f"`{text}`: a port is from 1 to 65535")
    return at


def _value(keys: tuple[str, str], path: Path | None, default: Path, environ: Mapping[str, str]) -> Any:  # noqa: ANN401
    """The key from the environment, else from the file; None where neither has it."""
    variable = "PLDNS_" + "__".join(keys).upper()
    if variable in environ:
        text = environ[variable]
        # As in the configuration proper: `[::1]:53` is an address, not a list.
        return text if text.startswith("[") and "]:" in text else nodes.parse(text, variable)[0].plain()
    if path is None and not default.exists():
        return None
    try:
        text = (path or default).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise Failed(f"{path or default}: cannot be read: {reason}") from None
    node, _ = nodes.parse(text, str(path or default))
    found, whole = node.find(keys)
    return found.plain() if whole else None
