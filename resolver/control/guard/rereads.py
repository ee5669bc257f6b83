"""Resources that are read again by their ids, and data with those resources as they were found. Pure."""

from collections.abc import Mapping

import msgspec

from resolver.sources.reading import Reading
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Nic, Resources, subscription

Rereads = Mapping[ResourceId, Resources | str | None]
"""By key of a resource: the resource as it was found, None where it is gone, or the reason why it could not be read."""


def with_resource(data: Resources, key: ResourceId, found: Resources | None) -> Resources:
    """Return the data of a subscription with this resource as it was found; None: the resource is gone.

    The NICs of an endpoint are replaced with it.
    """
    nics = {nic.key for nic in nics_of(data, {key})}
    rest = Resources(
        tuple(each for each in data.endpoints if each.key != key),
        tuple(each for each in data.nics if each.key not in nics),
        tuple(each for each in data.vnets if each.key != key),
        tuple(fault for fault in data.faults if fault.subject.casefold() not in {key, *nics}),
    )
    return Resources.joined((found, rest)) if found else rest


def with_rereads(reading: Reading, rereads: Rereads) -> Reading:
    """Return a reading with these resources as they were when they were read again, after the reading had begun."""
    parts = dict(reading.parts)
    for key, found in rereads.items():
        if not isinstance(found, str) and (part := subscription(key)) in parts:
            parts[part] = with_resource(parts[part], key, found)
    return msgspec.structs.replace(reading, parts=parts)


def nics_of(data: Resources, endpoints: set[ResourceId]) -> tuple[Nic, ...]:
    """Return the NICs of the endpoints with these keys."""
    named = {nic for endpoint in data.endpoints if endpoint.key in endpoints for nic in endpoint.nics}
    return tuple(nic for nic in data.nics if nic.endpoint in endpoints or nic.key in named)
