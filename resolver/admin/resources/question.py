"""A question as a person types it: a name, an address or a URL, a record type, and the address of a client.

The command line and the admin interface share these rules. Every refusal says what to type instead.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import dns.message
import dns.name
import dns.rdatatype

from resolver.admin.resources.model import hint, nearest
from resolver.wire import codes
from resolver.worker.access.clients import packed
from zones.dns.name import InvalidName, Name, from_text, reverse, to_text
from zones.dns.record import PTR, A
from zones.networks.network import Network
from zones.networks.prefixes import prefix

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://|//", re.IGNORECASE)
_PORT: Final = re.compile(r"(?P<host>[^:\s]+):\d{1,5}")
_REVERSE: Final = (".in-addr.arpa", ".ip6.arpa")
"""Below these a label may have a slash (RFC 2317)."""


class InvalidQuestion(ValueError):  # noqa: N818 - the text, not the code, is wrong
    """The text is no question. The message is a sentence that says what to type instead."""


class Question(NamedTuple):
    """A name, folded, and the number of a record type."""

    name: Name
    type: int

    @property
    def message(self) -> dns.message.QueryMessage:
        """The query that a client sends: with RD, and with EDNS without options."""
        owner, _ = dns.name.from_wire(self.name, 0)
        number = dns.rdatatype.RdataType.make(self.type)
        return dns.message.make_query(owner, number, use_edns=True, payload=codes.PAYLOAD)


def question(name: str, rtype: str | None = None) -> Question:
    """Return the question that a name and a type make: for an address, its PTR name. Without a type, A or PTR.

    Raises `InvalidQuestion`.
    """
    text = name.strip()
    number = _type(rtype)
    address = _address(text)
    if address is not None:
        if number not in {None, PTR}:
            raise InvalidQuestion(
                f"{text} is an address, which has a PTR record only: leave out {codes.type_text(number or 0)}, or "
                "give a name"
            )
        return Question(reverse(address), PTR)
    _refuse_url(text)
    try:
        return Question(from_text(text), A if number is None else number)
    except InvalidName as error:
        raise InvalidQuestion(f"no domain name: {error}") from None


class Client(NamedTuple):
    """The packed address of a client, and the network that was named instead of the address; empty without."""

    address: bytes
    network: str = ""


def client(text: str, networks: Iterable[Network]) -> Client:
    """Return the client that an address names; or a network, by the first address of its first prefix.

    Raises `InvalidQuestion`.
    """
    try:
        return Client(packed(text.strip().strip("[]")))
    except ValueError:
        pass
    by_name = {each.name.casefold(): each for each in networks}
    found = by_name.get(text.strip().casefold())
    if found is not None and found.clients:
        return Client(prefix(found.clients[0]).address, found.name)
    if found is not None:
        raise InvalidQuestion(f"client: network {found.name} has no client prefix; give an address, and its listener")
    host, mark, _ = text.partition("/")
    if mark and _address(host) is not None:
        raise InvalidQuestion(f"client: {text[:80]} is a prefix; give one address of it, such as {host}")
    near = hint(nearest(text, [each.name for each in by_name.values()]))
    raise InvalidQuestion(f"client: {text[:80]!r} is not an IP address, nor the name of a network{near}")


def _type(text: str | None) -> int | None:
    try:
        return None if text is None else codes.type_number(text.strip())
    except ValueError as error:
        raise InvalidQuestion(f"type: {error}; give a mnemonic such as AAAA, or a number such as TYPE65") from None


def _address(text: str) -> bytes | None:
    try:
        return ip_address(text.strip("[]").partition("%")[0]).packed
    except ValueError:
        return None


def _refuse_url(text: str) -> None:
    """Raise `InvalidQuestion` for a URL or a name with a port, with the name in it."""
    if _URL.match(text):
        try:
            host = urlsplit(text).hostname
        except ValueError:
            host = None
        raise InvalidQuestion(f"{text[:80]} is a URL{_inside(host)}")
    if "/" in text and not text.rstrip(".").lower().endswith(_REVERSE):
        raise InvalidQuestion(f"{text[:80]} is a URL without its scheme{_inside(text.partition('/')[0])}")
    if port := _PORT.fullmatch(text):
        raise InvalidQuestion(f"{text[:80]} has a port{_inside(port['host'])}")


def _inside(host: str | None) -> str:
    """Return the end of a sentence that names the host in a text; nothing where there is no name or address."""
    host = (_PORT.fullmatch(host or "") or {"host": host})["host"]
    if host and _address(host) is not None:
        return f"; the address in it is {host}"
    try:
        return f"; the name in it is {to_text(from_text(host or ''))}"
    except InvalidName:
        return "; give a domain name or an address"
