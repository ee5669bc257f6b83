"""The parameters of `/v1/queries`, and what the stream has of a query."""

import json
from typing import Any

import dns.message
import dns.rdatatype
import dns.rrset
import pytest

from resolver.admin.access.problems import Code
from resolver.admin.resources.query_origins import QueryOrigin
from resolver.channel.requests import WatchedQueries
from resolver.channel.watched_queries import WatchedQuery
from tests.resolver.admin.conftest import BLOB, Client, ScriptedControl
from zones.clocks import WallTime
from zones.dns.name import from_text


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("rcode", "NO", "rcode: 'NO' is not an rcode"),
        ("client", "10", "client: '10' does not appear to be an IPv4 or IPv6 network"),
        ("client", "10.0.0.1/8", "client: 10.0.0.1/8 has host bits set"),
        ("network", "moon", "there is no network `moon`"),
        ("name", "a..b", "name: "),
        ("origin", "moon", "there is no origin `moon`"),
        ("seconds", "-1", "seconds: "),
        ("colour", "red", "colour: no such parameter"),
    ],
)
async def test_a_filter_that_cannot_match_is_an_error(client: Client, name: str, value: str, why: str) -> None:
    response = await client.get("/v1/queries", params={name: value})
    assert response.status == 400
    found = await response.json()
    assert found["detail"].startswith(why)
    kinds = {"network": Code.UNKNOWN_VALUE, "origin": Code.UNKNOWN_VALUE, "colour": Code.UNKNOWN_PARAMETER}
    assert found["type"] == kinds.get(name, Code.INVALID_PARAMETER).type


async def test_head_opens_no_stream(client: Client) -> None:
    response = await client.head("/v1/queries", params={"rcode": "nxdomain"})
    assert (response.status, response.content_type) == (200, "text/event-stream")


@pytest.mark.parametrize(
    ("name", "qtype", "rcode", "aa", "answer", "origin"),
    [
        ("plain.blob.core.windows.net", "A", 0, True, f"CNAME plain.{BLOB}.", QueryOrigin.ENDPOINT),
        (f"plain.{BLOB}", "MX", 0, True, "", QueryOrigin.ENDPOINT),
        (f"refused.{BLOB}", "A", 2, False, "", QueryOrigin.ENDPOINT),
        ("4.0.1.10.in-addr.arpa", "PTR", 0, True, f"PTR plain.{BLOB}.", QueryOrigin.ENDPOINT),
        ("ns.corp.example", "A", 0, True, "A 192.0.2.1", QueryOrigin.ZONE),
        ("none.corp.example", "A", 3, True, "", QueryOrigin.ZONE),
        ("other.blob.core.windows.net", "A", 0, False, f"CNAME other.{BLOB}.", QueryOrigin.FALLBACK),
        (f"other.{BLOB}", "A", 0, False, "A 192.0.2.9", QueryOrigin.FALLBACK),
        ("plain.blob.core.windows.net", "A", 0, False, "A 192.0.2.9", QueryOrigin.FALLBACK),
        ("www.example.com", "A", 0, False, "A 192.0.2.9", QueryOrigin.UPSTREAM),
        ("www.example.com", "A", 2, False, "", QueryOrigin.UPSTREAM),
        ("www.example.com", "A", 5, False, "", QueryOrigin.PLDNS),
        ("localhost", "A", 0, True, "A 127.0.0.1", QueryOrigin.PLDNS),
        ("1.0.0.127.in-addr.arpa", "PTR", 0, True, "PTR localhost.", QueryOrigin.PLDNS),
    ],
)
async def test_a_query_has_the_origin_of_its_answer_and_its_records(
    client: Client,
    control: ScriptedControl,
    name: str,
    qtype: str,
    rcode: int,
    aa: bool,
    answer: str,
    origin: QueryOrigin,
) -> None:
    message = dns.message.make_response(dns.message.make_query(name, qtype))
    if answer:
        message.answer.append(dns.rrset.from_text(f"{name}.", 10, "IN", *answer.split()))
    number = dns.rdatatype.from_text(qtype)
    control.replies = {0: WatchedQueries(0, [watched(name, number, rcode, aa=aa, reply=message.to_wire()[2:])])}
    found = await first_query(client)
    assert (found["origin"], found["answer"]) == (
        origin,
        [answer.removesuffix(".") if "CNAME" in answer else answer][: bool(answer)],
    )


async def test_a_stream_has_only_answers_of_the_wanted_origin(client: Client, control: ScriptedControl) -> None:
    queries = [watched("www.example.com"), watched("ns.corp.example", aa=True)]
    control.replies = {0: WatchedQueries(0, queries)}
    assert (await first_query(client, origin="zone"))["name"] == "ns.corp.example"


async def test_a_reply_that_is_long_or_malformed_is_shown_without_records(
    client: Client, control: ScriptedControl
) -> None:
    control.replies = {0: WatchedQueries(0, [watched("www.example.com", reply=b"")])}
    assert (await first_query(client))["answer"] is None
    control.replies = {0: WatchedQueries(0, [watched("www.example.com", reply=b"\x80\0\xff\xff")])}
    assert (await first_query(client))["answer"] == []


def watched(name: str, qtype: int = 1, rcode: int = 0, *, aa: bool = False, reply: bytes = b"\x80\0") -> WatchedQuery:
    asked = from_text(name)
    return WatchedQuery(WallTime(1.0), "udp", bytes(4), "east", asked, qtype, rcode, 60, 0.1, aa, reply)


async def first_query(client: Client, **filters: str) -> dict[str, Any]:
    async with client.get("/v1/queries", params=filters) as response:
        while not (line := await response.content.readline()).startswith(b"data: "):
            pass
    found: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
    return found
