"""What was asked before in just this form: packets that get their replies without being parsed.

This is the path that nearly all packets take, so it is compiled where there is a compiler; the types for that stand in
`hits.pxd`. Refuses to know DNS: a packet is octets after an id, and so is its reply.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from resolver.worker.access.rate_limit import Verdict
from resolver.worker.answer.answer_cache import Form
from resolver.worker.net.mmsg import NAME, ROOM, SIZE, Batch

Judge = Callable[[bytes, float], Verdict]
First = Callable[[bytes, int], bytes | None]
"""Packet and network to the reply after its id, where that is made in no time; None where it is not."""

_PASS: Final = Verdict.PASS
_UNKNOWN: Final = -9  # in place of a network


class Place(NamedTuple):
    """Of a socket: where in a sockaddr the address begins, its octets, and our port as it is in memory."""

    first: int
    width: int
    port: int


def answer(
    slots: Batch,
    place: Place,
    known: dict[bytes, int],
    exact: list[dict[bytes, Form]],
    first_time: First,
    now: float,
    judge: Judge | None,
    left: list[tuple[int, Verdict]],
) -> int:
    """Read and answer until nothing has come, a batch's worth is through, or some packets have no reply here.

    Returns how many packets were read; the slots of those without a reply are put into `left`, with the rate limit's
    word: their batch waits to be sent until they were looked at. `known` is the network of each address, `exact` by
    network the reply to every packet after its id (`Answers.exact`), `first_time` is asked where there is none. What
    says that it comes from port 0 or from our own is looked at more closely, too.
    """
    first, width, own = place
    room, most, name_room = ROOM, SIZE, NAME
    taken = 0
    over: Verdict = _PASS
    while taken < most and not left:
        count = slots.receive()
        if not count:
            break
        taken += count
        data, names = slots.data, slots.names
        for slot in range(count):
            at = slot * name_room + first
            address = names[at : at + width]
            if judge is not None:
                over = judge(address, now)
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
                        continue
                else:
                    made = first_time(data[at : at + size], network)
                    if made is not None:
                        slots.queue(slot, made)
                        continue
            left.append((slot, over))
        if not left:
            slots.flush()
    return taken
