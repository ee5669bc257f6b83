"""How other resolvers are configured to forward suffixes to pldns: complete text in the syntax of each product.

Forwarded answers are private and unsigned, and public DNS may deny that their names exist. So each product also gets an
exemption from rebinding protection and from DNSSEC validation, where it has these. Does not know where the suffixes
come from. Every text ends up in a test that runs the product, where Debian has a package of it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

from resolver.cli.options import ForwarderProduct
from resolver.host_port import HostPort
from zones.azure.catalogue import catalogue
from zones.dns.name import from_text


class UnsupportedForwarding(ValueError):  # noqa: N818 - says what the product cannot do
    """The product cannot forward to this address, or not these suffixes."""


DNS_PORT: Final = 53
_RULESET_RULES: Final = 1000
"""Rules that a ruleset holds (learn.microsoft.com/azure/dns/private-resolver-endpoints-rulesets)."""
_RULE_NAME: Final = 80
"""Characters of a rule's name."""
_SPECIAL: Final = ("arpa", "home.arpa", "invalid", "localhost", "onion", "test")
"""Domains below which Unbound has local zones of its own (RFC 6303, RFC 6761)."""


def text(product: ForwarderProduct, suffixes: Sequence[str], servers: Sequence[HostPort]) -> Iterator[str]:
    """Yield the lines that make a product forward these suffixes to pldns at these addresses.

    The suffixes have no final dot. Raises `UnsupportedForwarding`.
    """
    marks = {ForwarderProduct.BIND: "//", ForwarderProduct.KNOT_RESOLVER: "--"}
    mark = marks.get(product, "#")
    yield f"{mark} Forwards the names of private endpoints to pldns at {', '.join(map(_shown, servers))}."
    yield from (f"{mark} {line}" for line in _USE[product])
    yield from _SYNTAX[product](suffixes, servers)


_USE: Final[dict[ForwarderProduct, Sequence[str]]] = {
    ForwarderProduct.UNBOUND: (
        "Save as /etc/unbound/unbound.conf.d/pldns.conf and run `unbound-control reload`.",
    ),
    ForwarderProduct.BIND: (
        "BIND accepts one `options` block: copy the lines inside it to named.conf.options, and the zones to",
        "named.conf.local. Then run `rndc reconfig`.",
    ),
    ForwarderProduct.DNSMASQ: (
        "Save as /etc/dnsmasq.d/pldns.conf and restart dnsmasq. dnsmasq does not validate answers of such servers.",
    ),
    ForwarderProduct.COREDNS: ("Append to the Corefile.",),
    ForwarderProduct.KNOT_RESOLVER: (
        "Insert into /etc/knot-resolver/kresd.conf before other policy rules, and restart kresd. STUB forwards without",
        "DNSSEC validation. The documentation of Knot Resolver has NO_CACHE for domains that public DNS may deny.",
    ),
    ForwarderProduct.WINDOWS: (
        "Run in PowerShell on the DNS server. With Active Directory, add `-ReplicationScope Forest` to each line.",
    ),
    ForwarderProduct.AZURE_RULESET: (
        "Run in a shell with the variables RULESET, the ruleset's name, and RESOURCE_GROUP. Do not link the ruleset to",
        "the virtual network of pldns if pldns asks Azure's DNS (168.63.129.16): the queries would loop.",
    ),
}  # fmt: skip


def _unbound(suffixes: Sequence[str], servers: Sequence[HostPort]) -> Iterator[str]:
    yield "server:"
    if any(server.address.is_loopback for server in servers):
        yield "    do-not-query-localhost: no"
    if any(catalogue().forwarder(from_text(suffix)) is None for suffix in suffixes):
        yield "    # A domain may not exist in public DNS: no answer for the name above it may deny the domain."
        yield "    harden-below-nxdomain: no"
    for suffix in suffixes:
        yield f'    private-domain: "{suffix}"'
        yield f'    domain-insecure: "{suffix}"'
        if any(f".{suffix}".endswith(f".{special}") for special in _SPECIAL):
            yield f'    local-zone: "{suffix}" transparent'
    for suffix in suffixes:
        yield "forward-zone:"
        yield f'    name: "{suffix}"'
        yield from (f"    forward-addr: {_with_port(server, '@')}" for server in servers)


def _bind(suffixes: Sequence[str], servers: Sequence[HostPort]) -> Iterator[str]:
    names = " ".join(f'"{suffix}";' for suffix in suffixes)
    yield "options {"
    yield "    validate-except {"
    yield from (f'        "{suffix}";' for suffix in suffixes)
    yield "    };"
    yield "    // Where `deny-answer-addresses` is set, end it with:"
    yield f"    // except-from {{ {names} }};"
    yield "};"
    addresses = " ".join(f"{_with_port(server, ' port ')};" for server in servers)
    for suffix in suffixes:
        yield f'zone "{suffix}" {{ type forward; forward only; forwarders {{ {addresses} }}; }};'


def _dnsmasq(suffixes: Sequence[str], servers: Sequence[HostPort]) -> Iterator[str]:
    for suffix in suffixes:
        yield from (f"server=/{suffix}/{_with_port(server, '#')}" for server in servers)
        yield f"rebind-domain-ok=/{suffix}/"


def _coredns(suffixes: Sequence[str], servers: Sequence[HostPort]) -> Iterator[str]:
    yield f"{' '.join(suffixes)} {{"
    yield f"    forward . {' '.join(map(_shown, servers))}"
    yield "    cache"
    yield "    errors"
    yield "}"


def _knot_resolver(suffixes: Sequence[str], servers: Sequence[HostPort]) -> Iterator[str]:
    yield "local forwarded = policy.todnames({"
    yield from (f"    '{suffix}'," for suffix in suffixes)
    yield "})"
    yield "policy.add(policy.suffix(policy.FLAGS({'ALLOW_LOCAL', 'NO_CACHE'}), forwarded))"
    addresses = ", ".join(f"'{_with_port(server, '@')}'" for server in servers)
    yield f"policy.add(policy.suffix(policy.STUB({{{addresses}}}), forwarded))"


def _windows(suffixes: Sequence[str], servers: Sequence[HostPort]) -> Iterator[str]:
    for server in servers:
        if server.port != DNS_PORT:
            raise UnsupportedForwarding(f"{server}: Windows DNS Server asks other servers on port {DNS_PORT} only")
    addresses = ",".join(server.host for server in servers)
    for suffix in suffixes:
        yield f'Add-DnsServerConditionalForwarderZone -Name "{suffix}" -MasterServers {addresses}'


def _azure_ruleset(suffixes: Sequence[str], servers: Sequence[HostPort]) -> Iterator[str]:
    for suffix in suffixes:
        if "." not in suffix:
            raise UnsupportedForwarding(f"{suffix}: a rule of Azure needs a domain of at least two labels")
    if len(suffixes) > _RULESET_RULES:
        raise UnsupportedForwarding(f"{len(suffixes)} suffixes: a ruleset of Azure holds {_RULESET_RULES} rules")
    targets = ", ".join(f'{{"ip-address": "{server.host}", "port": {server.port}}}' for server in servers)
    for suffix in suffixes:
        yield (
            f'az dns-resolver forwarding-rule create -g "$RESOURCE_GROUP" --ruleset-name "$RULESET" '
            f"-n {_rule_name(suffix)} --domain-name {suffix}. --target-dns-servers '[{targets}]'"
        )


def _rule_name(suffix: str) -> str:
    """Return a name of letters, digits, `_` and `-` that begins with a letter. Long ones end in a hash."""
    name = f"pldns-{suffix.replace('.', '_')}"
    digest = sha256(suffix.encode()).hexdigest()[:8]
    return name if len(name) <= _RULE_NAME else f"{name[: _RULE_NAME - 9]}-{digest}"


_SYNTAX: Final[dict[ForwarderProduct, Callable[[Sequence[str], Sequence[HostPort]], Iterable[str]]]] = {
    ForwarderProduct.UNBOUND: _unbound,
    ForwarderProduct.BIND: _bind,
    ForwarderProduct.DNSMASQ: _dnsmasq,
    ForwarderProduct.COREDNS: _coredns,
    ForwarderProduct.KNOT_RESOLVER: _knot_resolver,
    ForwarderProduct.WINDOWS: _windows,
    ForwarderProduct.AZURE_RULESET: _azure_ruleset,
}


def _with_port(server: HostPort, separator: str) -> str:
    """Return the address, and the port after a separator where it is not 53."""
    return server.host if server.port == DNS_PORT else f"{server.host}{separator}{server.port}"


def _shown(server: HostPort) -> str:
    return str(server) if server.port != DNS_PORT or server.address.version == 6 else server.host
