"""The known mix: what clients ask during a fault, and the exact answer that each question must have.

Private names, their pointers, zone files, public names and names that do not exist. Does not know what is wrong with
the server at the moment.
"""

import itertools
import os
import random
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from typing import Final

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from bench.questions import Outcome

SUFFIX: Final = "blob.core.windows.net"
ENDPOINTS: Final = 40
MOVING: Final = "moving"
"""The endpoint whose address faults change …"""
MOVED: Final = tuple(f"10.21.0.{number}" for number in range(4, 8))
"""… to these in turn."""
ZONE: Final = "corp.example"
_REPEATED: Final = 25
_BLOCKS: Final = ("192.0.2", "198.51.100", "203.0.113")


class Kind(StrEnum):
    """What a question is about. It decides which faults may affect the answer."""

    PRIVATE = "private name"
    POINTER = "pointer"
    FILE = "zone file"
    REPEATED = "public name, asked before"
    FRESH = "public name, not asked before"
    MISSING = "name that does not exist"


PUBLIC: Final = frozenset((Kind.REPEATED, Kind.FRESH, Kind.MISSING))
"""Kinds that need an upstream server."""


def public_address(name: str) -> str:
    """Return the address that the upstream servers give to a public name."""
    number = zlib.crc32(name.encode())
    return f"{_BLOCKS[number % 3]}.{number // 3 % 254 + 1}"


class Asked:
    """A question of the mix. `answers`: the possible answer sections, each a set of `OWNER TYPE DATA`."""

    def __init__(self, kind: Kind, name: str, rtype: str, *answers: tuple[str, ...], rcode: str = "NOERROR") -> None:
        self.kind = kind
        self.name = name
        self.packet = dns.message.make_query(name, rtype, use_edns=0 if kind is Kind.PRIVATE else -1).to_wire()[2:]
        self._question = f"{name}. IN {rtype}"
        self._answers = {frozenset(answer) for answer in answers}
        self._rcode = dns.rcode.from_text(rcode)
        self._known: dict[bytes, Outcome] = {}

    def outcome(self, reply: bytes) -> Outcome:
        """Compare a reply with the expected answers."""
        found = self._known.get(reply[2:])
        if found is None:
            found = self._known[reply[2:]] = self._compared(reply)
        return found

    def _compared(self, reply: bytes) -> Outcome:
        try:
            message = dns.message.from_wire(reply)
        except dns.exception.DNSException:
            return Outcome.WRONG
        if [each.to_text() for each in message.question] != [self._question]:
            return Outcome.WRONG
        if message.rcode() == dns.rcode.SERVFAIL:
            return Outcome.SERVFAIL
        records = frozenset(
            f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} {rdata.to_text()}"
            for rrset in message.answer
            for rdata in rrset
        )
        return Outcome.RIGHT if message.rcode() == self._rcode and records in self._answers else Outcome.WRONG


def questions(seed: int = 7) -> Iterator[Asked]:
    """Yield the mix without end: 60 % private names, 10 % pointers, 5 % zone files, 25 % public."""
    dice = random.Random(seed)  # noqa: S311 - repeatable
    numbers = itertools.count()
    makers: list[Callable[[], Asked]] = [
        *[lambda: _address(dice.randrange(ENDPOINTS))] * 9,
        *[lambda: _other_type(dice.randrange(ENDPOINTS))] * 2,
        _moving,
        *[lambda: _pointer(dice.randrange(ENDPOINTS))] * 2,
        _of_a_file,
        *[lambda: _public(Kind.REPEATED, f"r{dice.randrange(_REPEATED)}.repeated.example")] * 2,
        *[lambda: _public.__wrapped__(Kind.FRESH, f"n{next(numbers)}-{os.getpid()}.fresh.example")] * 2,
        lambda: _missing(f"missing{dice.randrange(_REPEATED)}.{SUFFIX}"),
    ]
    while True:
        yield dice.choice(makers)()


def private_address(number: int) -> str:
    """Return the address of an endpoint."""
    return f"10.20.0.{number + 4}"


def _alias(name: str) -> str:
    return f"{name}.{SUFFIX}. CNAME {name}.privatelink.{SUFFIX}."


@cache
def _address(number: int) -> Asked:
    name = f"acct{number}"
    record = f"{name}.privatelink.{SUFFIX}. A {private_address(number)}"
    return Asked(Kind.PRIVATE, f"{name}.{SUFFIX}", "A", (_alias(name), record))


@cache
def _other_type(number: int) -> Asked:
    """Ask for IPv6: the name is owned, so nothing public may be in the answer."""
    return Asked(Kind.PRIVATE, f"acct{number}.{SUFFIX}", "AAAA", (_alias(f"acct{number}"),))


@cache
def _moving() -> Asked:
    possible = [(_alias(MOVING), f"{MOVING}.privatelink.{SUFFIX}. A {address}") for address in MOVED]
    return Asked(Kind.PRIVATE, f"{MOVING}.{SUFFIX}", "A", *possible)


@cache
def _pointer(number: int) -> Asked:
    name = f"{number + 4}.0.20.10.in-addr.arpa"
    return Asked(Kind.POINTER, name, "PTR", (f"{name}. PTR acct{number}.{SUFFIX}.",))


@cache
def _of_a_file() -> Asked:
    return Asked(Kind.FILE, f"www.{ZONE}", "A", (f"www.{ZONE}. A 10.22.0.1",))


@cache
def _public(kind: Kind, name: str) -> Asked:
    return Asked(kind, name, "A", (f"{name}. A {public_address(name)}",))


@cache
def _missing(name: str) -> Asked:
    """Ask for a name in an endpoint's zone that no endpoint has: pldns asks upstream, which denies it."""
    return Asked(Kind.MISSING, name, "A", (), rcode="NXDOMAIN")
