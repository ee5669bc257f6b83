"""A worker within its share of the memory budget: its caches shrink, are dropped, and grow again."""

import asyncio

import pytest

from resolver.channel.frames import MemoryReport
from resolver.forward.cache import Key
from resolver.memory_budget import LEAST, UNLIMITED
from resolver.process import orders
from resolver.wire.relay import Message
from resolver.worker.memory import _MUCH, MemoryBounds
from tests.resolver.worker.running import Running, until
from zones.clocks import SteadyTime
from zones.dns.name import from_text
from zones.dns.record import RRset

MIB = 1 << 20


def fill(running: Running, octets: int) -> None:
    """Put replies into the cache of upstream replies until it has so many octets."""
    cache = running.worker._parts.cache
    number = 0
    while cache.octets < octets and cache.evictions == 0:
        number += 1
        at = from_text(f"n{number}.example")
        reply = Message(0, aa=False, ad=False, ra=True, tc=False, answer=(RRset(at, 16, 300, (bytes(8000),)),))
        cache.put(Key("public", at, 16), reply, SteadyTime(asyncio.get_running_loop().time()))


def memory(running: Running) -> MemoryBounds:
    return running.worker._memory


async def test_without_a_budget_the_bounds_are_the_configured_sizes(running: Running) -> None:
    line = await running.loaded()
    report = await line.get(MemoryReport)
    assert (report.replies_bound, report.answers_bound) == (64 * MIB, 192 * MIB)
    assert report.total > 0


async def test_a_share_that_is_used_up_shrinks_the_caches_in_steps(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    await running.loaded()
    fill(running, 12 * MIB)
    orders.send_share(running.link, 1 * MIB, drop=False)
    cache = running.worker._parts.cache

    async def shrunk() -> bool:
        return cache.octets <= LEAST

    await until(shrunk)
    assert memory(running).report().replies_bound == LEAST
    assert memory(running).drops == 0
    assert "cache.size" in caplog.text
    assert await running.answers()
    orders.send_share(running.link, UNLIMITED, drop=False)

    async def grown() -> bool:
        return memory(running).report().replies_bound == 64 * MIB

    await until(grown)


async def test_one_step_removes_only_a_part(running: Running) -> None:
    await running.loaded()
    fill(running, 12 * MIB)
    memory(running).take(0, drop=False)
    assert running.worker._parts.cache.octets > 9 * MIB
    assert not memory(running).update()


async def test_when_memory_is_short_all_is_dropped_and_made_again(running: Running) -> None:
    line = await running.loaded()
    assert await running.answers()
    fill(running, 2 * _MUCH)
    orders.send_share(running.link, UNLIMITED, drop=True)

    async def dropped() -> bool:
        return memory(running).drops == 1

    await until(dropped)
    assert len(running.worker._parts.cache) == 0
    assert running.worker._parts.cache.octets == 0
    assert len(running.worker._setups.now.parts.answers) == 0
    assert await running.answers()
    assert (await line.get(MemoryReport)).replies >= 0


async def test_small_caches_are_not_dropped(running: Running) -> None:
    await running.loaded()
    fill(running, MIB)
    memory(running).take(0, drop=True)
    assert memory(running).drops == 0
    assert len(running.worker._parts.cache) > 0
