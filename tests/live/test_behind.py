"""Behind other resolvers: with the text of `pldns suffixes` alone, each gives private addresses for the whole estate.

Each resolver validates and has rebinding protection. Public DNS is one signed zone, the root: all names of services are
signed or denied in it, so every private answer would be bogus without an exemption.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
import yaml

from resolver.cli import forwarder_syntax
from resolver.cli.options import ForwarderProduct
from resolver.config import file as config
from resolver.host_port import HostPort
from resolver.offline.load import offline
from tests.live.daemon import REPLY, Daemon
from tests.live.forwarders import PRODUCTS, Site, printed, started
from tests.live.signed_zones import nsd, signed
from tests.paths import ROOT
from tests.ports import free_port
from zones.clocks import WallTime
from zones.dns.name import is_wildcard, to_text

pytestmark = pytest.mark.live
EXAMPLE = ROOT / "examples/hub-spoke"
MORE = """
endpoints:
  - {name: rm, target: rm, records: [{fqdn: management.azure.com, ips: [10.0.2.90]}]}
"""
"""An endpoint whose public suffix, `azure.com`, is not forwarded as a whole."""
PUBLIC = """
$TTL 300
@                        SOA   ns h 1 3600 600 86400 60
@                        NS    ns
ns                       A     20.60.0.53
de                       TXT   "a top-level domain before `example`, as Knot Resolver's proof needs one"
www.example.org          A     20.60.0.1
rebinding.example.org    A     10.9.9.9
shop.example.org         CNAME stcontososhop.blob.core.windows.net.
vault.example.org        CNAME kv-contoso-shop.vault.azure.net.
"""
PUBLIC_ADDRESS = "20.60.0.66"
"""The address in public DNS of every public name of the estate."""


class World(NamedTuple):
    """pldns with the example estate, and the resolvers in front of it."""

    daemon: Daemon
    names: list[str]
    sites: dict[str, Site]

    @property
    def ports(self) -> dict[str, int]:
        """The ports of the resolvers."""
        return {product: site.port for product, site in self.sites.items()}

    @property
    def at(self) -> HostPort:
        """The address of pldns."""
        return HostPort("127.0.0.1", self.daemon.port)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("behind")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("state"))
    (folder / "endpoints/more.yaml").write_text(MORE)
    wanted = yaml.safe_load((EXAMPLE / "pldns.yaml").read_text())
    public, *ports = (free_port() for _ in range(1 + len(PRODUCTS)))
    upstreams = {"public": {"servers": [f"udp://127.0.0.1:{public}"]}}
    daemon = Daemon(folder, {key: wanted[key] for key in ("sources", "networks", "zones")} | {"upstreams": upstreams})
    names, publics = estate_names(daemon.path)
    root = signed(".", PUBLIC + "".join(f"{name}. A {PUBLIC_ADDRESS}\n" for name in publics), nsec3=False)
    with ExitStack() as stack:
        stack.enter_context(nsd(folder / "nsd", public, {".": root.text}))
        stack.callback(daemon.stop)
        daemon.start().ready()
        sites = {
            product: Site(folder / product, port, public, root.ds, printed(product, daemon.path, daemon.port))
            for product, port in zip(PRODUCTS, ports, strict=True)
        }
        stack.enter_context(started(sites))
        yield World(daemon, names, sites)
    assert "Traceback" not in daemon.log.read_text()


def estate_names(path: Path) -> tuple[list[str], set[str]]:
    """Return all names of served endpoints, a name below each wildcard; and the public ones of them."""
    estate = offline(config.load(path, {}).control, WallTime(1.8e9))
    claims = list(estate.ledger.served())
    names = {each for claim in claims for each in (claim.public, claim.name)}
    publics = {to_text(claim.public) for claim in claims if claim.public != claim.name}
    publics |= {"other.blob.core.windows.net"}
    shown = [to_text(name).replace("*", "any", 1) if is_wildcard(name) else to_text(name) for name in names]
    return sorted(shown), publics


def ask(port: int, name: str, rtype: str = "A") -> dns.message.Message:
    query = dns.message.make_query(name, rtype, flags=dns.flags.RD | dns.flags.AD)
    return dns.query.udp_with_fallback(query, "127.0.0.1", timeout=REPLY, port=port)[0]


def addresses(message: dns.message.Message) -> set[str]:
    return {rdata.address for rrset in message.answer if rrset.rdtype == dns.rdatatype.A for rdata in rrset}


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_name_of_the_estate_has_its_private_address(world: World, product: str) -> None:
    differing = {}
    assert len(world.names) > 130
    for name in world.names:
        right = world.daemon.addresses(name)
        assert right
        assert PUBLIC_ADDRESS not in right
        if (found := addresses(ask(world.ports[product], name))) != right:
            differing[name] = found, right
    assert not differing


@pytest.mark.parametrize("product", PRODUCTS)
def test_no_name_of_the_estate_has_other_addresses(world: World, product: str) -> None:
    """BIND refuses a negative answer whose SOA lies above the forwarded domain."""
    replies = {name: ask(world.ports[product], name, "AAAA") for name in world.names}
    failed = {name: reply for name, reply in replies.items() if reply.rcode() != dns.rcode.NOERROR}
    assert not failed
    kinds = {rrset.rdtype for reply in replies.values() for rrset in reply.answer}
    assert kinds <= {dns.rdatatype.CNAME}


@pytest.mark.parametrize("product", PRODUCTS)
def test_zone_files_are_reached_and_their_aliases_end_at_private_addresses(world: World, product: str) -> None:
    port = world.ports[product]
    assert ask(port, "none.example").rcode() == dns.rcode.NXDOMAIN  # the proof also denies `example` and `corp.example`
    assert addresses(ask(port, "files.corp.example")) == {"10.1.2.8"}
    assert addresses(ask(port, "gateway.corp.example")) == {"192.168.0.1"}
    assert ask(port, "nothing.corp.example").rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_reverse_zone_that_is_forwarded_has_the_names_of_endpoints(world: World, product: str) -> None:
    reply = ask(world.ports[product], "6.2.2.10.in-addr.arpa", "PTR")
    assert [str(rdata) for rrset in reply.answer for rdata in rrset] == ["cosmos-contoso-orders.documents.azure.com."]


@pytest.mark.parametrize("product", PRODUCTS)
def test_names_without_an_endpoint_are_public(world: World, product: str) -> None:
    port = world.ports[product]
    assert addresses(ask(port, "other.blob.core.windows.net")) == {PUBLIC_ADDRESS}
    assert ask(port, "none.blob.core.windows.net").rcode() == dns.rcode.NXDOMAIN
    assert ask(port, "none.vault.azure.net").rcode() == dns.rcode.NXDOMAIN
    empty = ask(port, "kv-contoso-shop.vault.azure.net", "AAAA")
    assert (empty.rcode(), addresses(empty)) == (dns.rcode.NOERROR, set())


@pytest.mark.parametrize("product", PRODUCTS)
def test_other_names_are_validated_and_protected(world: World, product: str) -> None:
    """The resolvers here would refuse private answers if they were not exempted."""
    port = world.ports[product]
    signed_answer = ask(port, "www.example.org")
    assert addresses(signed_answer) == {"20.60.0.1"}
    assert signed_answer.flags & dns.flags.AD
    assert addresses(ask(port, "rebinding.example.org")) == set()


@pytest.mark.parametrize("product", ["unbound", "bind"])
def test_key_vault_is_private_where_only_its_public_suffix_is_forwarded(
    world: World, tmp_path: Path, product: str
) -> None:
    """Both drop an alias to `vaultcore.azure.net` there, and ask public DNS for the target: so there is no alias."""
    text = "\n".join(forwarder_syntax.text(ForwarderProduct(product), ["vault.azure.net"], [world.at]))
    site = world.sites[product]._replace(folder=tmp_path / product, port=free_port(), text=text)
    with started({product: site}):
        found = ask(site.port, "kv-contoso-shop.vault.azure.net")
    assert [str(rrset) for rrset in found.answer] == ["kv-contoso-shop.vault.azure.net. 10 IN A 10.1.2.12"]


@pytest.mark.parametrize("product", ["unbound", "bind"])
@pytest.mark.parametrize("name", ["shop.example.org", "vault.example.org"])
def test_an_alias_elsewhere_leads_to_the_private_address(world: World, product: str, name: str) -> None:
    """The others take the whole answer of the server that has the alias: docs/behind.md."""
    target = ask(world.daemon.port, name).answer[0][0].target.to_text()
    assert addresses(ask(world.ports[product], name)) == world.daemon.addresses(target)
