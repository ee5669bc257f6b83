"""Reverse zones that are answered here and not by an upstream: those of addresses that are not public (RFC 6303).

No public server knows names for private addresses. Questions for them burden the servers of the root and of AS112, and
show others which addresses a network has. Does not know endpoints and zone files: these take precedence. Pure.
"""

from typing import Final

from resolver.wire import codes
from resolver.worker.answer.response import Draft, ReplyOrigin
from zones.dns.name import Name, ancestry, from_text, labels
from zones.dns.record import ANY, NS, SOA, RRset, soa

_IPV4: Final = from_text("in-addr.arpa")
_IPV6: Final = from_text("ip6.arpa")
_TTL: Final = 10
"""Seconds. An endpoint may have the address next."""

APEXES: Final = frozenset(
    from_text(f"{prefix}.{tree}")
    for tree, prefixes in {
        "in-addr.arpa": (
            # RFC 6303 §4.1 and §4.2
            "10", "168.192", *(f"{number}.172" for number in range(16, 32)),
            "0", "127", "254.169", "2.0.192", "100.51.198", "113.0.203", "255.255.255.255",
            # RFC 7793
            *(f"{number}.100" for number in range(64, 128)),
        ),
        "ip6.arpa": (
            # RFC 6303 §4.3 to §4.6
            ".".join("0" * 32), ".".join("1" + "0" * 31), "d.f", "8.e.f", "9.e.f", "a.e.f", "b.e.f", "8.b.d.0.1.0.0.2",
        ),
    }.items()
    for prefix in prefixes
)  # fmt: skip
"""The zones of the IANA registry "Locally-Served DNS Zones"."""


def apex_over(name: Name) -> Name | None:
    """Return the locally served zone that a name is in; None for all other names."""
    if not name.endswith((_IPV4, _IPV6)):
        return None
    return next((at for at in ancestry(name) if at in APEXES), None)


def answer(draft: Draft, name: Name, qtype: int, apex: Name, *, exists: bool) -> None:
    """Answer from a zone that has nothing but SOA and NS (RFC 6303 §3). `exists`: a name below this one is served.

    A name that covers several addresses is NODATA, not NXDOMAIN: an endpoint may get one of them, and a resolver
    that has NXDOMAIN for `1.10.in-addr.arpa` answers for all names below it (RFC 8020).
    """
    record = soa(apex, _TTL)
    if name == apex and qtype in {SOA, ANY}:
        draft.add_served((record,))
    elif name == apex and qtype == NS:
        draft.add_served((RRset(apex, NS, _TTL, (apex,)),))
    else:
        draft.deny(record, codes.NOERROR if exists or name == apex or _is_prefix(name) else codes.NXDOMAIN)
    draft.origin, draft.expendable = ReplyOrigin.LOCAL, True


def _is_prefix(name: Name) -> bool:
    """Return whether the name covers several addresses: it has numbers only, but not all of an address."""
    own = labels(name)[:-2]
    if name.endswith(_IPV4):
        return len(own) < 4 and all(label.isdigit() for label in own)
    return len(own) < 32 and all(len(label) == 1 and label in b"0123456789abcdef" for label in own)
