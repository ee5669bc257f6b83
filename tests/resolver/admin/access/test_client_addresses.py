"""Which role sees the addresses of clients, in every resource that has some."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from resolver.admin.access.identity import Role
from resolver.admin.access.tokens import digest
from resolver.admin.app import application, context_of
from resolver.admin_settings import AdminSettings, AdminToken
from resolver.channel.frames import Fallback, FallbackReason
from resolver.channel.requests import WatchedQueries
from resolver.channel.watched_queries import WatchedQuery
from resolver.host_port import HostPort
from zones.clocks import WallTime
from zones.dns.name import from_text

Client = TestClient[Any, Any]
Control = Any  # of conftest
LISTEN = HostPort("127.0.0.1", 8053)
CLIENTS = (b"\x0a\x01\x02\x03", b"\x0a\x01\x02\x04", bytes.fromhex("20010db8aaaabbcc0000000000000001"))
READERS = [role for role in Role if role.includes(Role.READ)]
WHOLE = ["10.1.2.3", "10.1.2.4", "2001:db8:aaaa:bbcc::1"]
MASKED = ["10.1.2.0/24", "2001:db8:aaaa:bb00::/56"]


@pytest.fixture
async def client(control: Control) -> AsyncIterator[Client]:
    tokens = tuple(AdminToken(role.value, role.value, digest(role)) for role in Role)
    control.estate.settings = structs.replace(control.estate.settings, admin=AdminSettings(LISTEN, tokens=tokens))
    async with TestClient(TestServer(application(context_of(control), LISTEN))) as client:
        yield client


@pytest.mark.parametrize("role", READERS)
async def test_fallbacks_show_addresses_from_the_role_operate_on(client: Client, control: Control, role: Role) -> None:
    zone, now = from_text("privatelink.blob.core.windows.net"), WallTime(1.0)
    control.fallen = [Fallback(zone, from_text("a.example"), "east", FallbackReason.MISS_POLICY, 3, now, now, CLIENTS)]
    async with client.get("/v1/fallbacks", headers={"Authorization": f"Bearer {role}"}) as response:
        (item,) = (await response.json())["items"]
    assert item["clients"] == (WHOLE if role.includes(Role.OPERATE) else MASKED)


@pytest.mark.parametrize("role", READERS)
async def test_live_queries_show_addresses_from_the_role_operate_on(
    client: Client, control: Control, role: Role
) -> None:
    query = WatchedQuery(WallTime(1.0), "udp", CLIENTS[0], "east", from_text("a.example"), 1, 0, 60, 0.1)
    control.replies = {0: WatchedQueries(0, [query])}
    async with client.get("/v1/queries", headers={"Authorization": f"Bearer {role}"}) as response:
        while not (line := await response.content.readline()).startswith(b"data: "):
            pass
    shown = b'"client":"10.1.2.3"' if role.includes(Role.OPERATE) else b'"client":"10.1.2.0/24"'
    assert shown in line


@pytest.mark.parametrize(
    ("wanted", "is_narrow"),
    [("10.1.2.3", True), ("10.1.2.0/25", True), ("10.1.2.0/24", False), ("2001:db8::/57", True), ("::/56", False)],
)
async def test_a_filter_tells_no_more_than_what_is_shown(client: Client, wanted: str, is_narrow: bool) -> None:
    for role in READERS:
        headers, parameters = {"Authorization": f"Bearer {role}"}, {"client": wanted}
        async with client.head("/v1/queries", headers=headers, params=parameters) as response:
            refused = is_narrow and not role.includes(Role.OPERATE)
            assert response.status == (403 if refused else 200)
