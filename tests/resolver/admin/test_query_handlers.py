"""The parameters of `/v1/queries`."""

import pytest

from resolver.admin.access.problems import Code
from tests.resolver.admin.conftest import Client


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("rcode", "NO", "rcode: 'NO' is not an rcode"),
        ("client", "10", "client: '10' does not appear to be an IPv4 or IPv6 network"),
        ("client", "10.0.0.1/8", "client: 10.0.0.1/8 has host bits set"),
        ("network", "moon", "network: there is no `moon`"),
        ("name", "a..b", "name: "),
        ("colour", "red", "colour: no such parameter"),
    ],
)
async def test_a_filter_that_cannot_match_is_an_error(client: Client, name: str, value: str, why: str) -> None:
    response = await client.get("/v1/queries", params={name: value})
    assert response.status == 400
    found = await response.json()
    assert found["detail"].startswith(why)
    kinds = {"network": Code.UNKNOWN_VALUE, "colour": Code.UNKNOWN_PARAMETER}
    assert found["type"] == kinds.get(name, Code.INVALID_PARAMETER).type


async def test_head_opens_no_stream(client: Client) -> None:
    response = await client.head("/v1/queries", params={"rcode": "nxdomain"})
    assert (response.status, response.content_type) == (200, "text/event-stream")
