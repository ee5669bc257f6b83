r"""Zone files (RFC 1035 §5) to zones: every type that dnspython knows, and `TYPEnnn \# …` (RFC 3597) for the rest.

`zone_reader` reads the rows. This module checks that the records form a zone. The text is an argument: there is no
`$INCLUDE`. Does not know how a zone is looked up: that is `static`.
"""

from collections.abc import Sequence
from typing import Final

import dns.rdatatype
import msgspec

from zones.dns.name import InvalidName, Name, from_text, is_under, parent, to_text
from zones.dns.record import CNAME, DNAME, RRSIG, SOA, RRset
from zones.dns.zone_problems import ZoneProblem
from zones.dns.zone_reader import ReadRecord, read

_KEY: Final = 25
_NSEC: Final = 47
_NSEC3: Final = 50
_BESIDE_CNAME: Final = frozenset({CNAME, RRSIG, _NSEC, _KEY})  # RFC 4035 §2.5
_BELOW_DNAME: Final = frozenset({RRSIG, _NSEC3})  # the hashed names of a zone whose apex has a DNAME
_SINGLETONS: Final = {CNAME: "RFC 2181 §10.1", DNAME: "RFC 6672 §2.4"}
MAX_PROBLEMS: Final = 20
"""Problems of one file that are reported. The others are counted."""


class InvalidZone(ValueError):  # noqa: N818 - the name of the fact, as in `InvalidName`
    """The text is not a valid zone. `messages` has a line of text for each problem, and one for those left out."""

    def __init__(self, where: str, problems: Sequence[ZoneProblem]) -> None:
        self.problems = tuple(problems[:MAX_PROBLEMS])
        self.messages = tuple(_message(where, problem) for problem in self.problems)
        if len(problems) > MAX_PROBLEMS:
            self.messages += (f"{where}: and {len(problems) - MAX_PROBLEMS} more problems",)
        super().__init__("; ".join(self.messages))


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
    Where the records of one RRset differ in TTL, the smallest TTL counts (RFC 2181 §5.2).
    Raises `InvalidZone` with all that is wrong.
    """
    try:
        wanted = None if origin is None else from_text(origin)
    except InvalidName as error:
        raise InvalidZone(where, [ZoneProblem(0, 0, f"origin: {error}")]) from None
    records, problems = read(text.removeprefix("\ufeff"), wanted)
    apex = _apex(records, problems, wanted)
    rrsets = _rrsets(records, problems, apex)
    _check_aliases(records, problems, rrsets)
    if apex is None or problems:
        raise InvalidZone(where, sorted(problems))
    names: dict[Name, tuple[RRset, ...]] = {record.owner: () for record in records}
    for (owner, _), rrset in sorted(rrsets.items(), key=lambda item: item[0][1]):
        names[owner] += (rrset,)
    return Zone(apex, rrsets[apex, SOA], names)


def _message(where: str, problem: ZoneProblem) -> str:
    at = f"{where}:{problem.line}:{problem.column}" if problem.line else where
    return f"{at}: {problem.reason}"


def _apex(records: list[ReadRecord], problems: list[ZoneProblem], origin: Name | None) -> Name | None:
    """Return the owner of the SOA record; None where there is none."""
    soas = [record for record in records if record.type == SOA]
    if not soas:
        if not problems:  # else a bad row may have been the SOA
            problems.append(ZoneProblem(0, 0, "no SOA record: a zone has exactly one, at its apex"))
        return None
    problems += [_problem(each, f"a second SOA record; the first is on line {soas[0].line}") for each in soas[1:]]
    apex = soas[0].owner
    if origin is not None and origin != apex:
        reason = f"the SOA record is at {to_text(apex)}, but the zone is {to_text(origin)}"
        problems.append(_problem(soas[0], reason))
    return apex


def _rrsets(records: list[ReadRecord], problems: list[ZoneProblem], apex: Name | None) -> dict[tuple[Name, int], RRset]:
    out: dict[tuple[Name, int], RRset] = {}
    for record in records:
        if apex is not None and not is_under(record.owner, apex):
            problems.append(_problem(record, f"{to_text(record.owner)} is outside the zone {to_text(apex)}"))
        key = record.owner, record.type
        held = out.get(key)
        if held is None:
            out[key] = RRset(record.owner, record.type, record.ttl, (record.rdata,))
            continue
        rdatas = held.rdatas if record.rdata in held.rdatas else (*held.rdatas, record.rdata)
        out[key] = RRset(record.owner, record.type, min(held.ttl, record.ttl), rdatas)
        if len(rdatas) > 1 and record.type in _SINGLETONS:
            problems.append(_problem(record, f"{_text(record)} a second time ({_SINGLETONS[record.type]})"))
    return out


def _check_aliases(
    records: list[ReadRecord], problems: list[ZoneProblem], rrsets: dict[tuple[Name, int], RRset]
) -> None:
    """Report other data beside a CNAME (RFC 1034 §3.6.2) and any name below a DNAME (RFC 6672 §2.4)."""
    aliases = {owner for owner, kind in rrsets if kind == CNAME}
    redirected = {owner for owner, kind in rrsets if kind == DNAME}
    if not aliases and not redirected:
        return
    for record in records:
        if record.owner in aliases and record.type not in _BESIDE_CNAME:
            problems.append(_problem(record, f"{_text(record)} beside a CNAME"))
        if redirected and record.type not in _BELOW_DNAME:
            dname = _dname_above(record.owner, redirected)
            if dname is not None:
                problems.append(_problem(record, f"{_text(record)} below the DNAME at {to_text(dname)}"))


def _dname_above(name: Name, redirected: set[Name]) -> Name | None:
    while name != parent(name):
        name = parent(name)
        if name in redirected:
            return name
    return None


def _problem(record: ReadRecord, reason: str) -> ZoneProblem:
    return ZoneProblem(record.line, 1, reason)


def _text(record: ReadRecord) -> str:
    kind = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(record.type))
    return f"{to_text(record.owner)}: {kind}"
