"""Private names as JSON: their answers in each network, and the endpoints and rules behind the answers.

Decides nothing: the ledger chooses the winners. Time is an argument.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

import dns.rdata
import dns.rdataclass
import dns.rdatatype
from pydantic import Field

from resolver.admin.resources.endpoints import address_texts
from resolver.admin.resources.model import ListParameters, Model
from resolver.admin.resources.networks import network_names
from resolver.admin.resources.zones import static_source, static_zone_of
from resolver.control.estate.estate import Estate
from zones.claims import contest
from zones.clocks import WallTime
from zones.dns.name import Name, canonical_key, to_text
from zones.dns.record import AAAA, A, RRset
from zones.networks.network import NetworkMask

_ALL: Final = NetworkMask(-1)


class NameAnswer(Model):
    """The answer for one name and type in some networks, and why."""

    networks: list[str]
    networks_total: int
    rcode: Literal["NOERROR", "SERVFAIL"]
    type: str | None = Field(description="null where every type gets SERVFAIL.")
    ttl: int | None = Field(description="Seconds.")
    data: list[str] = Field(description="Records in presentation form.")
    endpoints: list[str] = Field(description="Endpoints that won; empty in a contest that `refuse` left undecided.")
    losers: list[str] = Field(description="Endpoints that lost.")
    rule: str = Field(description="The rule that decided; empty where there was nothing to decide.")


class NameItem(Model):
    """A private name and its answers."""

    name: str
    source: Literal["endpoints", "file", "private-dns"]
    public: list[str] = Field(description="Public FQDNs that lead to this name.")
    configured: list[str] = Field(
        description="FQDNs among these, or this name itself, that `names` in the configuration gives to an endpoint."
    )
    answers: list[NameAnswer]


class NameParameters(ListParameters):
    """Query parameters of `/v1/zones/{zone}/records`."""

    name: tuple[str, ...] = Field(default=(), description="Only this private name, or that of this public FQDN.")
    network: tuple[str, ...] = Field(default=(), description="Only names with an answer in this network.")
    search: str = Field(default="", max_length=255, description="Only private names with this text.")


def name_item(estate: Estate, name: Name, now: WallTime, mask: NetworkMask = _ALL) -> NameItem | None:
    """Return a private name as it is answered: from a zone file, else from endpoints; None when neither has it.

    `mask` selects the networks to report; -1 selects all.
    """
    file = estate.static.get(static_zone_of(estate, name) or name)
    if file and name in file.names:
        answers = [_static_answer(estate, rrset) for rrset in file.names[name]]
        return NameItem(
            name=to_text(name), source=static_source(estate, file.origin), public=[], configured=[], answers=answers
        )
    verdicts = [verdict for verdict in estate.ledger.verdicts(name, now) if verdict.mask & mask]
    if not verdicts:
        return None
    public = {public for verdict in verdicts for public in verdict.publics} - {name}
    return NameItem(
        name=to_text(name), source="endpoints", public=[to_text(each) for each in sorted(public, key=canonical_key)],
        configured=list(_configured(estate, name)),
        answers=[answer for verdict in verdicts for answer in _answers(estate, name, verdict)],
    )  # fmt: skip


def networks_of(estate: Estate, name: Name, now: WallTime) -> NetworkMask:
    """Return the networks in which a private name has an answer."""
    file = estate.static.get(static_zone_of(estate, name) or name)
    if file and name in file.names:
        return estate.networks.all
    mask = 0
    for verdict in estate.ledger.verdicts(name, now):
        mask |= verdict.mask
    return NetworkMask(mask)


def _configured(estate: Estate, name: Name) -> Iterator[str]:
    """Yield the FQDNs that lead to a private name and that the configuration gives to an endpoint."""
    claims = estate.ledger.find(name) if estate.settings.names else ()
    for public in dict.fromkeys(claim.public for claim in claims if claim.name == name):
        if any(estate.ledger.holder(claim.endpoint).has_configured(public) for claim in claims):
            yield to_text(public)


def _static_answer(estate: Estate, rrset: RRset) -> NameAnswer:
    networks, total = network_names(estate, estate.networks.all)
    return NameAnswer(
        networks=networks, networks_total=total, rcode="NOERROR", type=dns.rdatatype.to_text(_type(rrset.type)),
        ttl=rrset.ttl, data=rdata_texts(rrset), endpoints=[], losers=[], rule="",
    )  # fmt: skip


def _answers(estate: Estate, name: Name, verdict: contest.Verdict) -> Iterator[NameAnswer]:
    """Yield one answer for each type, or a single SERVFAIL where the policy `refuse` leaves the contest undecided."""
    if verdict.refused:
        refused = next(ruling for ruling in verdict.rulings if ruling.rule == "refuse")
        yield _answer(estate, name, verdict, refused, None, ())
        return
    # The ruling for A comes first. A single ruling covers both address families.
    for rtype, addresses, at in ((A, verdict.a, 0), (AAAA, verdict.aaaa, -1)):
        if addresses:
            yield _answer(estate, name, verdict, verdict.rulings[at], rtype, addresses)


def _answer(
    estate: Estate, name: Name, verdict: contest.Verdict, ruling: contest.Ruling, rtype: int | None,
    addresses: Sequence[bytes],
) -> NameAnswer:  # fmt: skip
    networks, total = network_names(estate, verdict.mask)
    id_of = {key: estate.ledger.holder(key).id for key in (*ruling.winners, *ruling.losers)}
    return NameAnswer(
        networks=networks, networks_total=total, rcode="NOERROR" if rtype else "SERVFAIL",
        type=dns.rdatatype.to_text(_type(rtype)) if rtype else None,
        ttl=estate.policies.of(estate.ledger.catalogue.zone_of(name)).ttl if rtype else None,
        data=address_texts(addresses),
        endpoints=[id_of[key] for key in ruling.winners], losers=[id_of[key] for key in ruling.losers],
        rule=ruling.rule,
    )  # fmt: skip


def rdata_texts(rrset: RRset) -> list[str]:
    """Return the records of an RRset in presentation form, without owner, TTL and type."""
    return [
        dns.rdata.from_wire(dns.rdataclass.IN, _type(rrset.type), rdata, 0, len(rdata)).to_text()
        for rdata in rrset.rdatas
    ]


def _type(number: int) -> dns.rdatatype.RdataType:
    return dns.rdatatype.RdataType.make(number)
