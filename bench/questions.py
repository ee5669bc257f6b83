"""What a client asks, and how it checks the answer. Does not know how a query is sent."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import dns.exception
import dns.message


class Outcome(StrEnum):
    """What became of a query."""

    RIGHT = "right"
    WRONG = "wrong"
    SERVFAIL = "SERVFAIL"
    LOST = "lost"


class Question(Protocol):
    """What a client asks, and the answer that it expects."""

    @property
    def packet(self) -> bytes:
        """The query without its id."""

    def outcome(self, reply: bytes) -> Outcome:
        """Compare a reply with the expected answer."""


@dataclass(frozen=True, slots=True)
class AddressOf:
    """The question for the address of a name, whose answer ends with this address. Cheap to check."""

    packet: bytes
    address: bytes

    @classmethod
    def of(cls, name: str, address: str) -> "AddressOf":
        """Return the question for a name and its IPv4 address."""
        packet = dns.message.make_query(name, "A", use_edns=-1).to_wire()[2:]
        return cls(packet, bytes(map(int, address.split("."))))

    def outcome(self, reply: bytes) -> Outcome:
        """Compare the end of a reply with the address."""
        if len(reply) > 12 and not reply[3] & 15 and reply[-4:] == self.address:
            return Outcome.RIGHT
        return Outcome.SERVFAIL if len(reply) > 3 and reply[3] & 15 == 2 else Outcome.WRONG


def text_of(reply: bytes) -> str:
    """Return a reply as text; as hexadecimal digits where it is not a DNS message."""
    try:
        return str(dns.message.from_wire(reply))
    except dns.exception.DNSException:
        return reply.hex()
