"""Numbers of the DNS and their mnemonics: header bits, rcodes, EDE codes, types, and the layout of rdata.

From the IANA registry "Domain Name System (DNS) Parameters". The types that zones consist of are in `zones.dns.record`;
here are those that occur only in packets. Does not parse or render anything.
"""

from typing import Final, NamedTuple

HEADER_SIZE: Final = 12
MAX_MESSAGE: Final = 65535
MAX_LABEL: Final = 63
POINTER: Final = 0xC0  # a label length with both top bits set is a compression pointer, RFC 1035 §4.1.4

QR: Final = 0x8000
OPCODE: Final = 0x7800
AA: Final = 0x0400
TC: Final = 0x0200
RD: Final = 0x0100
RA: Final = 0x0080
AD: Final = 0x0020
CD: Final = 0x0010

NOERROR: Final = 0
FORMERR: Final = 1
SERVFAIL: Final = 2
NXDOMAIN: Final = 3
NOTIMP: Final = 4
REFUSED: Final = 5
YXDOMAIN: Final = 6
BADVERS: Final = 16
BADCOOKIE: Final = 23
ANSWERS: Final = frozenset((NOERROR, NXDOMAIN, YXDOMAIN))
"""Rcodes of a reply that answers the question; any other says something about the server."""

OTHER: Final = 0  # EDE codes, RFC 8914 §4
STALE_ANSWER: Final = 3
STALE_NXDOMAIN: Final = 19
NOT_READY: Final = 14
BLOCKED: Final = 15
PROHIBITED: Final = 18
NOT_AUTHORITATIVE: Final = 20
NO_REACHABLE_AUTHORITY: Final = 22
NETWORK_ERROR: Final = 23
SYNTHESIZED: Final = 29

OPTION_NSID: Final = 3
OPTION_SUBNET: Final = 8
OPTION_COOKIE: Final = 10
OPTION_KEEPALIVE: Final = 11
OPTION_PADDING: Final = 12
OPTION_EDE: Final = 15
OPTION_LOOP: Final = 65_353
"""An option of pldns, from the range for local use (RFC 6891 §9). It shows that a query is one of its own."""
DO: Final = 0x8000  # in the lower 16 bits of the OPT record's TTL, RFC 6891 §6.1.3
PAYLOAD: Final = 1232  # octets that no path fragments, DNS flag day 2020
MIN_PAYLOAD: Final = 512

IN: Final = 1
CH: Final = 3

MX: Final = 15
TXT: Final = 16
SRV: Final = 33
OPT: Final = 41
NSEC: Final = 47
NSEC3: Final = 50
SVCB: Final = 64
HTTPS: Final = 65
TKEY: Final = 249
TSIG: Final = 250
IXFR: Final = 251
AXFR: Final = 252
MAILB: Final = 253
MAILA: Final = 254

META: Final = frozenset((0, OPT, *range(TKEY, 256)))
"""Types that are never data in a zone (RFC 6895 §3.1); an answer has no records of these types."""


class Layout(NamedTuple):
    """Layout of rdata: octets, character strings, names, and a rest of fixed size, or of any size if None."""

    octets: int
    strings: int
    names: int
    rest: int | None


COMPRESSIBLE: Final = {
    2: Layout(0, 0, 1, 0),  # NS
    5: Layout(0, 0, 1, 0),  # CNAME
    6: Layout(0, 0, 2, 20),  # SOA
    12: Layout(0, 0, 1, 0),  # PTR
    15: Layout(2, 0, 1, 0),  # MX
}
"""Types whose names in rdata are compressed. RFC 3597 §4 allows all types of RFC 1035, but readers do not know the
obsolete ones.
"""

LAYOUTS: Final = COMPRESSIBLE | {
    1: Layout(4, 0, 0, 0),  # A
    3: Layout(0, 0, 1, 0),  # MD
    4: Layout(0, 0, 1, 0),  # MF
    7: Layout(0, 0, 1, 0),  # MB
    8: Layout(0, 0, 1, 0),  # MG
    9: Layout(0, 0, 1, 0),  # MR
    14: Layout(0, 0, 2, 0),  # MINFO
    17: Layout(0, 0, 2, 0),  # RP
    18: Layout(2, 0, 1, 0),  # AFSDB
    21: Layout(2, 0, 1, 0),  # RT
    24: Layout(18, 0, 1, None),  # SIG
    26: Layout(2, 0, 2, 0),  # PX
    28: Layout(16, 0, 0, 0),  # AAAA
    30: Layout(0, 0, 1, None),  # NXT
    33: Layout(6, 0, 1, 0),  # SRV
    35: Layout(4, 3, 1, 0),  # NAPTR
    39: Layout(0, 0, 1, 0),  # DNAME
    46: Layout(18, 0, 0, None),  # RRSIG: its signer is never compressed, RFC 4034 §3.1.7
}
"""Types whose rdata a receiver checks and whose names it expands: RFC 3597 §4, and DNAME, which senders could compress
under RFC 2672.
"""

_RCODES: Final = {
    0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN", 7: "YXRRSET",
    8: "NXRRSET", 9: "NOTAUTH", 10: "NOTZONE", 11: "DSOTYPENI", 16: "BADVERS", 17: "BADKEY", 18: "BADTIME",
    19: "BADMODE", 20: "BADNAME", 21: "BADALG", 22: "BADTRUNC", 23: "BADCOOKIE",
}  # fmt: skip

_TYPES: Final = {
    1: "A", 2: "NS", 3: "MD", 4: "MF", 5: "CNAME", 6: "SOA", 7: "MB", 8: "MG", 9: "MR", 10: "NULL", 11: "WKS",
    12: "PTR", 13: "HINFO", 14: "MINFO", 15: "MX", 16: "TXT", 17: "RP", 18: "AFSDB", 19: "X25", 20: "ISDN", 21: "RT",
    22: "NSAP", 23: "NSAP-PTR", 24: "SIG", 25: "KEY", 26: "PX", 27: "GPOS", 28: "AAAA", 29: "LOC", 30: "NXT",
    33: "SRV", 35: "NAPTR", 36: "KX", 37: "CERT", 38: "A6", 39: "DNAME", 41: "OPT", 42: "APL", 43: "DS", 44: "SSHFP",
    45: "IPSECKEY", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA",
    53: "SMIMEA", 55: "HIP", 56: "NINFO", 59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD",
    64: "SVCB", 65: "HTTPS", 99: "SPF", 108: "EUI48", 109: "EUI64", 249: "TKEY", 250: "TSIG", 251: "IXFR",
    252: "AXFR", 253: "MAILB", 254: "MAILA", 255: "ANY", 256: "URI", 257: "CAA", 258: "AVC", 260: "AMTRELAY",
    261: "RESINFO", 262: "WALLET", 32768: "TA", 32769: "DLV",
}  # fmt: skip
_NUMBERS: Final = {text: number for number, text in _TYPES.items()}


def type_text(number: int) -> str:
    """Return the mnemonic of a type, or `TYPE1234` if it has none (RFC 3597 §5)."""
    return _TYPES.get(number) or f"TYPE{number}"


def type_number(text: str) -> int:
    """Return the number of a type written as a mnemonic or `TYPE1234`, in any case. Raises `ValueError`."""
    upper = text.upper()
    if upper in _NUMBERS:
        return _NUMBERS[upper]
    digits = upper.removeprefix("TYPE")
    if digits != upper and digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 0xFFFF:
        return int(digits)
    raise ValueError(f"{text[:40]!r} is not a record type")


def rcode_text(number: int) -> str:
    """Return the mnemonic of an rcode, also of an extended one, or `RCODE24` if it has none."""
    return _RCODES.get(number) or f"RCODE{number}"
