"""Which names are forwarded from inside a zone file's zone, and what a relayed error reply looks like."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from resolver.forward.cache import Key
from resolver.wire import codes
from resolver.wire.query import parse
from resolver.wire.relay import Message
from resolver.worker.answer.compiled import Compiled
from zones.clocks import SteadyTime
from zones.dns.name import from_text
from zones.dns.record import A
from zones.networks.prefixes import NetworkIndex

if TYPE_CHECKING:
    from tests.conftest import Pipeline

ESTATE = {
    "endpoints/a.yaml": "endpoints: [{name: one, group: blob, records: [{fqdn: acct.blob.core.windows.net, "
    "ips: [10.1.0.4]}]}]"
}
SOURCE = "sources: [{name: estate, type: files, path: ./endpoints}]"
HINTS = "alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"
ZONE = "$ORIGIN corp.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\nchild NS ns.child\nns.child A 10.0.0.1\n"
HOST = "www.child.corp.example"


@pytest.mark.parametrize("suffix", ["corp.example", "example"])
def test_a_suffix_above_a_delegation_does_not_take_the_names_below_it(
    build: Callable[..., "Pipeline"], suffix: str
) -> None:
    """The zone file has the suffix's own names, so only a suffix at or below the delegation says who serves it."""
    pipeline = build("zones: {files: [z.zone]}", {"z.zone": ZONE}, {f"onprem {suffix}": f"{HOST} 60 A 10.0.0.2"})
    message = pipeline.ask(HOST, "A")
    assert message.answer == []
    assert [rrset.rdtype for rrset in message.authority] == [dns.rdatatype.NS]
    assert pipeline.upstreams["onprem"].asked == []


@pytest.mark.parametrize("suffix", ["child.corp.example", HOST])
def test_a_suffix_at_or_below_a_delegation_takes_the_names_below_it(
    build: Callable[..., "Pipeline"], suffix: str
) -> None:
    pipeline = build("zones: {files: [z.zone]}", {"z.zone": ZONE}, {f"onprem {suffix}": f"{HOST} 60 A 10.0.0.2"})
    assert [rrset[0].to_text() for rrset in pipeline.ask(HOST, "A").answer] == ["10.0.0.2"]
    assert pipeline.upstreams["onprem"].asked == [f"{HOST} A"]


@pytest.mark.parametrize("rcode", [codes.SERVFAIL, codes.REFUSED])
def test_a_servfail_because_of_an_upstreams_error_offers_recursion(
    build: Callable[..., "Pipeline"],
    ask: Callable[..., bytes],
    decode: Callable[[bytes], dns.message.Message],
    rcode: int,
) -> None:
    """RA says that this server recurses, whatever the upstream's own flag is (RFC 1035 §4.1.1)."""
    pipeline, packet = build(), ask("www.example")
    key = Key("public", from_text("www.example"), A)
    reply = Message(rcode, aa=False, ad=False, ra=False, tc=False, answer=(), authority=())
    answer = pipeline.engine.answer(parse(packet), NetworkIndex(0), SteadyTime(pipeline.now), {key: reply})
    assert isinstance(answer, Compiled)
    message = decode(packet[:2] + answer.head + packet[12:-11] + answer.current)
    assert message.rcode() == dns.rcode.SERVFAIL
    assert message.flags & dns.flags.RA


def services(pipeline: "Pipeline", name: str, rtype: str = "HTTPS", *options: str) -> list[str]:
    return sorted(rdata.to_text() for rrset in pipeline.ask(name, rtype, *options).answer for rdata in rrset)


@pytest.mark.parametrize("rtype", ["HTTPS", "SVCB"])
@pytest.mark.parametrize(
    ("target", "others"),
    [
        ("acct.blob.core.windows.net.", ""),
        ("ACCT.privatelink.blob.core.windows.net.", ""),
        ("cdn.example.", "cdn.example. 60 CNAME acct.blob.core.windows.net."),
        ("a.example.", "a.example. 60 CNAME b.example.\nb.example. 60 CNAME acct.blob.core.windows.net."),
        ("host.corp.example.", ""),
        ("silent.example.", "!silent silent.example."),
    ],
)
def test_a_service_whose_target_is_or_leads_to_an_owned_name_has_no_hints(
    build: Callable[..., "Pipeline"], rtype: str, target: str, others: str
) -> None:
    """A client that uses a hint never asks for the address, and would connect to the public one."""
    zone = "$ORIGIN corp.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\nhost A 10.0.0.1\n"
    ech = ' ech="AAQAAAAA"' if rtype == "SVCB" else ""  # dnslib knows HTTPS records only without it
    text = f"www.example. 60 {rtype} 1 {target} {HINTS}{ech}\n{others}"
    pipeline = build(f"{SOURCE}\nzones: {{files: [z.zone]}}", {**ESTATE, "z.zone": zone}, {"public": text})
    assert services(pipeline, "www.example", rtype) == [f'1 {target} alpn="h2"{ech}']


@pytest.mark.parametrize("target", [".", "cdn.example.", "gone.example."])
def test_a_service_whose_target_is_public_keeps_its_hints(build: Callable[..., "Pipeline"], target: str) -> None:
    text = f"www.example. 60 HTTPS 1 {target} {HINTS}\ncdn.example. 60 A 192.0.2.1"
    pipeline = build(SOURCE, ESTATE, {"public": text})
    kept = f'1 {target} alpn="h2" ipv4hint="192.0.2.1" ipv6hint="2001:db8::1"'
    assert services(pipeline, "www.example") == [kept]


def test_a_service_has_its_hints_until_an_endpoint_has_its_target(
    build: Callable[..., "Pipeline"], tmp_path: Path
) -> None:
    text = f"www.example. 60 HTTPS 1 cdn.example. {HINTS}\ncdn.example. 60 CNAME acct.blob.core.windows.net.\n"
    pipeline = build(
        SOURCE, {"endpoints/a.yaml": "endpoints: []"}, {"public": text + "acct.blob.core.windows.net. 60 A 192.0.2.1"}
    )
    assert "ipv4hint" in services(pipeline, "www.example")[0]
    (tmp_path / "endpoints/a.yaml").write_text(ESTATE["endpoints/a.yaml"])
    pipeline.scan()
    assert "ipv4hint" not in services(pipeline, "www.example")[0]
