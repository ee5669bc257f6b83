"""DNSSEC through pldns: validators behind pldns give the same results as validators that ask a resolver.

All zones are below a signed root. The upstream of pldns relays to that resolver, and has faults for some names.
"""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from tests.fake_azure import shapes
from tests.live.cloud import ONE, LiveCloud
from tests.live.daemon import REPLY, Daemon
from tests.live.faulty_upstream import FAULTS, FaultyUpstream
from tests.live.signed_zones import nsd, signed
from tests.live.validators import PRODUCTS, Validator, available, recursive, started, static_ds
from tests.peers import tool
from tests.ports import free_ports

pytestmark = pytest.mark.live
ZONES = ("nsec.test", "nsec3.test")
RECORDS = """
$TTL 300
@            SOA   ns h 1 3600 600 86400 60
@            NS    ns
ns           A     127.0.0.1
www          A     192.0.2.1
odd          A     192.0.2.9
alias        CNAME www
*.w          A     192.0.2.2
*.a          CNAME www
*.out        CNAME www.{other}.
*.n          CNAME nothing.{other}.
*.private    CNAME acct.blob.core.windows.net.
to           CNAME x.private
d            DNAME target
in.target    A     192.0.2.3
x.target     CNAME acct.blob.core.windows.net.
deep.er      A     192.0.2.4
insecure     NS    ns.insecure
ns.insecure  A     127.0.0.1
split        NS    ns.split
ns.split     A     127.0.0.1
provided     NS    ns.provided
ns.provided  A     127.0.0.1
"""
CHILD = "$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\nhost A 192.0.2.5\n"
QUESTIONS = [
    ("www", "A"), ("www", "AAAA"), ("nothing", "A"), ("", "SOA"), ("", "DNSKEY"), ("", "DS"), ("alias", "A"),
    ("alias", "AAAA"), ("x.w", "A"), ("x.w", "AAAA"), ("x.y.w", "A"), ("x.a", "A"), ("x.a", "AAAA"), ("x.out", "A"),
    ("x.out", "AAAA"), ("x.n", "A"), ("in.d", "A"), ("none.d", "A"), ("d", "DNAME"), ("er", "A"), ("insecure", "DS"),
    ("host.insecure", "A"), ("none.insecure", "A"), ("split", "DS"),
    ("provided", "DS"), ("www", "DS"),
]  # fmt: skip
AFTER_A_FAULT = [
    ("www", "A"), ("alias", "AAAA"), ("nothing", "A"), ("x.w", "A"), ("x.a", "A"), ("in.d", "A"), ("insecure", "DS"),
    ("host.insecure", "A"),
]  # fmt: skip
Result = tuple[str, bool, list[str]]
"""The rcode, whether the answer is validated, and the records without TTLs and signatures."""


class World(NamedTuple):
    """The ports of validators by product, those that ask the resolver and those that ask pldns, and what they ask."""

    direct: dict[str, int]
    behind: dict[str, int]
    resolver: int
    pldns: int
    upstream: FaultyUpstream
    anchor: str


def origin_of(fault: str, *, nsec3: bool) -> str:
    return f"{fault}.nsec3-zone" if nsec3 else f"{fault}.nsec-zone"


def private_zones() -> list[Any]:
    """Return a virtual network, and a private DNS zone at an insecure delegation of each signed zone."""
    where = shapes.group(ONE)
    hub = shapes.virtual_network(where, "hub", ["127.0.0.0/8"])
    zones = [shapes.zone(where, f"provided.{origin}") for origin in ZONES]
    links = [shapes.link(zone["id"], "to-hub", hub["id"]) for zone in zones]
    return [hub, *zones, *links, *(shapes.record(zone["id"], "private", ["10.1.0.5"]) for zone in zones)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("dnssec")
    authority, resolver, upstream, *ports = free_ports(3 + 2 * len(PRODUCTS))
    made = [
        signed(origin, RECORDS.replace("{other}", other), nsec3=origin == "nsec3.test")
        for origin, other in (ZONES, reversed(ZONES))
    ]
    made += [
        signed(origin_of(fault, nsec3=nsec3), RECORDS.replace("{other}", "nsec.test"), nsec3=nsec3)
        for fault in FAULTS
        for nsec3 in (False, True)
    ]
    cuts = [*(zone.origin for zone in made), "core.windows.net"]
    delegations = "".join(f"{origin}. NS ns.{origin}.\nns.{origin}. A 127.0.0.1\n" for origin in cuts)
    root = signed(".", RECORDS[: RECORDS.index("www")] + delegations + "\n".join(z.ds for z in made), nsec3=False)
    served = {zone.origin: zone.text for zone in (root, *made)}
    served["core.windows.net"] = f"{CHILD}acct.blob CNAME acct.privatelink.blob\nacct.privatelink.blob A 192.0.2.7\n"
    served |= {f"{child}.{zone.origin}": CHILD for zone in made for child in ("insecure", "split", "provided")}
    (folder / "endpoints").mkdir()
    record = {"fqdn": "acct.blob.core.windows.net", "ips": ["10.1.0.4"]}
    (folder / "endpoints/a.json").write_text(json.dumps({"endpoints": [{"name": "one", "records": [record]}]}))
    for origin in ZONES:
        (folder / f"split.{origin}.zone").write_text(f"$ORIGIN split.{origin}.\n{CHILD}private A 10.1.0.5\n")
    azure = LiveCloud(folder, *private_zones())
    source = {"name": "hub", "type": "azure", "management": azure.given["management"], "private_dns": "serve"}
    daemon = Daemon(folder, {
        "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{upstream}"]}},
        "sources": [{"name": "estate", "type": "files", "path": "./endpoints"}, source],
        "zones": {"files": ["*.zone"]},
    })  # fmt: skip
    products = list(filter(available, PRODUCTS))
    direct, behind = (dict(zip(products, each, strict=False)) for each in (ports[::2], ports[1::2]))
    with ExitStack() as stack:
        stack.callback(azure.stop)
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in azure.environment.items():
            environment.setenv(name, value)
        stack.enter_context(nsd(folder / "nsd", authority, served))
        stack.enter_context(recursive(folder / "resolver", resolver, authority, list(served)))
        faulty = stack.enter_context(FaultyUpstream(upstream, resolver).serving())
        stack.callback(daemon.stop)
        daemon.start().ready()
        stack.enter_context(started([
            (product, Validator(folder / f"{product}-{port}", port, server, root.ds))
            for ports, server in ((direct, resolver), (behind, daemon.port))
            for product, port in ports.items()
        ]))  # fmt: skip
        yield World(direct, behind, resolver, daemon.port, faulty, root.ds)
    assert "Traceback" not in daemon.log.read_text()


def result(port: int, name: str, rtype: str = "A") -> Result:
    query = dns.message.make_query(name, rtype, use_edns=0, want_dnssec=True)
    reply = dns.query.udp_with_fallback(query, "127.0.0.1", timeout=REPLY, port=port)[0]
    records = sorted(f"{rrset.name} {rdata}" for rrset in reply.answer for rdata in rrset if rrset.rdtype != 46)
    return dns.rcode.to_text(reply.rcode()), bool(reply.flags & dns.flags.AD), records


def readable(product: str, label: str) -> bool:
    """Return whether a reply can be read: systemd-resolved compresses DNAME targets, which RFC 6672 §2.5 forbids."""
    return product != "systemd-resolved" or not f".{label}".endswith(".d")


def results(port: int, origin: str, questions: list[tuple[str, str]]) -> dict[tuple[str, str], Result]:
    named = [(f"{label}.{origin}".removeprefix("."), rtype) for label, rtype in questions]
    return {(name, rtype): result(port, name, rtype) for name, rtype in named}


def compare(world: World, product: str, origin: str, questions: list[tuple[str, str]]) -> int:
    """Compare the results behind pldns with those of the same product without pldns. Return how many it validated."""
    if product not in world.direct:
        pytest.skip(f"{product} cannot run here")
    questions = [each for each in questions if readable(product, each[0])]
    direct = results(world.direct[product], origin, questions)
    behind = results(world.behind[product], origin, questions)
    differing = {asked: (direct[asked], found) for asked, found in behind.items() if found != direct[asked]}
    assert not differing, product
    return sum(is_validated for _, is_validated, _ in direct.values())


@pytest.mark.parametrize("origin", ZONES)
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_validator_behind_pldns_gives_the_same_results_as_without_it(world: World, product: str, origin: str) -> None:
    assert compare(world, product, origin, QUESTIONS) > len(QUESTIONS) // 2


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_upstream_changes_no_result_of_a_validator(world: World, fault: str) -> None:
    """In the zone with the fault, and afterwards at new names of the zones without faults."""
    faulty = [origin_of(fault, nsec3=nsec3) for nsec3 in (False, True)]
    after = [(f"{fault}.w", "A"), (f"{fault}.w", "AAAA"), (fault, "A")]
    with ThreadPoolExecutor(2 * len(PRODUCTS)) as pool:
        for done in [pool.submit(result, world.pldns, f"odd.{origin}") for origin in faulty]:
            done.result()
        for origins, questions in ((faulty, AFTER_A_FAULT), (ZONES, after)):
            asked = [(product, origin) for product in world.direct for origin in origins]
            for validated in [pool.submit(compare, world, *each, questions) for each in asked]:
                assert validated.result() > len(questions) // 2
    assert fault in world.upstream.seen


@pytest.mark.parametrize("product", PRODUCTS)
def test_ds_at_the_apex_of_a_zone_that_pldns_serves_is_that_of_the_parent(world: World, product: str) -> None:
    """A zone of endpoints, and the zones above it; `QUESTIONS` has the apex of a zone file (`split`)."""
    questions = [("privatelink.blob", "DS"), ("blob", "DS"), ("", "DS")]
    assert compare(world, product, "core.windows.net", questions) == 1


@pytest.mark.parametrize("name", ["x.private", "to", "x.d", "y.z.private"])
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_signed_alias_into_an_endpoint_is_valid(world: World, product: str, name: str) -> None:
    """Without the proof that no closer name exists, an alias from a wildcard is bogus (RFC 4035 §5.3.4)."""
    if not readable(product, name) or product not in world.behind:
        pytest.skip(f"{product} cannot run here, or compresses DNAME targets")
    for origin in ZONES:
        for rtype, end in (("A", "acct.privatelink.blob.core.windows.net. 10.1.0.4"), ("AAAA", None)):
            rcode, _, records = result(world.behind[product], f"{name}.{origin}", rtype)
            assert rcode == "NOERROR"
            assert len(records) >= 2
            assert end is None or end in records


@pytest.mark.parametrize("child", ["split", "provided"])
@pytest.mark.parametrize("product", PRODUCTS)
def test_an_unsigned_zone_at_an_insecure_delegation_is_valid(world: World, product: str, child: str) -> None:
    """A zone file (`split`), and a private DNS zone of Azure (`provided`)."""
    if product not in world.behind:
        pytest.skip(f"{product} cannot run here")
    for origin in ZONES:
        assert result(world.behind[product], f"private.{child}.{origin}") == (
            "NOERROR", False, [f"private.{child}.{origin}. 10.1.0.5"],
        )  # fmt: skip


def test_delv_validates_what_pldns_answers(world: World, tmp_path: Path) -> None:
    (tmp_path / "anchor").write_text(f"trust-anchors {{ {static_ds(world.anchor)} }};\n")
    questions = ["www A", "nothing A", "x.a A", "in.d A", "insecure DS"]
    for origin in ZONES:
        for question in questions:
            direct, behind = (delv(port, tmp_path, question, origin) for port in (world.resolver, world.pldns))
            assert behind == direct
            assert "fully validated" in direct
        for question in ("x.private A", "x.d A"):
            assert "10.1.0.4" in delv(world.pldns, tmp_path, question, origin)


def delv(port: int, folder: Path, question: str, origin: str) -> str:
    label, rtype = question.split()
    command = [tool("delv"), "@127.0.0.1", "-p", str(port), "-a", str(folder / "anchor"), "+nottl", "+nocrypto"]
    done = subprocess.run([*command, f"{label}.{origin}", rtype], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if "RRSIG" not in line]
    return "\n".join([*sorted(lines), *done.stderr.splitlines()])
