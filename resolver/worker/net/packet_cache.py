"""Answers repeated packets without parsing them: the reply is found by the octets after the message id.

Nearly all packets take this path, so it is compiled where a C compiler is available; the types for the compiler are in
`packet_cache.pxd`. Does not know DNS: a packet is a message id and octets, and so is its reply.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from resolver.channel.query_records import QueryRecord
from resolver.worker.access.rate_limit import RateVerdict
from resolver.worker.answer.answer_cache import Form
from resolver.worker.net.mmsg import NAME, ROOM, SIZE, Batch
from zones.clocks import SteadyTime
from zones.networks.prefixes import NetworkIndex

Limit = Callable[[bytes, SteadyTime], RateVerdict]
"""Returns the verdict of the rate limit on a packet, from the client's address and the time."""
First = Callable[[bytes, NetworkIndex], bytes | None]
"""Returns the reply after its id to a new packet from a network, None where making one takes longer."""

_PASS: Final = RateVerdict.PASS
_UNKNOWN: Final = NetworkIndex(-9)  # a network that no address has


class AddressLayout(NamedTuple):
    """Where a sockaddr of the socket's family has the address: its first octet, and how many octets it has.

    `port` is the port of the socket in network byte order, read as a native integer.
    """

    first: int
    width: int
    port: int


def answer(  # noqa: PLR0913, PLR0917 - a value that holds some of them would cost attribute lookups
    slots: Batch,
    layout: AddressLayout,
    known: dict[bytes, NetworkIndex],
    exact: list[dict[bytes, Form]],
    first_time: First,
    now: SteadyTime,
    limit: Limit | None,
    left: list[tuple[int, RateVerdict]],
    noted: list[QueryRecord] | None = None,
) -> int:
    """Read and answer packets until none is waiting, a batch's worth was read, or some packets have no reply here.

    Returns how many packets were read. For a packet without a reply here, `left` gets its slot and the verdict of the
    rate limit; the replies to the rest of its batch stay queued until the caller flushes. Packets from port 0 or from
    the socket's own port are left too.

    `known` has the network of each address. `exact` has, for each network, the reply to each packet after its id
    (`Answers.exact`). `first_time` makes a reply that is not in `exact`. `noted` gets what is answered here.
    """
    first, width, own = layout
    room, most, name_room = ROOM, SIZE, NAME
    taken = 0
    over: RateVerdict = _PASS
    while taken < most and not left:
        count = slots.receive()
        if not count:
            break
        taken += count
        data, names = slots.data, slots.names
        for slot in range(count):
            at = slot * name_room + first
            address = names[at : at + width]
            if limit is not None:
                over = limit(address, now)
            network = known.get(address, _UNKNOWN)
            port, size = slots.ports[slot], slots.sizes[slot]
            if network >= -1 and port not in (0, own) and size <= room and over is _PASS:
                at = slot * room
                part = exact[network]
                form = part.get(data[at + 2 : at + size])
                if form is not None:
                    reply, until, cell, _ = form
                    if now < until:
                        cell[0] += 1
                        slots.queue(slot, reply)
                        if noted is not None:
                            noted.append((data[at : at + size], address, port, network, reply))
                        continue
                else:
                    made = first_time(data[at : at + size], network)
                    if made is not None:
                        slots.queue(slot, made)
                        if noted is not None:
                            noted.append((data[at : at + size], address, port, network, made))
                        continue
            left.append((slot, over))
        if not left:
            slots.flush()
    return taken
