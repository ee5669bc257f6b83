"""The suffixes of an estate that other resolvers forward to pldns.

Owns which names count: those of served endpoints, the origins of static zones, and names that are never asked upstream.
Does not know the names of reverse zones: pldns has PTR records, but the reverse zones are usually elsewhere.
"""

from collections.abc import Iterable, Iterator

from resolver.control.estate.estate import Estate
from zones.azure import forwarded_suffixes
from zones.dns.name import Name


def suffixes(estate: Estate, private_only: Iterable[Name]) -> set[Name]:
    """Return the suffixes. Some may lie below others: see `forwarded_suffixes.topmost`."""
    catalogue = estate.ledger.catalogue
    origins = {*estate.static, *estate.static.awaited}
    private = {origin for origin in origins if catalogue.zone_of(origin) is not None}
    names = {*_claimed(estate), *private, *_provided(estate, private)}
    return forwarded_suffixes.of_names(names, catalogue) | (origins - private) | set(private_only)


def _claimed(estate: Estate) -> Iterator[Name]:
    """Yield the public and private names of all served endpoints."""
    for claim in estate.ledger.served():
        yield claim.public
        yield claim.name
        if (derived := estate.ledger.catalogue.public(claim.name)) is not None:
            yield derived


def _provided(estate: Estate, zones: Iterable[Name]) -> Iterator[Name]:
    """Yield the public names of the records in private-link zones."""
    for origin in zones:
        for name in estate.static[origin].names if origin in estate.static else ():
            if (public := estate.ledger.catalogue.public(name)) is not None:
                yield public
