r"""Zone files (RFC 1035 §5) to records: every type that dnspython knows, and `TYPEnnn \# …` (RFC 3597) for the rest.

dnspython parses the lines. This module checks that the records form a zone. The text is an argument: there is no
`$INCLUDE`. Does not know how a zone is looked up: that is `static`.
"""

import re
from typing import Any, Final

import dns.exception
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zonefile
import msgspec

from zones.dns.name import InvalidName, Name, from_text, is_under, parent, to_text
from zones.dns.record import CNAME, DNAME, NS, RRSIG, SOA, RRset

_KEY: Final = 25
_NSEC: Final = 47
_NSEC3: Final = 50
_BESIDE_CNAME: Final = frozenset({CNAME, RRSIG, _NSEC, _KEY})  # RFC 4035 §2.5
_BELOW_DNAME: Final = frozenset({RRSIG, _NSEC3})  # the hashed names of a zone whose apex has a DNAME
_SINGLETONS: Final = {CNAME: "RFC 2181 §10.1", DNAME: "RFC 6672 §2.4"}
_IS_A_NAME: Final = frozenset({NS, CNAME, DNAME})
_DIRECTIVES: Final = ("$ORIGIN", "$TTL", "$GENERATE")
MAX_GENERATED: Final = 65_536
"""Records of one `$GENERATE`."""
_GENERATE: Final = re.compile(r"\s*\$GENERATE\s+(\d+)-(\d+)(?:/(\d+))?", re.IGNORECASE | re.ASCII)
_LINE_END: Final = re.compile(r"\r\n?|\n")
_NO_ORIGIN: Final = dns.name.Name((b"\x00no origin\x00", b""))
"""Added to each relative name that comes before an origin is known, so that it differs from an absolute name."""


class InvalidZone(ValueError):  # noqa: N818 - the name of the fact, as in `InvalidName`
    """The text is not a valid zone.

    `line` is the line on which the wrong record begins, counted from 1; None where no single line is wrong.
    """

    def __init__(self, where: str, line: int | None, reason: str) -> None:
        super().__init__(f"{where}:{line}: {reason}" if line else f"{where}: {reason}")
        self.where, self.line, self.reason = where, line, reason


class Zone(msgspec.Struct, frozen=True, gc=False):
    """The content of a zone file: names in the order of the file, and the RRsets of each name in the order of types.

    `names` includes the apex with its SOA. Owners are folded, and so are the targets of NS, CNAME and DNAME, whose
    rdata is a `Name`. Other rdata is as written.
    """

    origin: Name
    soa: RRset
    names: dict[Name, tuple[RRset, ...]]


def parse(text: str, where: str, origin: str | None = None) -> Zone:
    """Return the zone that a text describes. `where` is the name of the file for error messages.

    The apex is `origin`, or the SOA's owner where no origin is given. Names are relative to the apex until the first
    `$ORIGIN`. Names before the SOA must be absolute where no origin is given.
    Where the records of one RRset differ in TTL, the smallest TTL counts (RFC 2181 §5.2). Raises `InvalidZone`.
    """
    records = _read(text.removeprefix("\ufeff"), where, origin)
    apex = _apex(records, where, origin)
    rrsets = _rrsets(records, where, apex)
    names: dict[Name, tuple[RRset, ...]] = {record.owner: () for record in records}
    for (owner, _), rrset in sorted(rrsets.items(), key=lambda item: item[0][1]):
        names[owner] += (rrset,)
    _check_aliases(records, where, rrsets)
    return Zone(apex, rrsets[apex, SOA], names)


class _Record(msgspec.Struct, frozen=True, gc=False):
    """One record, and the line on which it begins."""

    line: int
    owner: Name
    type: int
    ttl: int
    rdata: bytes


def _read(text: str, where: str, origin: str | None) -> list[_Record]:
    _check_generated(text, where)
    tokens = _Tokenizer(text, where)
    transaction = _Transaction(tokens)
    # The reader drops records outside its zone silently. So its zone is the root, and the real apex is checked later.
    reader = dns.zonefile.Reader(tokens, dns.rdataclass.IN, transaction, allow_directives=_DIRECTIVES)
    reader.last_name = None
    reader.current_origin = _NO_ORIGIN if origin is None else _wire_origin(origin, where)
    transaction.source = reader
    try:
        reader.read()
    except (dns.exception.DNSException, ValueError) as error:
        reason = str(error).removeprefix(f"{where}:{tokens.line_number}: ") or "not a record"
        if reason == dns.exception.SyntaxError.__doc__:
            reason = f"not a record or directive: {_LINE_END.split(text)[tokens.begin - 1][:80]!r}"
        raise InvalidZone(where, tokens.begin, reason) from None
    return transaction.found


def _check_generated(text: str, where: str) -> None:
    """Refuse a `$GENERATE` of billions of records: it is a typing error, and would exhaust time and memory."""
    for number, line in enumerate(_LINE_END.split(text), 1):
        found = _GENERATE.match(line)
        if found and (int(found[2]) - int(found[1])) // max(int(found[3] or 1), 1) >= MAX_GENERATED:
            raise InvalidZone(where, number, f"$GENERATE makes more than {MAX_GENERATED} records")


def _wire_origin(origin: str, where: str) -> dns.name.Name:
    try:
        return dns.name.from_wire(from_text(origin), 0)[0]
    except InvalidName as error:
        raise InvalidZone(where, None, f"origin: {error}") from None


class _Tokenizer(dns.tokenizer.Tokenizer):
    """Remembers the line on which the current record begins: dnspython has often read past it when it fails."""

    begin = 1

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:
        token = super().get(want_leading, want_comment)
        if want_leading and want_comment:  # the reader's main loop alone asks for both
            self.begin = self.line_number - (self.ungotten_char == "\n")
        return token


class _Transaction(dns.zonefile.RRsetsReaderTransaction):
    """Collects the records that dnspython reads, each with its line, so that error messages can name the line."""

    source: dns.zonefile.Reader

    def __init__(self, tokens: _Tokenizer) -> None:
        super().__init__(dns.zonefile.RRSetsReaderManager(), True, False)  # type: ignore[no-untyped-call]  # noqa: FBT003 - dnspython's signature
        self.tokens = tokens
        self.found: list[_Record] = []

    def add(self, *args: Any) -> None:  # noqa: ANN401 - dnspython's signature; its reader passes three
        name, ttl, rdata = args
        wire = rdata.to_wire()
        if dns.rdatatype.is_metatype(rdata.rdtype) or rdata.rdtype == dns.rdatatype.TYPE0:
            raise ValueError(f"type {rdata.rdtype:d} is for questions and messages, not for zones")
        if len(wire) > 0xFFFF:
            raise ValueError(f"rdata of {len(wire)} octets; at most 65535")
        if name.is_subdomain(_NO_ORIGIN) or _NO_ORIGIN.to_wire() in wire:
            raise ValueError("a relative name without an $ORIGIN before it")
        if rdata.rdtype == SOA and self.source.current_origin == _NO_ORIGIN:
            self.source.current_origin = name
        if rdata.rdtype in _IS_A_NAME:
            wire = wire.lower()
        owner = Name(name.to_wire().lower())
        self.found.append(_Record(self.tokens.begin, owner, int(rdata.rdtype), ttl, wire))


def _apex(records: list[_Record], where: str, origin: str | None) -> Name:
    soas = [record for record in records if record.type == SOA]
    if not soas:
        raise InvalidZone(where, None, "no SOA record: a zone has exactly one, at its apex")
    if len(soas) > 1:
        raise InvalidZone(where, soas[1].line, f"a second SOA record; the first is on line {soas[0].line}")
    apex = soas[0].owner
    if origin is not None and from_text(origin) != apex:
        raise InvalidZone(where, soas[0].line, f"the SOA record is at {to_text(apex)}, but the zone is {origin}")
    return apex


def _rrsets(records: list[_Record], where: str, apex: Name) -> dict[tuple[Name, int], RRset]:
    out: dict[tuple[Name, int], RRset] = {}
    for record in records:
        if not is_under(record.owner, apex):
            raise InvalidZone(where, record.line, f"{to_text(record.owner)} is outside the zone {to_text(apex)}")
        key = record.owner, record.type
        held = out.get(key) or RRset(record.owner, record.type, record.ttl, ())
        rdatas = held.rdatas if record.rdata in held.rdatas else (*held.rdatas, record.rdata)
        out[key] = RRset(record.owner, record.type, min(held.ttl, record.ttl), rdatas)
        if len(rdatas) > 1 and record.type in _SINGLETONS:
            raise InvalidZone(where, record.line, f"{_text(record)} a second time ({_SINGLETONS[record.type]})")
    return out


def _check_aliases(records: list[_Record], where: str, rrsets: dict[tuple[Name, int], RRset]) -> None:
    """Refuse other data beside a CNAME (RFC 1034 §3.6.2) and any name below a DNAME (RFC 6672 §2.4)."""
    redirected = {owner for owner, kind in rrsets if kind == DNAME}
    for record in records:
        if (record.owner, CNAME) in rrsets and record.type not in _BESIDE_CNAME:
            raise InvalidZone(where, record.line, f"{_text(record)} beside a CNAME")
        if redirected and record.type not in _BELOW_DNAME:
            _check_below(record, where, redirected)


def _check_below(record: _Record, where: str, redirected: set[Name]) -> None:
    name = record.owner
    while name != parent(name):
        name = parent(name)
        if name in redirected:
            raise InvalidZone(where, record.line, f"{_text(record)} below the DNAME at {to_text(name)}")


def _text(record: _Record) -> str:
    kind = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(record.type))
    return f"{to_text(record.owner)}: {kind}"
