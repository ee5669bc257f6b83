"""The URIs of upstream servers: `udp://192.0.2.53:53`, `tls://192.0.2.53#dns.example`, `https://dns.example/dns-query`.

No name can be resolved before an upstream server is reached. The addresses of a URI with a host name are therefore in
`bootstrap`.
"""

import base64
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, WithJsonSchema

from resolver.config.values import Invalid, host_name, url_path
from resolver.host_port import HostPort, InvalidHostPort, bracketed, parse
from resolver.settings import Transport

_PORTS: Final[dict[Transport, int]] = {"udp": 53, "tcp": 53, "tls": 853, "https": 443}
_KNOWN: Final = "`udp://`, `tcp://`, `tls://` and `https://`"


class ServerUri(NamedTuple):
    """The parts of a URI."""

    transport: Transport
    address: str
    """Empty: the addresses in `bootstrap`."""
    port: int
    path: str = ""
    name: str = ""
    """The name in the server's certificate. Empty for UDP and TCP, and with a pin."""
    pin: str = ""

    def __str__(self) -> str:
        host = bracketed(self.address) if self.address else self.name
        known_by = f"#sha256/{self.pin}" if self.pin else f"#{self.name}" if self.name and self.address else ""
        return f"{self.transport}://{host}:{self.port}{self.path}{known_by}"


_BROADCAST: Final = IPv4Address("255.255.255.255")


def server(uri: str) -> ServerUri:
    """Parse a URI. Raises `Invalid` or `InvalidHostPort`."""
    scheme, mark, rest = uri.partition("://")
    if not mark:
        raise Invalid(f"`{uri}` has no protocol", _acceptable(f"udp://{uri}"))
    transport = next((known for known in _PORTS if known == scheme), None)
    if transport is None:
        raise Invalid(f"`{scheme}://` is not a protocol of upstream servers; the protocols are {_KNOWN}")
    place, mark, known_by = rest.partition("#")
    authority, slash, path = place.partition("/")
    if (mark and transport in {"udp", "tcp"}) or (slash and transport != "https"):
        raise Invalid(f"`{uri}`: only `https://` may have a path, only `tls://` and `https://` a certificate name")
    if transport == "https" and not path:
        raise Invalid(f"`{uri}` has no path", f"https://{authority}/dns-query{mark}{known_by}")
    name, pin = _identity(uri, known_by)
    at = _host(authority, transport)
    if isinstance(at, HostPort):
        if at.port == 0 or at.address.is_unspecified or at.address.is_multicast or at.address == _BROADCAST:
            raise Invalid(f"`{uri}` is not the address of a server")
        if isinstance(at.address, IPv6Address) and at.address.is_link_local and at.address.scope_id is None:
            raise Invalid(f"`{uri}`: a link-local address needs its interface, as in `[{at.host}%eth0]`")
        if transport in {"tls", "https"} and not known_by:
            raise Invalid(f"`{uri}` does not say which certificate name or pin to expect", f"{uri}#dns.example")
        address, port = at.host, at.port
    else:
        if name:
            raise Invalid(f"`{uri}` has two names")
        name, port = at
        address = ""
    where = url_path(f"/{path}") if path else ""
    return ServerUri(transport, address, port, where, name, pin)


def _acceptable(uri: str) -> str:
    """Return a URI that may be proposed; empty if it would be refused in turn."""
    try:
        server(uri)
    except (Invalid, InvalidHostPort):
        return ""
    return uri


def _host(authority: str, transport: Transport) -> HostPort | tuple[str, int]:
    """Return an address and port, or the host name of a server whose addresses are in `bootstrap`, and its port."""
    default = _PORTS[transport]
    try:
        return parse(authority, default)
    except InvalidHostPort as error:
        host, _, port = authority.partition(":")
        if transport in {"udp", "tcp"} or not host or host[-1].isdigit() or not (port.isdigit() or not port):
            raise Invalid(f"an upstream server needs an IP address: {error}") from None
    number = parse(f"192.0.2.1:{port}" if port else "192.0.2.1", default).port
    if number == 0:
        raise Invalid(f"`{authority}` is not the address of a server")
    return host_name(host), number


def _identity(uri: str, text: str) -> tuple[str, str]:
    """Return the name or the pin in the part after `#`; the other is empty."""
    digest = text.removeprefix("sha256/")
    if digest == text:
        return (host_name(text) if text else ""), ""
    try:
        if len(base64.b64decode(digest, validate=True)) == 32:
            return "", digest
    except ValueError:
        pass
    raise Invalid(f"`{uri}`: a pin is the SHA-256 of a public key in base64")


def placed(given: Iterable[ServerUri], bootstrap: Iterable[str]) -> Iterator[tuple[ServerUri, str]]:
    """Yield each server with its address. A server with a host name is repeated for every address in `bootstrap`."""
    for each in given:
        for address in (each.address,) if each.address else bootstrap:
            yield each, address


Server = Annotated[
    str,
    AfterValidator(lambda uri: str(server(uri))),
    WithJsonSchema({
        "title": "server", "type": "string", "pattern": "^(udp|tcp|tls|https)://",
        "examples": ["udp://192.0.2.53", "tls://192.0.2.53#dns.example"],
    }),
]  # fmt: skip
