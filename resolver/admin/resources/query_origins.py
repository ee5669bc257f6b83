"""Where the answer to a watched query comes from, found from the reply and the estate, and the records in it.

Workers note only octets while they answer, so all of this is found afterwards, in control. A change between the answer
and now can make the origin wrong. Does not know which queries are watched.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final

import dns.exception
import dns.message
import dns.rdatatype

from resolver.channel.watched_queries import WatchedQuery
from resolver.control.estate.estate import Estate
from resolver.wire import codes
from zones.dns.name import InvalidName, Name, ancestry, from_text, wildcard
from zones.dns.record import PTR

_MOST: Final = 16
_LOOPBACK: Final = from_text("127.in-addr.arpa")
_OWN_RCODES: Final = frozenset({codes.FORMERR, codes.NOTIMP, codes.REFUSED})


class QueryOrigin(StrEnum):
    """Where an answer comes from."""

    ENDPOINT = "endpoint"
    ZONE = "zone"
    """A zone file, or records that a private DNS zone provides."""
    FALLBACK = "fallback"
    """An upstream server, although the name may be private."""
    UPSTREAM = "upstream"
    PLDNS = "pldns"
    """A special name, a name that the configuration denies, or a query that is refused."""


def origin_of(estate: Estate, query: WatchedQuery) -> QueryOrigin:
    """Return where the answer to a query comes from."""
    name = Name(query.name)
    above = ancestry(name)
    if query.rcode in _OWN_RCODES:
        return QueryOrigin.PLDNS
    if query.aa:
        if any(each in estate.static for each in above):
            return QueryOrigin.ZONE
        is_address = query.qtype == PTR and query.rcode == codes.NOERROR and _LOOPBACK not in above
        return QueryOrigin.ENDPOINT if is_address or _is_claimed(estate, above) else QueryOrigin.PLDNS
    if query.rcode == codes.SERVFAIL and _is_claimed(estate, above):
        return QueryOrigin.ENDPOINT
    targets = [Name(name), *(each for rtype, data in records(query.reply) if rtype == "CNAME" for each in _name(data))]
    may_be_private = any(estate.ledger.catalogue.zone_of(each) or estate.ledger.find(each) for each in targets)
    return QueryOrigin.FALLBACK if may_be_private else QueryOrigin.UPSTREAM


def _is_claimed(estate: Estate, above: list[Name]) -> bool:
    """Return whether an endpoint claims a name, or a wildcard above it. `above`: the name and its ancestors."""
    return bool(estate.ledger.find(above[0])) or any(estate.ledger.find(wildcard(each)) for each in above[1:])


@lru_cache(maxsize=2_048)
def records(reply: bytes) -> tuple[tuple[str, str], ...]:
    """Return the first records of the answer in a reply without its message id, as types and data.

    Replies are kept, because clients ask for few names. Returns none for octets that are no reply.
    """
    try:
        answer = dns.message.from_wire(b"\0\0" + reply, ignore_trailing=True).answer
        found = [(dns.rdatatype.to_text(each.rdtype), rdata.to_text()) for each in answer for rdata in each]
    except (dns.exception.DNSException, ValueError):
        return ()
    return tuple((rtype, data.removesuffix(".") if rtype == "CNAME" else data) for rtype, data in found[:_MOST])


def _name(text: str) -> list[Name]:
    try:
        return [from_text(text)]
    except InvalidName:
        return []
