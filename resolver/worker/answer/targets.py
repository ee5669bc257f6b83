"""The hosts that records lead to, and their addresses, for the additional section of an answer.

Knows MX (RFC 1035 §3.3.9), NS, SRV (RFC 2782), SVCB and HTTPS (RFC 9460 §4.1). Does not ask upstreams: only what the
table holds for the client's network is added. Pure.
"""

from typing import Final

from resolver.wire import codes
from zones.dns.name import ROOT, Name
from zones.dns.record import NS, RRset
from zones.networks.prefixes import NetworkIndex
from zones.table.outcome import Alias, Deps, Found
from zones.table.table import Table

OFFSETS: Final = {NS: 0, codes.MX: 2, codes.SRV: 6, codes.SVCB: 2, codes.HTTPS: 2}
"""Octets of rdata before the target, by type."""
_MAX_TARGETS: Final = 8
"""Targets of one RRset whose addresses are added."""
_MAX_ALIASES: Final = 3
"""Aliases between a target and its addresses: the public name of an endpoint has one."""


def of(rrset: RRset) -> list[Name]:
    """Return the first targets of an RRset, folded. The target `.` of SVCB and HTTPS is the owner itself."""
    found: list[Name] = []
    for rdata in rrset.rdatas[:_MAX_TARGETS]:
        start = end = OFFSETS[rrset.type]
        while rdata[end]:
            end += 1 + rdata[end]
        name = Name(rdata[start : end + 1].lower())
        if name == ROOT and rrset.type in {codes.SVCB, codes.HTTPS}:
            name = Name(rrset.owner.lower())
        if name != ROOT and name not in found:
            found.append(name)
    return found


def addresses(table: Table, name: Name, rtype: int, network: NetworkIndex) -> tuple[tuple[RRset, ...], Deps]:
    """Return the records from a target to its addresses, and the names whose change could change them."""
    rrsets: tuple[RRset, ...] = ()
    deps: Deps = ()
    for _ in range(_MAX_ALIASES + 1):
        outcome = table.lookup(name, rtype, network)
        deps += (name, *outcome.deps)
        match outcome:
            case Alias(rrsets=aliases, target=target):
                rrsets += aliases
                name = target
            case Found(rrsets=found):
                return rrsets + found, deps
            case _:
                break
    return (), deps
