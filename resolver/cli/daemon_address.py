"""Where a running daemon listens: one key of its configuration, read without checking the rest of the file.

A command that only talks to the daemon is therefore quick, and works while somebody edits the file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from resolver.cli.failure import Failed
from resolver.config import nodes
from resolver.host_port import HostPort, InvalidHostPort, bracketed, parse

DNS: Final = "127.0.0.1:53"
ADMIN: Final = "127.0.0.1:8053"
"""The defaults of the configuration's models, which take too long to import here. A test compares them."""


def dns_address(path: Path | None, default: Path, environ: Mapping[str, str]) -> HostPort:
    """Return the first address of `dns.listen`; loopback when that is the wildcard address. Raises `Failed`."""
    listen = _value(("dns", "listen"), path, default, environ) or [DNS]
    server = parse_address(str(listen[0] if isinstance(listen, list) else listen))
    if server.address.is_unspecified:
        return HostPort("127.0.0.1" if server.address.version == 4 else "::1", server.port)
    return server


def admin_url(path: Path | None, default: Path, environ: Mapping[str, str]) -> str:
    """Return the URL of the admin interface. Raises `Failed`, also when `admin.listen` is off."""
    listen = _value(("admin", "listen"), path, default, environ)
    if listen in {"off", False}:
        raise Failed("the configuration turns the admin interface off (`admin.listen: off`)")
    return f"http://{listen or ADMIN}"


def parse_address(text: str) -> HostPort:
    """Parse `ADDRESS[:PORT]`, with brackets around an IPv6 address that has a port. The default port is 53.

    Raises `Failed`.
    """
    bare = text.count(":") > 1 and not text.startswith("[")
    try:
        server = parse(bracketed(text) if bare else text, 53)
    except InvalidHostPort:
        raise Failed(f"`{text}` is not ADDRESS:PORT") from None
    if not server.port:
        raise Failed(f"`{text}`: a port must be from 1 to 65535")
    return server


def _value(keys: tuple[str, str], path: Path | None, default: Path, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - what YAML can hold
    """Return the key's value from the environment, else from the file; None when neither has it."""
    variable = "PLDNS_" + "__".join(keys).upper()
    if variable in environ:
        text = environ[variable]
        # As in `resolver.config`: `[::1]:53` is an address, not a YAML list.
        return text if text.startswith("[") and "]:" in text else nodes.parse(text, variable)[0].plain()
    if path is None and not default.exists():
        return None
    try:
        text = (path or default).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise Failed(f"cannot read {path or default}: {reason}") from None
    node, _ = nodes.parse(text, str(path or default))
    found, whole = node.find(keys)
    return found.plain() if whole else None
