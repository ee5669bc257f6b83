"""The address and port of a socket, and their text form: `ADDRESS:PORT`, IPv6 in brackets (RFC 3986 section 3.2.2).

The only parser and formatter of this form. Does not know who listens at an address, and accepts no host names.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import msgspec


class InvalidHostPort(ValueError):  # noqa: N818 - says what is wrong with the text
    """The text is not an address and port. `hint` is the likely correct text, or empty."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class HostPort(msgspec.Struct, frozen=True):
    """An IP address (as text, without brackets) and a port. Port 0: the kernel chooses one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The IP address as a value."""
        return ip_address(self.host)


def bracketed(host: str) -> str:
    """Return the host as written before a port: an IPv6 address in brackets, anything else unchanged."""
    return f"[{host}]" if ":" in host else host


def parse(text: str, default_port: int | None = None) -> HostPort:
    """Read `IPV4[:PORT]` or `[IPV6][:PORT]`. An IPv4-mapped IPv6 address is read as IPv4.

    A link-local address may have its interface as a scope: `[fe80::1%eth0]` (RFC 4007 §11).

    Raises `InvalidHostPort`; also where the port is missing and there is no default.
    """
    match = _BRACKETED.fullmatch(text) or _PLAIN.fullmatch(text)
    host, digits = (match[1], match[2]) if match else (text, None)
    try:
        address = ip_address(host)
    except ValueError:
        raise InvalidHostPort(f"`{host}` is not an IP address") from None
    if isinstance(address, IPv6Address):
        if not match or not text.startswith("["):
            hint = f"[{host}]" if default_port is not None else ""  # without a default, the last group may be the port
            raise InvalidHostPort(f"`{text}`: an IPv6 address must be in brackets", hint)
        if address.scope_id is not None and not (address.is_link_local and _INTERFACE.fullmatch(address.scope_id)):
            raise InvalidHostPort(f"`{text}`: only a link-local address may have a scope, the name of an interface")
        address = address.ipv4_mapped or address
    port = int(digits) if digits else default_port
    if port is None:
        raise InvalidHostPort(f"`{text}` has no port", f"{bracketed(str(address))}:53")
    if port > 65535:
        raise InvalidHostPort(f"`{text}`: a port is at most 65535")
    return HostPort(str(address), port)


_INTERFACE: Final = re.compile(r"[!-.0-~]{1,15}", re.ASCII)
_BRACKETED: Final = re.compile(r"\[([^\]]*)\](?::([0-9]{1,9}))?", re.ASCII)
_PLAIN: Final = re.compile(r"([^:/\[\]]*)(?::([0-9]{1,9}))?", re.ASCII)
