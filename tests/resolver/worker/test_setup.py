"""Other settings in a worker that runs: what takes over, what stays, and what is dropped."""

import asyncio
import os
import socket
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest
from msgspec import structs

from resolver import settings, settings_change
from resolver.admin_settings import AdminSettings
from resolver.channel.frames import Applied, Begin, Commit, Configure, Masks, Rows
from resolver.forward.cache import Key
from resolver.settings import Server, UpstreamGroup
from resolver.wire.relay import Message
from resolver.worker.setup import Setup
from tests.resolver.worker.running import ControlEnd, Running, rows
from zones.claims.row import ClassNumber
from zones.clocks import SteadyTime
from zones.dns.name import from_text
from zones.dns.record import RRset
from zones.networks.network import Network

GROUP = UpstreamGroup("public", (Server("udp", "127.0.0.1", 9),))
CORP = UpstreamGroup("corp", (Server("udp", "127.0.0.2", 9),), suffixes=("corp.example",))


def now(running: Running) -> Setup:
    return running.worker._setups.now


def changed(running: Running, **values: Any) -> settings.WorkerSettings:  # noqa: ANN401 - fields of settings
    return structs.replace(now(running).settings, **values)


async def configured(running: Running, line: ControlEnd, **values: Any) -> settings.WorkerSettings:  # noqa: ANN401 - as above
    """Give the worker other settings, with which its table keeps its meaning. Return them."""
    wanted = changed(running, **values)
    line.send(Configure(wanted), Commit(now(running).replica.serial, unsynced=False))
    assert (await line.get(Applied)).settings == settings_change.digest(wanted)
    return wanted


def cached(running: Running, group: str, name: str) -> None:
    """Put a reply into the cache of upstream replies."""
    at = from_text(name)
    reply = Message(0, aa=False, ad=False, ra=True, tc=False, answer=(RRset(at, 1, 300, (bytes(4),)),))
    running.worker._parts.cache.put(Key(group, at, 1), reply, SteadyTime(asyncio.get_running_loop().time()))


async def test_other_clients_are_allowed_at_once(running: Running) -> None:
    line = await running.loaded()
    await configured(running, line, allow=("10.0.0.0/8",))
    assert (await running.ask()).rcode() == dns.rcode.REFUSED
    await configured(running, line, allow=("127.0.0.0/8",))
    assert await running.address() == "10.0.0.4"


async def test_settings_that_no_answer_depends_on_evict_nothing(running: Running) -> None:
    line = await running.loaded()
    await configured(running, line, upstreams=(GROUP, CORP))
    for group, name in (("public", "www.example"), ("corp", "a.corp.example")):
        cached(running, group, name)
        assert (await running.ask(name)).rcode() == dns.rcode.NOERROR
    assert await running.address() == "10.0.0.4"
    kept = list(now(running).parts.answers)
    assert len(kept) == 3
    limit = settings.RateLimit(1000, 1000)
    quick = structs.replace(GROUP, timeout=1.0, policy="fastest")
    await configured(running, line, rate_limit=limit, streams=settings.Streams(5), upstreams=(quick, CORP))
    await configured(running, line)
    assert list(now(running).parts.answers) == kept
    assert len(now(running).parts.cache) == 2


async def test_other_servers_of_a_group_drop_what_came_from_that_group_alone(running: Running) -> None:
    line = await running.loaded()
    await configured(running, line, upstreams=(GROUP, CORP))
    for group, name in (("public", "www.example"), ("corp", "a.corp.example")):
        cached(running, group, name)
        await running.ask(name)
    await running.ask()
    moved = structs.replace(CORP, servers=(Server("udp", "127.0.0.3", 9),))
    await configured(running, line, upstreams=(GROUP, moved))
    assert len(now(running).parts.answers) == 2
    assert len(now(running).parts.cache) == 1
    await configured(running, line, upstreams=(structs.replace(GROUP, servers=()), moved))
    assert [each.deps[0] for each in now(running).parts.answers] == [from_text("acct.blob.core.windows.net")]
    assert len(now(running).parts.cache) == 0


async def test_a_dropped_suffix_evicts_the_names_under_it(running: Running) -> None:
    line = await running.loaded()
    await configured(running, line, upstreams=(GROUP,))
    for name in ("www.example", "www.other"):
        cached(running, "public", name)
        await running.ask(name)
    await configured(running, line, drop_names=("example",))
    assert (await running.ask("www.example")).rcode() == dns.rcode.REFUSED
    assert (await running.ask("www.other")).rcode() == dns.rcode.NOERROR
    await configured(running, line, drop_names=())
    assert (await running.ask("www.example")).rcode() == dns.rcode.NOERROR


async def test_a_connection_outlives_other_settings_and_is_answered_with_them(running: Running) -> None:
    line = await running.loaded()
    packet = dns.message.make_query("acct.blob.core.windows.net", "A").to_wire()
    reader, writer = await asyncio.open_connection(*running.tcp.getsockname())

    async def ask() -> int:
        writer.write(len(packet).to_bytes(2, "big") + packet)
        size = int.from_bytes(await reader.readexactly(2), "big")
        return dns.message.from_wire(await reader.readexactly(size)).rcode()

    assert await ask() == dns.rcode.NOERROR
    await configured(running, line, drop_names=("windows.net",))
    assert await ask() == dns.rcode.REFUSED
    writer.close()


async def test_a_query_in_flight_is_answered_by_the_server_that_it_was_put_to(running: Running) -> None:
    """Its answer is not cached: the group has another server now."""
    line = await running.loaded()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        for each in (server, client):
            each.settimeout(0)
            each.bind(("127.0.0.1", 0))
        group = structs.replace(GROUP, servers=(Server("udp", *server.getsockname()),))
        await configured(running, line, upstreams=(group,))
        loop = asyncio.get_running_loop()
        client.connect(running.udp.getsockname())
        client.send(dns.message.make_query("www.example", "A").to_wire())
        packet, address = await loop.sock_recvfrom(server, 4096)
        await configured(running, line, upstreams=(GROUP,))
        reply = dns.message.make_response(dns.message.from_wire(packet))
        reply.answer.append(dns.rrset.from_text(reply.question[0].name, 60, "IN", "A", "192.0.2.7"))
        server.sendto(reply.to_wire(), address)
        got = dns.message.from_wire(await loop.sock_recv(client, 4096))
        assert got.answer[0][0].to_text() == "192.0.2.7"
    assert len(now(running).parts.cache) == 0
    assert not list(now(running).parts.answers)


async def test_other_networks_take_over_with_their_rows_and_not_before(running: Running) -> None:
    line = await running.loaded()
    networks = (Network("lab", ("127.0.0.0/8",)),)
    wanted = changed(running, networks=networks)
    line.send(Configure(wanted), Begin("e1", 2), Masks([], ["lab"]), Masks([(ClassNumber(5), b"\x01")]))
    line.send(rows(6, 2, 5))
    line.send(Rows([]))
    await line.writer.drain()
    assert await running.address() == "10.0.0.4"
    assert now(running).settings.networks == ()
    line.send(Commit(2, unsynced=False))
    assert (await line.get(Applied)).settings == settings_change.digest(wanted)
    assert await running.address() == "10.0.0.6"
    assert now(running).parts.networks.names == ["lab"]


async def test_a_connection_that_breaks_before_the_new_table_is_complete_changes_nothing(running: Running) -> None:
    line = await running.loaded()
    wanted = changed(running, networks=(Network("lab", ("127.0.0.0/8",)),))
    line.send(Configure(wanted), Begin("e1", 2), Masks([], ["lab"]), Masks([(ClassNumber(5), b"\x01")]), rows(6, 2, 5))
    await line.writer.drain()
    line.writer.close()
    _, hello = await running.line()
    assert (hello.epoch, hello.serial) == ("e1", 1)
    assert hello.table_settings != settings_change.table_digest(wanted)
    assert await running.address() == "10.0.0.4"


@pytest.mark.parametrize("field", ["listen", "admin"])
def test_listeners_need_a_restart(field: str) -> None:
    from resolver.host_port import HostPort  # noqa: PLC0415

    at = (HostPort("127.0.0.1", 53),)
    old = settings.Accepted("", settings.WorkerSettings(at, ()), settings.ControlSettings())
    new = structs.replace(old, worker=structs.replace(old.worker, listen=(*at, HostPort("127.0.0.2", 53))))
    if field == "admin":
        new = structs.replace(old, control=structs.replace(old.control, admin=AdminSettings(at[0])))
    (sentence,) = settings_change.restart_needed(*map(settings_change.of_start, (old, new))).values()
    assert "restart pldns" in sentence
    assert os.sep not in sentence
