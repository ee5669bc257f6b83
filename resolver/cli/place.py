"""Where a running daemon listens: one key read from its configuration, the rest of which is not judged.

So a command that only talks to the daemon is quick, and works beside a file that is being edited.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from resolver.cli.failure import Failed
from resolver.config.nodes import parse

DNS: Final = "127.0.0.1:53"
ADMIN: Final = "127.0.0.1:8053"
"""What the configuration's models default to; they cost too much to import."""

Place = tuple[str, int]


def dns(path: Path | None, default: Path, environ: Mapping[str, str]) -> Place:
    """Where to ask: the first of `dns.listen`, on loopback if it is every address. Raises `Failed`."""
    listen = _value(("dns", "listen"), path, default, environ) or [DNS]
    host, port = endpoint(str(listen[0] if isinstance(listen, list) else listen))
    if ip_address(host).is_unspecified:
        host = "127.0.0.1" if "." in host else "::1"
    return host, port


def admin(path: Path | None, default: Path, environ: Mapping[str, str]) -> str:
    """URL of the admin interface. Raises `Failed`, also where there is none."""
    listen = _value(("admin", "listen"), path, default, environ)
    if listen in {"off", False}:
        raise Failed("the configuration has no admin interface (`admin.listen: off`)")
    return f"http://{listen or ADMIN}"


def endpoint(text: str) -> Place:
    """Read `ADDRESS[:PORT]`, IPv6 with a port in brackets; port 53 if none is given. Raises `Failed`."""
    match = _BRACKETED.fullmatch(text) or _PLAIN.fullmatch(text)
    host, port = (match[1], match[2] or "53") if match else (text, "53")
    try:
        ip_address(host)
        number = int(port)
    except ValueError:
        raise Failed(f"`{text}` is not ADDRESS:PORT") from None
    if not 0 < number < 65536:
        raise Failed(f"`{text}`: a port is from 1 to 65535")
    return host, number


_BRACKETED: Final = re.compile(r"\[([^\]]*)\](?::([0-9]+))?")
_PLAIN: Final = re.compile(r"([^:\[\]]+)(?::([0-9]+))?")


def _value(keys: tuple[str, str], path: Path | None, default: Path, environ: Mapping[str, str]) -> Any:  # noqa: ANN401
    """The key from the environment, else from the file; None where neither has it."""
    variable = "PLDNS_" + "__".join(keys).upper()
    if variable in environ:
        text = environ[variable]
        # As in the configuration proper: `[::1]:53` is an address, not a list.
        return text if text.startswith("[") and "]:" in text else parse(text, variable)[0].plain()
    if path is None and not default.exists():
        return None
    try:
        text = (path or default).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise Failed(f"{path or default}: cannot be read: {reason}") from None
    node, _ = parse(text, str(path or default))
    found, whole = node.find(keys)
    return found.plain() if whole else None
