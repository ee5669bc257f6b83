"""Lines of the query log, made from octets: those of any packet that may have been answered."""

import json
from ipaddress import ip_address
from socket import htons
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.channel.query_records import AnsweredQueries, QueryBatch, QueryRecord, decode, encode
from resolver.query_log.client_addresses import ClientAddresses
from resolver.query_log.dnstap import DnstapMessages
from resolver.query_log.lines import coredns_lines, json_lines
from resolver.query_log_settings import AddressMask, DnstapSettings
from resolver.settings import Transport
from zones.clocks import WallTime

AT = WallTime(1_700_000_000.25)


def answered(record: QueryRecord, proto: Transport = "udp") -> QueryBatch:
    return QueryBatch({-1: "none", 0: "weu", -2: ""}, [AnsweredQueries(AT, 0.000123456, proto, [record])])


def record(
    query: dns.message.Message, client: str = "10.1.2.3", network: int = 0, rcode: int = 0, flags: str = "QR RD RA"
) -> QueryRecord:
    reply = dns.message.make_response(query)
    reply.flags = dns.flags.from_text(flags)
    reply.set_rcode(dns.rcode.Rcode(rcode))
    return query.to_wire(), ip_address(client).packed, htons(5353), network, reply.to_wire()[2:]


def query(name: str = "Www.Example.", rtype: str = "A", **options: Any) -> dns.message.Message:  # noqa: ANN401 - of `make_query`
    return dns.message.make_query(name, rtype, id=29008, **options)


def coredns(record: QueryRecord, proto: Transport = "udp", mask: AddressMask | None = None) -> str:
    (line,) = coredns_lines(answered(record, proto), ClientAddresses(mask or AddressMask()))
    return line


def in_json(record: QueryRecord, mask: AddressMask | None = None) -> dict[str, object]:
    (line,) = json_lines(answered(record), ClientAddresses(mask or AddressMask()))
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    found: dict[str, object] = json.loads(line)
    return found


def test_a_json_line_has_the_question_the_client_and_the_reply() -> None:
    assert in_json(record(query())) == {
        "at": "2023-11-14T22:13:20.250Z", "proto": "udp", "client": "10.1.2.3", "port": 5353, "network": "weu",
        "id": 29008, "name": "www.example", "type": "A", "rcode": "NOERROR", "flags": "qr,rd,ra", "octets": 29,
        "seconds": 0.000123,
    }  # fmt: skip


def test_a_coredns_line_is_that_of_the_plugin_log() -> None:
    """The example of CoreDNS's documentation, with another duration."""
    line = coredns(record(query("example.org.", want_dnssec=True, payload=4096), "::1", flags="QR RD RA AD"))
    assert line == (
        '[INFO] [::1]:5353 - 29008 "A IN example.org. udp 40 true 4096" NOERROR qr,rd,ra,ad 40 0.000123456s\n'
    )


@pytest.mark.parametrize(
    ("given", "proto", "part"),
    [
        (query(), "udp", '"A IN www.example. udp 29 false 512" NOERROR'),
        (query(use_edns=0, payload=100), "udp", "udp 40 false 512"),
        (query(use_edns=0), "tcp", "tcp 40 false 65535"),
        (query(use_edns=0), "tls", "tcp 40 false 65535"),
        (query(".", "NS"), "udp", '"NS IN . udp'),
        (query("a.", "TYPE4242"), "udp", '"TYPE4242 IN a. '),
    ],
)
def test_what_a_coredns_line_says_of_the_query(given: dns.message.Message, proto: Transport, part: str) -> None:
    assert part in coredns(record(given), proto)


def test_rcodes_above_15_are_read_from_the_opt_record() -> None:
    assert in_json(record(query(use_edns=0), rcode=23))["rcode"] == "BADCOOKIE"
    assert in_json(record(query(use_edns=0), rcode=16))["rcode"] == "BADVERS"


@pytest.mark.parametrize(
    ("client", "mask", "shown"),
    [
        ("10.1.2.3", AddressMask(24, 64), "10.1.2.0"),
        ("::ffff:10.1.2.3", AddressMask(16, 64), "10.1.0.0"),
        ("2001:db8:1:2:3::4", AddressMask(24, 48), "2001:db8:1::"),
        ("10.1.2.3", AddressMask(0, 0), "0.0.0.0"),
        ("2001:db8::1", AddressMask(), "2001:db8::1"),
    ],
)
def test_addresses_are_masked(client: str, mask: AddressMask, shown: str) -> None:
    assert in_json(record(query(), client), mask)["client"] == shown
    assert shown in coredns(record(query(), client), mask=mask)


@given(st.binary(min_size=12, max_size=80), st.binary(min_size=10, max_size=40))
def test_any_packet_makes_one_line_in_each_form(packet: bytes, reply: bytes) -> None:
    given: QueryRecord = (packet, bytes(4), 0, 0, reply)
    in_json(given)
    assert coredns(given).count("\n") == 1


@pytest.mark.parametrize("name", [b'"', b"\\", b"\n", b"\xff", b" "])
def test_a_name_with_any_octet_makes_one_line(name: bytes) -> None:
    packet = bytes(12) + bytes((len(name),)) + name + b"\0\0\1\0\1"
    in_json((packet, bytes(4), 0, 0, bytes(10)))
    assert coredns((packet, bytes(4), 0, 0, bytes(10))).count("\n") == 1


def test_records_survive_the_way_to_the_logger() -> None:
    sent = answered(record(query()))
    assert decode(encode(sent)) == sent


@pytest.mark.parametrize(
    "changed",
    [
        {"proto": 'udp"\n'}, {"at": float("nan")}, {"at": 1e300}, {"seconds": float("inf")}, {"seconds": -1.0},
        {"records": [(bytes(11), bytes(4), 0, 0, bytes(10))]}, {"records": [(bytes(12), bytes(4), 0, 0, bytes(9))]},
        {"records": [(bytes(12), bytes(17), 0, 0, bytes(10))]}, {"records": [(bytes(12), bytes(4), -1, 0, bytes(10))]},
        {"records": [(bytes(12), bytes(4), 0, None, bytes(10))]},
    ],
)  # fmt: skip
def test_what_no_worker_makes_is_refused(changed: dict[str, object]) -> None:
    """A worker may have been taken over."""
    fields = {"at": AT, "seconds": 0.5, "proto": "udp", "records": []} | changed
    with pytest.raises(msgspec.MsgspecError):
        decode(msgspec.msgpack.encode([{}, [list(fields.values())]]))


@pytest.mark.parametrize("address", [bytes(5), bytes(15)])
def test_an_address_of_no_family_makes_a_line_and_a_message(address: bytes) -> None:
    given: QueryRecord = (bytes(12), address, 0, 7, bytes(10))
    assert (in_json(given)["client"], in_json(given)["network"]) == ("0.0.0.0", "")
    messages = DnstapMessages(DnstapSettings(("client_query",), "", ""), ClientAddresses(AddressMask()))
    assert len(list(messages.encode(answered(given)))) == 1
