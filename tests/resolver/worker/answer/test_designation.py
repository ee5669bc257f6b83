"""Discovery of the encrypted listeners (RFC 9462): the SVCB records of `_dns.resolver.arpa`, read by dnspython."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import dns.rdata
import dns.rdatatype
import pytest
import trustme

from resolver import settings
from resolver.host_port import HostPort
from resolver.wire import codes
from resolver.worker.answer.designation import Designation, designation

if TYPE_CHECKING:
    from tests.conftest import Pipeline

NAME = "dns.example.net"


def worker(tls: str = "", https: str = "", path: str = "/dns-query", name: str = NAME) -> settings.WorkerSettings:
    """Return settings with these listeners, as in `10.0.0.4 853, ::1 853`."""

    def places(text: str) -> tuple[HostPort, ...]:
        return tuple(HostPort(host, int(port)) for host, port in (each.split() for each in text.split(",")))

    return settings.WorkerSettings(
        (), (), designation=name,
        tls=settings.Tls(places(tls), "c", "k") if tls else None,
        https=settings.Https(places(https), "c", "k", path) if https else None,
    )  # fmt: skip


def records(found: Designation | None) -> list[str]:
    assert found is not None
    return [dns.rdata.from_wire("IN", "SVCB", each, 0, len(each)).to_text() for each in found.records.rdatas]


def addresses(found: Designation | None) -> list[str]:
    assert found is not None
    return [
        dns.rdata.from_wire("IN", dns.rdatatype.RdataType(rrset.type), each, 0, len(each)).to_text()
        for rrset in found.addresses
        for each in rrset.rdatas
    ]


def test_without_a_name_there_is_no_designation() -> None:
    assert designation(worker("10.0.0.4 853", name="")) is None


@pytest.mark.parametrize(
    ("tls", "https", "wanted"),
    [
        ("10.0.0.4 853", "", ['1 dns.example.net. alpn="dot" ipv4hint="10.0.0.4"']),
        ("", "fd00::4 443", ['1 dns.example.net. alpn="h2" ipv6hint="fd00::4" dohpath="/dns-query{?dns}"']),
        (
            "10.0.0.4 8853, fd00::4 8853, 10.0.0.5 853", "10.0.0.4 8443",
            [
                '1 dns.example.net. alpn="dot" port="8853" ipv4hint="10.0.0.4" ipv6hint="fd00::4"',
                '2 dns.example.net. alpn="dot" ipv4hint="10.0.0.5"',
                '3 dns.example.net. alpn="h2" port="8443" ipv4hint="10.0.0.4" dohpath="/dns-query{?dns}"',
            ],
        ),
        ("0.0.0.0 853, :: 853", "", ['1 dns.example.net. alpn="dot"']),
        ("127.0.0.1 853, 10.0.0.4 853", "", ['1 dns.example.net. alpn="dot" ipv4hint="10.0.0.4"']),
        ("127.0.0.1 853", "", ['1 dns.example.net. alpn="dot" ipv4hint="127.0.0.1"']),
    ],
)  # fmt: skip
def test_records_follow_from_the_listeners(tls: str, https: str, wanted: list[str]) -> None:
    assert records(designation(worker(tls, https))) == wanted


def test_the_path_of_https_is_in_the_record() -> None:
    (record,) = records(designation(worker(https="10.0.0.4 443", path="/q/v1")))
    assert record.endswith('dohpath="/q/v1{?dns}"')


def test_the_addresses_of_all_listeners_are_those_of_the_name() -> None:
    found = designation(worker("10.0.0.4 853, fd00::4 853", "10.0.0.4 443, 10.0.0.5 443"))
    assert addresses(found) == ["10.0.0.4", "10.0.0.5", "fd00::4"]
    assert addresses(designation(worker("0.0.0.0 853"))) == []


def test_a_client_finds_the_designation_and_no_upstream_is_asked(
    build: "Callable[..., Pipeline]",
    ask: Callable[..., bytes],
    decode: Callable[[bytes], dns.message.Message],
    tmp_path: Path,
) -> None:
    made = trustme.CA().issue_cert(NAME)
    made.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "pair.pem"))
    pipeline = build(
        f"dns: {{designation: {NAME}, tls: {{listen: ['10.0.0.4:853'], certificate: pair.pem, key: pair.pem}}}}"
    )
    for rtype in ("SVCB", "ANY"):
        reply = decode(pipeline.reply(ask("_DNS.resolver.arpa", rtype)) or b"")
        assert [rrset.to_text() for rrset in reply.answer] == [
            f'_DNS.resolver.arpa. 300 IN SVCB 1 {NAME}. alpn="dot" ipv4hint="10.0.0.4"'
        ]
        assert [rrset.to_text() for rrset in reply.additional] == [f"{NAME}. 300 IN A 10.0.0.4"]
        assert reply.flags & codes.AA
    reply = decode(pipeline.reply(ask("_dns.resolver.arpa", "A")) or b"")
    assert (reply.rcode(), reply.answer, len(reply.authority)) == (0, [], 1)
