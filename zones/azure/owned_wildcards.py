"""The private wildcards that an endpoint owns in place of a public wildcard that its resource shares with others.

A private wildcard that Azure itself has comes before those of the catalogue. Does not know claims and findings.
"""

from zones.azure.catalogue import Catalogue, SharedWildcard
from zones.azure.endpoint import Endpoint, NicRecord
from zones.dns.name import Name


def shared_wildcard(endpoint: Endpoint, fqdn: Name, catalogue: Catalogue) -> SharedWildcard | None:
    """Return what an endpoint has instead of a wildcard that its resource shares with others; None for its own."""
    others = (record.fqdn for record in endpoint.records)
    return catalogue.shared_wildcard(fqdn, endpoint.target_type, endpoint.groups, others)


def private_wildcards(record: NicRecord, shared: SharedWildcard) -> tuple[Name, ...]:
    """Return the private wildcards that an endpoint owns for a shared one: Azure's own, if the catalogue has others."""
    derived = tuple(private.name for private in shared.privates)
    return derived if record.private is None or record.private in derived else (record.private,)
