"""Reads the rows of a zone file: records with their lines, and a problem for each row that cannot be read.

dnspython reads each row, except those that `common_rows` can. A bad row does not hide the next one. Does not know
whether the records form a zone: that is `zonefile`.
"""

import re
from typing import Any, Final

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.ttl
import dns.zonefile
import msgspec

from zones.dns import text_forms
from zones.dns.common_rows import CommonRow, absolute, common, is_blank, plain
from zones.dns.name import Name
from zones.dns.record import CNAME, DNAME, NS, SOA
from zones.dns.zone_problems import BadRow, ZoneProblem, in_words, quoted
from zones.dns.zone_rows import next_row

MAX_GENERATED: Final = 65_536
"""Records of one `$GENERATE`."""
_IS_A_NAME: Final = frozenset({NS, CNAME, DNAME})
_DIRECTIVES: Final = ("$ORIGIN", "$TTL", "$GENERATE")
_GENERATE: Final = re.compile(r"\s*\$GENERATE\s+(\d+)-(\d+)(?:/(\d+))?", re.IGNORECASE | re.ASCII)
_TTL: Final = re.compile(r"\$TTL[ \t]+(\d{1,9})[ \t]*\r?\n?", re.IGNORECASE | re.ASCII)
_ORIGIN: Final = re.compile(r"\$ORIGIN[ \t]+([a-z0-9_.-]+\.)[ \t]*\r?\n?", re.IGNORECASE | re.ASCII)
_NO_ORIGIN: Final = dns.name.Name((b"\x00no origin\x00", b""))
"""Added to each relative name that comes before an origin is known, so that it differs from an absolute name."""
_NO_ORIGIN_WIRE: Final = _NO_ORIGIN.to_wire() or b""


class ReadRecord(msgspec.Struct, frozen=True, gc=False):
    """One record, and the line on which it begins."""

    line: int
    owner: Name
    type: int
    ttl: int
    rdata: bytes


def read(text: str, origin: Name | None) -> tuple[list[ReadRecord], list[ZoneProblem]]:
    """Return the records of a zone file, and what is wrong with the other rows."""
    reader = _Reader(origin)
    problems: list[ZoneProblem] = []
    at, line = 0, 1
    while at < len(text):
        after = reader.take_plain(line, text, at)
        if after:
            at, line = after, line + 1
            continue
        row, lines = next_row(text, at)
        if not is_blank(row) and not reader.take_common(line, row):
            problem = reader.take(line, row)
            if problem:
                problems.append(problem)
        at, line = at + len(row), line + lines
    return reader.found, problems


class _Tokenizer(dns.tokenizer.Tokenizer):
    """Remembers where the last token of a row begins, and passes fields of rdata through `text_forms`."""

    def __init__(self, row: str) -> None:
        super().__init__(row)
        self.start = 0
        """Offset of the last token in the row."""
        self.rdtype: int | None = None
        """Type of the record; None before the type is read."""
        self.ended = False
        """The last token is the end of the row."""
        self._field = 0

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:
        is_new = self.ungotten_token is None
        before = self._position()
        try:
            token = super().get(want_leading, want_comment)
        except dns.exception.DNSException:
            self.start = before
            raise
        if is_new:
            self.ended = token.is_eol_or_eof()
            quotes = 2 if token.is_quoted_string() else 0
            self.start = max(self._position() - len(token.value) - quotes, before)
            if self.rdtype is not None and token.is_identifier():
                token.value = text_forms.field(self.rdtype, self._field, token.value)
                self._field += 1
        return token

    def _position(self) -> int:
        return int(self.file.tell()) - bool(self.ungotten_char)


class _Transaction(dns.zonefile.RRsetsReaderTransaction):
    """Passes on the records that dnspython reads."""

    def __init__(self) -> None:
        super().__init__(dns.zonefile.RRSetsReaderManager(), True, False)  # type: ignore[no-untyped-call]  # noqa: FBT003 - dnspython's signature
        self.source: _Reader

    def add(self, *args: Any) -> None:  # noqa: ANN401 - dnspython's signature; its reader passes three
        name, ttl, rdata = args
        self.source.add(name, ttl, rdata)


class _Reader(dns.zonefile.Reader):
    """One zone file while it is read: origin, last owner and TTLs go from one row to the next."""

    def __init__(self, origin: Name | None) -> None:
        # dnspython's part is made at the first row that needs dnspython: few files have such a row.
        self._has_dnspython = False
        self.rfc2308_ttl = True
        self.last_ttl, self.last_ttl_known = 0, False
        self.default_ttl, self.default_ttl_known, self.default_ttl_from_soa = 0, False, False
        self.last_name: dns.name.Name | None = None
        self.current_origin = _NO_ORIGIN
        self.found: list[ReadRecord] = []
        self._line = 0
        self._owner: bytes | None = None
        """The last owner in wire form; None where only `last_name` has it."""
        self._origin: bytes | None = origin
        """The current origin in wire form; None before one is known."""
        self._is_origin_new = origin is not None
        """`current_origin` does not have the origin yet: dnspython's names are slow to make."""

    def _begin(self) -> None:
        """Make dnspython's part, with the state that the rows so far have left."""
        transaction = _Transaction()
        transaction.source = self
        own = dict(self.__dict__)
        # The reader drops records outside its zone silently. So its zone is the root, and `zonefile` checks the apex.
        super().__init__(_Tokenizer(""), dns.rdataclass.IN, transaction, allow_directives=_DIRECTIVES)
        self.__dict__.update(own)
        self._has_dnspython = True

    # -- common rows

    def take_plain(self, line: int, text: str, at: int) -> int:
        """Read the plain row at an offset, and return the offset after the row. Return 0 for any other row."""
        record, after = plain(text, at, self._origin)
        return after if record and self._take_record(line, record) else 0

    def take_common(self, line: int, row: str) -> bool:
        """Read a directive or a common row. Return False for any other."""
        if row[0] == "$":
            return self._take_directive(row)
        record = common(row, self._origin)
        return record is not None and self._take_record(line, record)

    def _take_record(self, line: int, record: CommonRow) -> bool:
        owner = record.owner or self._last_owner()
        ttl = self._ttl_of(record)
        if owner is None or ttl is None:
            return False
        self._owner = owner
        if record.ttl is not None:
            self.last_ttl, self.last_ttl_known = record.ttl, True
        self._keep(line, owner, record.type, ttl, record.rdata)
        return True

    def _take_directive(self, row: str) -> bool:
        ttl = _TTL.fullmatch(row)
        if ttl:
            self.default_ttl, self.default_ttl_known, self.default_ttl_from_soa = int(ttl[1]), True, False
            return True
        origin = _ORIGIN.fullmatch(row)
        wire = absolute(origin[1]) if origin else None
        if wire is None:
            return False
        self._origin, self._is_origin_new = wire, True
        return True

    def _last_owner(self) -> bytes | None:
        if self._owner is None and self.last_name is not None and not self.last_name.is_subdomain(_NO_ORIGIN):
            self._owner = self.last_name.to_wire()
        return self._owner

    def _ttl_of(self, record: CommonRow) -> int | None:
        """Return the TTL of a record. Without `$TTL` before the SOA, its MINIMUM is the default (RFC 1035 §3.3.13)."""
        if record.type == SOA and not self.default_ttl_known:
            self.default_ttl = int.from_bytes(record.rdata[-4:], "big")
            self.default_ttl_known = self.default_ttl_from_soa = True
        return self._implicit_ttl() if record.ttl is None else record.ttl

    # -- all other rows

    def take(self, line: int, row: str) -> ZoneProblem | None:
        """Read a row with dnspython. Return what is wrong with it; None for a good one."""
        if not self._has_dnspython:
            self._begin()
        tokens = _Tokenizer(row)
        self._line = line
        self.tok = self._tokens = tokens
        if self._owner is not None:
            self.last_name, self._owner = dns.name.from_wire(self._owner, 0)[0], None
        if self._is_origin_new:
            self.current_origin, self._is_origin_new = dns.name.from_wire(self._origin or b"\0", 0)[0], False
        problem = self._read_row(line, row, tokens)
        origin = self.current_origin or _NO_ORIGIN
        self._origin = None if origin.is_subdomain(_NO_ORIGIN) else _wire(origin)
        return problem

    def _read_row(self, line: int, row: str, tokens: _Tokenizer) -> ZoneProblem | None:
        try:
            _check_generated(row)
            self.read()
        except (dns.exception.DNSException, ValueError) as error:
            if tokens.rdtype == SOA:  # the rows after a bad SOA are not wrong because of it
                self.default_ttl_known = True
                if self.current_origin == _NO_ORIGIN:
                    self.current_origin = self.last_name
            reason = quoted(row, in_words(error, tokens.rdtype, ended=tokens.ended))
            first = len(row) - len(row.lstrip(" \t"))
            start = len(row) - len(row[tokens.start :].lstrip(" \t"))
            is_first_line = not re.search(r"[\r\n]", row[:start])
            return ZoneProblem(line, 1 + (max(start, first) if is_first_line else first), reason)
        return None

    def _rr_line(self) -> None:
        """Read one record: dnspython's own `_rr_line`, with our words for what is wrong and with `text_forms`."""
        tokens = self._tokens
        token = tokens.get(want_leading=True)
        if token.is_whitespace():
            token = tokens.get()
            if token.is_eol_or_eof():
                return
            tokens.unget(token)
        else:
            self.last_name = tokens.as_name(token, self.current_origin)
        if self.last_name is None:
            raise BadRow("the first record has no owner")
        ttl = self._ttl()
        self._check_class()
        if ttl is None:
            ttl = self._ttl()
        token = self._identifier()
        try:
            rdtype = dns.rdatatype.from_text(token.value)
        except (dns.exception.DNSException, ValueError):
            raise BadRow(f"unknown type `{token.value}`") from None
        if ttl is None and rdtype != SOA and self._implicit_ttl() is None:
            raise BadRow("no TTL: the record has none, and no $TTL or SOA comes before it")
        tokens.rdtype = rdtype
        rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, tokens, self.current_origin, relativize=False)
        if not self.default_ttl_known and rdtype == SOA:
            self.default_ttl = int.from_bytes(_wire(rdata)[-4:], "big")
            self.default_ttl_known = self.default_ttl_from_soa = True
        if ttl is None:
            ttl = self._implicit_ttl() or 0
        self.add(self.last_name, ttl, rdata)

    def _identifier(self) -> dns.tokenizer.Token:
        token = self.tok.get()
        if not token.is_identifier():
            raise BadRow("not a record or directive")
        return token

    def _ttl(self) -> int | None:
        token = self._identifier()
        try:
            ttl = dns.ttl.from_text(token.value)
        except dns.ttl.BadTTL:
            self.tok.unget(token)
            return None
        self.last_ttl, self.last_ttl_known = ttl, True
        return ttl

    def _check_class(self) -> None:
        token = self._identifier()
        try:
            rdclass = dns.rdataclass.from_text(token.value)
        except (dns.exception.DNSException, ValueError):
            self.tok.unget(token)
            return
        if rdclass != dns.rdataclass.IN:
            raise BadRow(f"class {token.value}: a zone file has records of class IN")

    # -- records

    def add(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
        """Keep a record that dnspython has read."""
        wire, owner = _wire(text_forms.whole(rdata)), _wire(name)
        if dns.rdatatype.is_metatype(rdata.rdtype) or rdata.rdtype == dns.rdatatype.TYPE0:
            raise BadRow(f"type {rdata.rdtype:d} is for questions and messages, not for zones")
        if len(wire) > 0xFFFF:
            raise BadRow(f"rdata of {len(wire)} octets; at most 65535")
        if name.is_subdomain(_NO_ORIGIN) or _NO_ORIGIN_WIRE in wire:
            raise BadRow("a relative name without an $ORIGIN before it")
        self._keep(self._line, owner, rdata.rdtype, ttl, wire)

    def _keep(self, line: int, owner: bytes, rtype: int, ttl: int, rdata: bytes) -> None:
        if rtype == SOA and self._origin is None and self.current_origin == _NO_ORIGIN:
            self.current_origin, self._origin = dns.name.from_wire(owner, 0)[0], owner
        if rtype in _IS_A_NAME:
            rdata = rdata.lower()
        self.found.append(ReadRecord(line, Name(owner.lower()), int(rtype), ttl, rdata))


def _wire(data: dns.rdata.Rdata | dns.name.Name) -> bytes:
    return data.to_wire() or b""  # dnspython returns None only where it writes to a file


def _check_generated(row: str) -> None:
    """Refuse a `$GENERATE` of billions of records: it is a typing error, and would exhaust time and memory."""
    found = _GENERATE.match(row)
    if found and (int(found[2]) - int(found[1])) // max(int(found[3] or 1), 1) >= MAX_GENERATED:
        raise BadRow(f"$GENERATE makes more than {MAX_GENERATED} records")
