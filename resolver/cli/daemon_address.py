"""Where a running daemon listens: a few keys of its configuration, read without checking the rest of the file.

Every command finds the daemon in the same way: over its Unix socket where that can be reached, otherwise over TCP. A
command that only talks to the daemon is therefore quick, and works while somebody edits the file.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from resolver.cli import unix_socket
from resolver.cli.failure import Failed, NoDaemon
from resolver.config import nodes
from resolver.host_port import HostPort, InvalidHostPort, bracketed, parse

DNS: Final = "127.0.0.1:53"
ADMIN: Final = "127.0.0.1:8053"
SOCKET: Final = "admin.sock"
"""The defaults of the configuration's models, which take too long to import here. A test compares them."""
SERVICE: Final = "/run/pldns"
"""`$RUNTIME_DIRECTORY` of the systemd unit."""
UNIX: Final = "unix:"
"""What comes before the path of a Unix socket in a URL."""


def dns_address(path: Path | None, default: Path, environ: Mapping[str, str]) -> HostPort:
    """Return the first address of `dns.listen`; loopback when that is the wildcard address. Raises `Failed`."""
    listen = _Keys(path, default, environ).value("dns", "listen") or [DNS]
    return _reachable(parse_address(str(listen[0] if isinstance(listen, list) else listen)))


def _reachable(listen: HostPort) -> HostPort:
    """Return a listen address, or loopback where it is the wildcard address."""
    if not listen.address.is_unspecified:
        return listen
    return HostPort("127.0.0.1" if listen.address.version == 4 else "::1", listen.port)


def admin_url(path: Path | None, default: Path, environ: Mapping[str, str]) -> str:
    """Return the URL of the admin interface: `unix:PATH` where the socket can be reached, otherwise `http://…`.

    Raises `Failed`, also where there is no way to the daemon.
    """
    keys = _Keys(path, default, environ)
    sockets = list(_sockets(keys, environ))
    closed = ""
    for at in sockets:
        try:
            unix_socket.connected(at).close()
        except PermissionError:
            closed = at
        except OSError:
            continue
        else:
            return f"{UNIX}{at}"
    listen = keys.value("admin", "listen")
    if listen not in {"off", False}:
        scheme = "https" if keys.value("admin", "tls") else "http"
        return f"{scheme}://{_reachable(parse_address(str(listen or ADMIN)))}"
    if closed:
        raise Failed(f"{closed}: permission denied; run this as root, as the user of pldns, or in `admin.group`")
    if sockets:
        raise NoDaemon(f"no daemon answers at {sockets[0]} (is `pldns serve` running?)")
    raise Failed("the configuration turns the admin interface off (`admin.socket: off` and `admin.listen: off`)")


def page_url(path: Path | None, default: Path, environ: Mapping[str, str]) -> str:
    """Return the address of the page: that of `admin.listen`, with the first name of `admin.hosts` if there is one.

    Raises `Failed` where the admin interface is not on TCP.
    """
    keys = _Keys(path, default, environ)
    listen = keys.value("admin", "listen")
    if listen in {"off", False}:
        raise Failed("a browser needs `admin.listen`, which the configuration turns off")
    at, hosts = _reachable(parse_address(str(listen or ADMIN))), keys.value("admin", "hosts")
    host = str(hosts[0]) if isinstance(hosts, list) and hosts else bracketed(at.host)
    return f"{'https' if keys.value('admin', 'tls') else 'http'}://{host}:{at.port}/ui/"


def _sockets(keys: "_Keys", environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the paths where the socket may be."""
    given = keys.value("admin", "socket")
    if given in {"off", False}:
        return
    if given and given != "auto":
        yield keys.absolute(str(given))
        return
    if runtime := environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or (SERVICE if keys.is_default else ""):
        yield f"{runtime}/{SOCKET}"
    state = keys.value("state", "directory") or environ.get("STATE_DIRECTORY", "").partition(":")[0] or "state"
    yield keys.absolute(f"{state}/{SOCKET}")


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


class _Keys:
    """Keys of the configuration. The file at `path` must exist; the one at `default` may not."""

    def __init__(self, path: Path | None, default: Path, environ: Mapping[str, str]) -> None:
        self.is_default = path is None or os.path.abspath(path) == os.path.abspath(default)  # noqa: PTH100 - only text
        self._path = path or default
        self._optional = path is None
        self._environ = environ
        self._root: nodes.Node | None = None

    def absolute(self, path: str) -> str:
        """Return the absolute form of a path, which is relative to the folder of the file."""
        return os.path.abspath(self._path.parent / path)  # noqa: PTH100 - as the daemon makes paths absolute

    def value(self, *keys: str) -> Any:  # noqa: ANN401 - what YAML can hold
        """Return the value in the environment, else in the file; None when neither has the key. Raises `Failed`."""
        variable = "PLDNS_" + "__".join(keys).upper()
        if variable in self._environ:
            text = self._environ[variable]
            # As in `resolver.config`: `[::1]:53` is an address, not a YAML list.
            return text if text.startswith("[") and "]:" in text else nodes.parse(text, variable)[0].plain()
        if self._root is None:
            self._root = nodes.parse(self._text(), str(self._path))[0]
        found, whole = self._root.find(keys)
        return found.plain() if whole else None

    def _text(self) -> str:
        if self._optional and not self._path.exists():
            return ""
        try:
            return self._path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise Failed(f"cannot read {self._path}: {reason}") from None
