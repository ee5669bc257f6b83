"""Special names, which every server answers itself whatever its configuration.

`localhost.`, `invalid.` and `onion.` must never be forwarded (RFC 6761 §6.3, §6.4, RFC 7686). `health.pldns.` shows a
probe that a worker answers. CHAOS `version.bind` and `id.server` (RFC 4892) show which server answers.
"""

from typing import Final

from resolver import version
from resolver.wire import codes
from resolver.wire.query import Query
from resolver.worker.answer.response import Draft, ReplyOrigin, error
from zones.dns.name import Name, from_text, is_under
from zones.dns.record import AAAA, ANY, A, RRset, soa

_HEALTH: Final = from_text("health.pldns")
_LOCALHOST: Final = from_text("localhost")
_DENIED: Final = (from_text("invalid"), from_text("onion"))
_TTL: Final = 10  # seconds
_LOOPBACK: Final = {A: bytes((127, 0, 0, 1)), AAAA: bytes(15) + b"\x01"}


def _text(text: str) -> bytes:
    octets = text.encode()[:255]
    return bytes((len(octets),)) + octets


class SpecialNames:
    """The special names of a server with the name `identity`."""

    def __init__(self, identity: str) -> None:
        software, who = _text(f"pldns {version.VERSION}"), _text(identity)
        self._chaos = {
            from_text("version.bind"): software,
            from_text("version.server"): software,
            from_text("id.server"): who,
            from_text("hostname.bind"): who,
        }

    names: Final = frozenset((_HEALTH, _LOCALHOST, *_DENIED))
    """The names that a special answer begins at. One for all names below such a name is at that name."""

    def answer(self, query: Query) -> Draft | None:
        """Return the response to a query for a special name; None for any other name."""
        name = query.name
        if query.qclass == codes.CH:
            return self._of_chaos(query)
        if name.endswith(_LOCALHOST) and is_under(name, _LOCALHOST):
            return _found(name, query.qtype, _LOOPBACK, _LOCALHOST)
        if name == _HEALTH:
            return _found(name, query.qtype, {A: _LOOPBACK[A], codes.TXT: _text("ok")}, _HEALTH)
        for zone in _DENIED:
            if name.endswith(zone) and is_under(name, zone):
                return _denied(zone, codes.NXDOMAIN)
        return None

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
