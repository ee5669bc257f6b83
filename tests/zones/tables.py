"""Short constructors of tables for the tests of lookups, and outcomes as lines of text."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from zones.azure.catalogue import catalogue
from zones.claims.policy import Policies, ZonePolicy
from zones.claims.row import ALONE, BY_RULE, REFUSED, ClassNumber, Variant, pack
from zones.dns.name import Name, from_text, to_text
from zones.dns.record import ANY, RRset
from zones.dns.zonefile import parse
from zones.networks.network import NetworkMask
from zones.networks.prefixes import NetworkIndex
from zones.table.outcome import Alias, Failure, Found, NoData, NxDomain, Outcome, Outside, Referral, TooLong
from zones.table.table import Table

TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "DNAME": 39, "DS": 43,
    "HTTPS": 65, "ANY": ANY,
}  # fmt: skip
MNEMONICS = {number: text for text, number in TYPES.items()}
BLOB = "privatelink.blob.core.windows.net"
ARM = "Microsoft.Authorization/resourceManagementPrivateLinks"
BOTH, FIRST, SECOND = 0b11, 0b01, 0b10


class TableClaim(NamedTuple):
    """A claim on one FQDN in a set of networks."""

    fqdn: str
    addresses: str = ""
    networks: int = FIRST
    kind: str = ""
    groups: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Other public FQDNs with the same private name."""


def rows(claims: Sequence[TableClaim]) -> dict[Name, bytes]:
    """Return the rows of claims without a contest. A claim without an address becomes a refused contest."""
    variants: dict[Name, list[Variant]] = {}
    for claim in claims:
        fqdn = from_text(claim.fqdn)
        mapping = catalogue().map(fqdn, claim.kind, claim.groups)
        private = mapping.name if mapping else fqdn
        publics = tuple(sorted({fqdn, *map(from_text, claim.also)} - {private}))
        by_rule = publics == (catalogue().public(private),)
        flags = BY_RULE * by_rule | REFUSED * (not claim.addresses) | ALONE * (mapping is None)
        packed = [ip_address(text).packed for text in claim.addresses.split()]
        a, aaaa = (tuple(p for p in packed if len(p) == octets) for octets in (4, 16))
        variants.setdefault(private, []).append(
            Variant(ClassNumber(claim.networks), flags, a, aaaa, () if by_rule else publics)
        )
    return {name: pack(each) for name, each in variants.items()}


def build(
    *claims: TableClaim,
    files: Sequence[str] = (),
    defaults: ZonePolicy | None = None,
    overrides: Mapping[str, ZonePolicy] | None = None,
) -> Table:
    """Return a table with two networks, 0 and 1."""
    table = Table(catalogue(), Policies(defaults or ZonePolicy(chain="cname"), overrides or {}))
    table.masks = {ClassNumber(mask): NetworkMask(mask) for mask in (FIRST, SECOND, BOTH)}
    for name, row in rows(claims).items():
        table.apply(name, row)
    for text in files:
        put_file(table, text)
    return table


def zone_file(text: str) -> str:
    """Return a zone file from the origin and the records. Its negative TTL is 300 seconds."""
    origin, _, records = text.partition("\n")
    return f"$ORIGIN {origin}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\n{records}\n"


def put_file(table: Table, text: str) -> None:
    zone = parse(zone_file(text), "test.zone")
    for name, rrsets in zone.names.items():
        table.apply_static(zone.origin, name, rrsets, is_open=False)


def shown_record(rrset: RRset) -> str:
    if rrset.type in (1, 28):
        data = " ".join(str(ip_address(rdata)) for rdata in rrset.rdatas)
    elif rrset.type in (2, 5, 12, 39):
        data = " ".join(to_text(rdata) for rdata in rrset.rdatas)
    else:
        data = f"at {to_text(rrset.owner)}"
    return f"{MNEMONICS[rrset.type]} {data}"


def shown(outcome: Outcome) -> str:
    match outcome:
        case Found(rrsets=rrsets) | Alias(rrsets=rrsets):
            return ", ".join(map(shown_record, rrsets))
        case NoData(soa=soa):
            return f"NODATA {to_text(soa.owner)}"
        case NxDomain(soa=soa):
            return f"NXDOMAIN {to_text(soa.owner)}"
        case TooLong(rrsets=rrsets):
            return f"YXDOMAIN {to_text(Name(rrsets[0].owner))}"
        case Failure(why=why):
            return f"SERVFAIL {why}"
        case Referral(cut=cut):
            return f"REFERRAL {to_text(cut)}"
        case Outside(zone=zone, group=group):
            return f"PUBLIC {to_text(zone)} {group}".strip() if zone else "OUTSIDE"


def ask(table: Table, question: str, network: int = 0) -> str:
    """Return the answer to `NAME [TYPE]` as a line."""
    name, _, qtype = question.partition(" ")
    return shown(table.lookup(from_text(name), TYPES[qtype or "A"], NetworkIndex(network)))


def outcome(table: Table, question: str, network: int = 0) -> Outcome:
    name, _, qtype = question.partition(" ")
    return table.lookup(from_text(name), TYPES[qtype or "A"], NetworkIndex(network))


ACCT = TableClaim("acct.blob.core.windows.net", "10.0.0.4")
REGISTRY = TableClaim("reg.weu.data.azurecr.io", "10.0.0.7")
ENVIRONMENT = TableClaim("*.env.weu.azurecontainerapps.io", "10.0.0.8")
APP = TableClaim("app.corp.example", "10.0.0.9")
