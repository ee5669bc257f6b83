"""Exchanges in fake time, and the replies of their servers."""

from itertools import count
from typing import Any

import dns.edns
import dns.message
import dns.rcode
import dnslib

from resolver.forward.cache import Key
from resolver.forward.exchange import Action, Driver, Exchange
from resolver.forward.health import Health, UpstreamServer
from resolver.forward.tries import Try
from resolver.settings import Server, UpstreamGroup
from resolver.wire.plain_reply import PlainReply
from resolver.wire.relay import Message
from zones.clocks import SteadyTime
from zones.dns import record
from zones.dns.name import from_text

KEY = Key("public", from_text("www.example.com"), record.A)
ONE, TWO, THREE = (Server("udp", f"192.0.2.{i}", 53) for i in (1, 2, 3))
START = SteadyTime(1000.0)


def other_key(key: Key, **changes: Any) -> Key:  # noqa: ANN401 - attributes of a key
    """Return a key with other attributes."""
    there = {name: getattr(key, name) for name in ("group", "name", "type", "do", "cd")}
    return Key(**(there | changes))


class NoDriver(Driver):
    """Takes no events: the test calls the exchange itself."""

    def received(self, exchange: Exchange, query: Try, packet: bytes) -> None:
        """Not called."""

    def failed(self, exchange: Exchange, query: Try, error: OSError | EOFError) -> None:
        """Not called."""

    def sent(self, exchange: Exchange, query: Try) -> None:
        """Not called."""

    def overdue(self, exchange: Exchange, now: SteadyTime) -> None:
        """Not called."""


class Servers:
    """Exchanges that share what is known of their servers."""

    def __init__(self) -> None:
        numbers = count(7)
        self.health = Health(lambda below: next(numbers) % below)

    def of(self, server: Server) -> UpstreamServer:
        return self.health.of(server)

    def exchange(
        self, *servers: Server, key: Key = KEY, now: float = START, mark: bytes = b"",
        **options: Any,  # noqa: ANN401 - those of the group
    ) -> tuple[Exchange, Try]:  # fmt: skip
        """Start an exchange and return it with its first try. `mark` is what the loop detector gives."""
        group = UpstreamGroup("public", servers, **options)
        states = [self.of(server) for server in servers]
        it = Exchange(key, group, states, SteadyTime(now), lambda below: int(below == 2), NoDriver(), mark=mark)
        return it, tried(it.start(SteadyTime(now)))


def exchange(*servers: Server, **options: Any) -> tuple[Exchange, Try]:  # noqa: ANN401 - those of the group
    return Servers().exchange(*servers, **options)


def tried(action: Action) -> Try:
    assert isinstance(action, Try), action
    return action


def answered(action: Action) -> Message | None:
    """Return the reply that an exchange has ended with; None if it has not."""
    if isinstance(action, PlainReply):
        return action.message()
    return action if isinstance(action, Message) else None


def turn(action: Action) -> tuple[Server, str]:
    query = tried(action)
    return query.server.server, query.transport


def whole(query: Try) -> bytes:
    """Return a query as its carrier sends it."""
    return b"\0\7" + query.packet


def options(query: Try) -> dict[int, bytes]:
    """Return the EDNS options of a query by code."""
    return {int(each.otype): each.to_wire() or b"" for each in dns.message.from_wire(whole(query)).options}


def reply(
    query: Try,
    rcode: str = "NOERROR",
    *,
    tc: bool = False,
    name: str = "",
    qtype: str = "",
    cookie: bytes | None = None,
) -> bytes:
    """Return a reply to a query, with an address if it is no error. Without `cookie` it has no OPT record."""
    asked = dnslib.DNSRecord.parse(whole(query))
    made = asked.reply(ra=1)
    made.header.tc = int(tc)
    if name:
        made.q.qname = dnslib.DNSLabel(name)
    if qtype:
        made.q.qtype = getattr(dnslib.QTYPE, qtype)
    if rcode == "NOERROR" and not tc:
        made.add_answer(*dnslib.RR.fromZone("www.example.com 60 A 192.0.2.80"))
    message = dns.message.from_wire(bytes(made.pack()))
    if cookie is not None:
        message.use_edns(0, options=[dns.edns.GenericOption(dns.edns.COOKIE, cookie)] if cookie else [])
    message.set_rcode(dns.rcode.from_text(rcode))
    return message.to_wire()
