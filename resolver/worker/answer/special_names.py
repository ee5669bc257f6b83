"""Special names, which every server answers itself whatever its configuration.

`localhost.`, `invalid.` and `onion.` must never be forwarded (RFC 6761 §6.3, §6.4, RFC 7686). Neither must
`resolver.arpa.`: an upstream would name its own encrypted listeners there, and clients would ask those instead of this
server (RFC 9462 §6.1). `health.pldns.` shows a probe that a worker answers. CHAOS `version.bind` and `id.server`
(RFC 4892) show which server answers.
"""

from typing import Final

from resolver import version
from resolver.wire import codes
from resolver.wire.query import Query
from resolver.worker.answer.compiled import Supplemented
from resolver.worker.answer.designation import DISCOVERY, Designation
from resolver.worker.answer.response import Draft, ReplyOrigin, error
from zones.dns.name import Name, from_text, is_under
from zones.dns.record import AAAA, ANY, NS, SOA, A, RRset, soa

_HEALTH: Final = from_text("health.pldns")
_LOCALHOST: Final = from_text("localhost")
_DENIED: Final = (from_text("invalid"), from_text("onion"))
_RESOLVER: Final = from_text("resolver.arpa")
_ENDS: Final = (_LOCALHOST, *_DENIED, _RESOLVER)
_TTL: Final = 10  # seconds
_LOOPBACK: Final = {A: bytes((127, 0, 0, 1)), AAAA: bytes(15) + b"\x01"}


def _text(text: str) -> bytes:
    octets = text.encode()[:255]
    return bytes((len(octets),)) + octets


class SpecialNames:
    """The special names of a server with the name `identity`, and with a `designation` of its encrypted listeners."""

    names: Final = frozenset((_HEALTH, *_ENDS))
    """The special names that have no special name above them. All others of class IN are below one of these."""

    def __init__(self, identity: str, designation: Designation | None = None) -> None:
        software, who = _text(f"pldns {version.VERSION}"), _text(identity)
        self._chaos = {
            from_text("version.bind"): software,
            from_text("version.server"): software,
            from_text("id.server"): who,
            from_text("hostname.bind"): who,
        }
        self._designation = designation

    def answer(self, query: Query) -> Draft | None:
        """Return the response to a query for a special name; None for any other name."""
        name = query.name
        if query.qclass == codes.CH:
            return self._of_chaos(query)
        if name == _HEALTH:
            return _found(name, query.qtype, {A: _LOOPBACK[A], codes.TXT: _text("ok")}, _HEALTH)
        if not name.endswith(_ENDS):
            return None
        if is_under(name, _LOCALHOST):
            return _found(name, query.qtype, _LOOPBACK, _LOCALHOST)
        if is_under(name, _RESOLVER):
            return self._of_resolver(name, query.qtype)
        zone = next((zone for zone in _DENIED if is_under(name, zone)), None)
        return _denied(zone, codes.NXDOMAIN) if zone else None

    def _of_resolver(self, name: Name, qtype: int) -> Draft:
        """Answer in `resolver.arpa.`, a locally served zone in which every name exists (RFC 9462 §6.4, RFC 6303 §3)."""
        if name == DISCOVERY and self._designation and qtype in {codes.SVCB, ANY}:
            draft = _local([self._designation.records])
            draft.additional, draft.shape = list(self._designation.addresses), Supplemented
            return draft
        if name == _RESOLVER and qtype in {SOA, ANY}:
            return _local([soa(name, _TTL)])
        if name == _RESOLVER and qtype == NS:
            return _local([RRset(name, NS, _TTL, (name,))])
        return _denied(_RESOLVER, codes.NOERROR)

    def _of_chaos(self, query: Query) -> Draft:
        rdata = self._chaos.get(query.name)
        if rdata is None or query.qtype not in {codes.TXT, ANY}:
            return error(codes.REFUSED)
        return _local([RRset(query.name, codes.TXT, 0, (rdata,))])


def _found(name: Name, qtype: int, records: dict[int, bytes], zone: Name) -> Draft:
    rtype = A if qtype == ANY else qtype
    if rtype not in records:
        return _denied(zone, codes.NOERROR)
    return _local([RRset(name, rtype, _TTL, (records[rtype],))])


def _denied(zone: Name, rcode: int) -> Draft:
    draft = _local([])
    draft.authority, draft.rcode = [soa(zone, _TTL)], rcode
    return draft


def _local(answer: list[RRset]) -> Draft:
    """Return an authoritative response that clients can ask for under invented names."""
    return Draft(answer=answer, aa=True, ad=False, origin=ReplyOrigin.LOCAL, expendable=True)
