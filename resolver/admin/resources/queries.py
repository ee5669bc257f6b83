"""Live queries as JSON, and the parameters that choose them."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated

from pydantic import Field

from resolver.admin.access.problems import Code, Refused
from resolver.admin.resources.model import Model, OneOf, Parameters, Time, time_text
from resolver.admin.resources.query_origins import QueryOrigin, records
from resolver.channel.watched_queries import QueryFilter, WatchedQuery
from resolver.wire import codes
from zones.dns.name import InvalidName, from_text, to_text


class QueryParameters(Parameters):
    """Query parameters of `/v1/queries`."""

    name: str | None = Field(default=None, description="Only this name and names below it.")
    client: str | None = Field(
        default=None,
        description="Only clients with this address, or in this network as CIDR. For the role `read`, at most 24 bits "
        "(IPv6: 56).",
    )
    rcode: str | None = Field(default=None, description="Only replies with this rcode, for example `NXDOMAIN`.")
    network: str | None = Field(default=None, description="Only clients in this network; `none`: in no network.")
    origin: tuple[Annotated[QueryOrigin, OneOf(QueryOrigin)], ...] = Field(
        default=(), description="Only answers of this origin."
    )
    seconds: float = Field(default=0.0, ge=0, le=60, description="Only queries that took at least this long.")


class QueryItem(Model):
    """A query that was answered."""

    at: Time
    proto: str = Field(description="`udp`, `tcp`, `tls` or `https`.")
    client: str = Field(description="Its address; for the role `read`, the network around it: `10.1.0.0/24`.")
    network: str = Field(description="`none`: the client is in no network; empty: it may not ask.")
    name: str
    type: str
    rcode: str
    origin: QueryOrigin = Field(
        description="Where the answer comes from: `endpoint`; `zone`, a zone file or a private DNS zone; `fallback`, "
        "an upstream server although the name may be private; `upstream`, for all other names; `pldns` itself: special "
        "names, names that the configuration denies, and refused queries. Found from the estate as it is when the "
        "query is shown."
    )
    answer: list[str] | None = Field(
        description="The first 16 records of the answer as type and data, such as `A 10.1.0.4`; null where the reply "
        "is longer than 512 octets."
    )
    octets: int = Field(description="Size of the reply.")
    seconds: float = Field(
        description="From reading the packet to sending the reply. Repeated packets over UDP are answered together."
    )


def query_filter(asked: QueryParameters) -> QueryFilter:
    """Return the filter that parameters describe. Raises a 400 for an invalid value. The caller checks the network."""
    under = prefix = rcode = None
    if asked.name is not None:
        try:
            under = from_text(asked.name)
        except InvalidName as error:
            raise Refused(Code.INVALID_PARAMETER, f"name: {error}") from None
    if asked.client is not None:
        try:
            clients = ip_network(asked.client)
        except ValueError as error:
            raise Refused(Code.INVALID_PARAMETER, f"client: {error}") from None
        prefix = clients.network_address.packed, clients.prefixlen
    if asked.rcode is not None:
        rcode = next((number for number in range(16) if codes.rcode_text(number) == asked.rcode.upper()), None)
        if rcode is None:
            raise Refused(Code.INVALID_PARAMETER, f"rcode: {asked.rcode[:40]!r} is not an rcode")
    return QueryFilter(under, prefix, rcode, asked.network, asked.seconds)


def query_item(found: WatchedQuery, origin: QueryOrigin, address_text: Callable[[bytes], str]) -> QueryItem:
    """Return a query as JSON. `address_text` returns the text of a client's address.

    Raises `ValueError` or IndexError for one that a worker has made up.
    """
    return QueryItem(
        at=time_text(found.at), proto=found.proto, client=address_text(found.client), network=found.network,
        name=to_text(found.name), type=codes.type_text(found.qtype), rcode=codes.rcode_text(found.rcode),
        origin=origin, answer=[f"{rtype} {data}" for rtype, data in records(found.reply)] if found.reply else None,
        octets=found.octets, seconds=found.seconds,
    )  # fmt: skip
