"""Faults of the network: upstream servers that fail or lie, and clients that flood pldns or hold connections open."""

import contextlib
import random
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

import dns.message

from bench.attacks import ATTACKS
from tests.chaos.fault import Allowed, Fault
from tests.chaos.mix import SUFFIX
from tests.chaos.site import Site
from tests.chaos.upstream import Manner
from tests.live.daemon import give_way
from tests.paths import ROOT

FLOOD: Final = 4.0
"""Seconds of a flood."""

# -- upstream servers


def _behaving(manner: Manner, servers: int) -> Fault:
    which, allowed = ("one of two upstream servers", Allowed.NOTHING)
    if servers == 2:
        which, allowed = "all upstream servers", Allowed.PUBLIC_FAILS
    return Fault(
        f"{which}: {manner}",
        lambda site: site.behave(manner, servers),
        lambda site: site.behave(Manner.GOOD, 0),
        hold=2.0 * servers,
        allowed=allowed,
    )


UPSTREAM: Final = (
    *(_behaving(each, 1) for each in (Manner.SILENT, Manner.SLOW, Manner.SERVFAIL, Manner.WRONG_ID, Manner.GARBAGE)),
    *(_behaving(each, 2) for each in Manner if each is not Manner.GOOD),
)

# -- clients. Attackers have another address than the clients of the harness.


def _flood(kind: str, site: Site) -> Callable[[], bool]:
    """Send one of the floods of `bench.attacks`."""
    command = [sys.executable, "-m", "bench.attacks", kind, str(site.ports["tls"]), str(site.ports["https"])]
    attack = subprocess.Popen([*command, str(FLOOD)], cwd=ROOT, stderr=subprocess.DEVNULL)

    def is_over() -> bool:
        assert not attack.poll(), "the flood could not be sent"
        return attack.poll() == 0

    return is_over


def _malformed(site: Site) -> None:
    """Send packets of noise, queries with one octet changed, and responses."""
    dice = random.Random(7)  # noqa: S311 - repeatable noise
    query = bytearray(dns.message.make_query(f"acct1.{SUFFIX}", "A", use_edns=0).to_wire())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", site.port))
        for number in range(20_000):
            if number % 50 == 0:
                give_way(0.01)
            packet = query.copy()
            packet[dice.randrange(len(packet))] = dice.randrange(256)
            if number % 3 == 0:
                packet = bytearray(dice.randbytes(dice.randrange(600)))
            with contextlib.suppress(OSError):
                sock.send(packet)


def _new_names(site: Site) -> None:
    """Ask for 16,000 names that nobody has asked for, at 2,000 a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", site.port))
        for number in range(16_000):
            if number % 20 == 0:
                give_way(0.01)
            with contextlib.suppress(OSError):
                sock.send(dns.message.make_query(f"x{number}.flood.example", "A").to_wire())


def _idle(count: int, port: Callable[[Site], int], site: Site) -> None:
    """Open connections that send nothing."""
    for _ in range(count):
        with contextlib.suppress(OSError):
            site.idle.append(socket.create_connection(("127.0.0.1", port(site)), 5))


def _close(site: Site) -> None:
    while site.idle:
        site.idle.pop().close()


FLOODS: Final = (
    *(Fault(f"flood: {kind}", partial(_flood, kind), hold=0.0) for kind in ATTACKS),
    Fault("flood: 20,000 malformed packets", _malformed, hold=0.0),
)
NEW_NAMES: Final = Fault("flood: 16,000 new names", _new_names, hold=0.0)
IDLE: Final = (
    Fault("1,100 idle connections to the admin interface", partial(_idle, 1_100, lambda site: site.admin), _close),
    Fault("1,100 idle connections to DNS over TCP", partial(_idle, 1_100, lambda site: site.port), _close),
)
