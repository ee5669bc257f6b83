"""`/v1/explain`: what is asked of a worker, and what becomes of bad questions and absent workers."""

from typing import Any

import pytest

from resolver.admin.access.problems import Code
from resolver.channel.requests import Explain, Explained
from resolver.host_port import HostPort
from tests.resolver.admin.json_client import Client, get

Control = Any  # of conftest


async def test_a_worker_gets_the_packet_of_the_client(client: Client, control: Control) -> None:
    body = await get(client, "/v1/explain?name=10.1.0.4&client=10.1.0.9&transport=tls&listener=[::1]:853&ask=true")
    (request,) = control.requests
    assert isinstance(request, Explain)
    assert request.packet[2:].startswith(b"\1\0\0\1\0\0\0\0\0\1\0014\0010\0011\00210\7in-addr\4arpa\0\0\14\0\1")
    assert request.client == b"\x0a\1\0\x09"
    assert (request.transport, request.listener, request.ask) == ("tls", HostPort("::1", 853), True)
    assert (body["name"], body["type"], body["worker"]) == ("4.0.1.10.in-addr.arpa", "PTR", 0)
    assert body["why"] == "the client is not in `dns.allow`"
    assert body["answer"]["rcode"] == "REFUSED"


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ("", "name: Field required"), ("name=http://a.example/", "the name in it is a.example"),
        ("name=a&type=NOTYPE", "'NOTYPE' is not a record type"), ("name=a&client=me", "'me' is not an IP address"),
        ("name=a&transport=smoke", "transport: "), ("name=a&worker=-1", "worker: "),
        ("name=a&listener=here", "listener: "), ("name=a&ask=perhaps", "ask: "),
    ],
)  # fmt: skip
async def test_a_bad_question_is_refused_with_a_sentence(client: Client, parameters: str, says: str) -> None:
    found = await get(client, f"/v1/explain?{parameters}", 400)
    assert says in found["detail"]
    assert found["type"] == Code.INVALID_PARAMETER.type


async def test_a_worker_that_cannot_answer_is_named(client: Client, control: Control) -> None:
    assert (await get(client, "/v1/explain?name=a&worker=3", 400))["nearest"] == ["0"]
    for control.explained in (None, Explained(None)):
        assert "its log says why" in (await get(client, "/v1/explain?name=a", 503))["detail"]
    control.workers[0].connected = False
    found = await get(client, "/v1/explain?name=a", 503)
    assert (found["detail"], found["type"]) == ("no worker is connected", Code.NO_WORKER.type)
