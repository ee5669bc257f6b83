"""Search on the map: by the name or id of an endpoint, by its FQDNs, addresses and target, and by VNet and network.

An exact name or address costs a look-up. Another text is compared with everything, in steps, between which the caller
lets other work run. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address
from typing import Final, NamedTuple

from resolver.admin.estate_map.census import Census
from resolver.admin.estate_map.node_ids import Kind
from resolver.control.estate.estate import Estate
from zones.azure.endpoint import Endpoint, ResourceId
from zones.dns.name import InvalidName, Name, from_text, to_text

HITS: Final = 20
"""Most hits that are listed."""
STEP: Final = 1_000


class Hit(NamedTuple):
    """A node that was found. `reason`: the name, address or target that has the text; empty where its own name has."""

    id: str
    kind: Kind
    label: str
    note: str
    reason: str


class Search:
    """A search for a text. `hits` has the first `HITS`, `total` counts all."""

    def __init__(self, estate: Estate, census: Census, text: str) -> None:
        self.hits: list[Hit] = []
        self.total = 0
        self._estate = estate
        self._census = census
        self._text = text.strip().casefold().rstrip(".")
        self._found: set[str] = set()

    def steps(self) -> Iterator[None]:
        """Search. The estate may change between two steps."""
        estate, text = self._estate, self._text
        if not text:
            return
        for key in self._exact():
            if endpoint := estate.ledger.endpoints.get(key):
                self._add(_hit(endpoint, text))
        for name in () if estate.networks.implicit else [each.name for each in estate.networks.now]:
            if text in name.casefold() and estate.networks.named(name):
                self._add(Hit(f"{Kind.NETWORK}:{name}", Kind.NETWORK, name, "", ""))
        for vnet in self._census.vnets:
            if text in vnet:
                self._add(Hit(f"{Kind.VNET}:{vnet}", Kind.VNET, vnet.rpartition("/")[2], _group(vnet), ""))
        yield
        pattern = _pattern(text)
        endpoints = list(estate.ledger.endpoints.values())
        for start in range(0, len(endpoints), STEP):
            self._search(endpoints[start : start + STEP], pattern)
            yield

    def _search(self, endpoints: Sequence[Endpoint], pattern: re.Pattern[bytes] | None) -> None:
        text = self._text
        # Most steps have no hit among names and targets, which one search in all of these together shows.
        names = b"\0".join([record.fqdn for endpoint in endpoints for record in endpoint.records])
        in_names = pattern if pattern and pattern.search(names) else None
        in_targets = text in "\n".join([endpoint.target for endpoint in endpoints]).casefold()
        for endpoint in endpoints:
            if text in endpoint.key:
                self._add(_hit(endpoint, ""))
            elif in_names and (fqdn := next((each for each in _fqdns(endpoint) if in_names.search(each)), None)):
                self._add(_hit(endpoint, to_text(fqdn)))
            elif in_targets and text in endpoint.target.casefold():
                self._add(_hit(endpoint, endpoint.target))

    def _exact(self) -> Iterable[ResourceId]:
        """Return the endpoints with exactly this address, or that claim exactly this name."""
        ledger = self._estate.ledger
        try:
            return ledger.with_address(ip_address(self._text).packed)
        except ValueError:
            pass
        try:
            return dict.fromkeys(claim.endpoint for claim in ledger.find(from_text(self._text)))
        except InvalidName:
            return ()

    def _add(self, hit: Hit) -> None:
        if hit.id in self._found:
            return
        self._found.add(hit.id)
        self.total += 1
        if len(self.hits) < HITS:
            self.hits.append(hit)


def _fqdns(endpoint: Endpoint) -> Iterable[Name]:
    return (record.fqdn for record in endpoint.records)


def _hit(endpoint: Endpoint, reason: str) -> Hit:
    return Hit(f"{Kind.ENDPOINT}:{endpoint.key}", Kind.ENDPOINT, endpoint.name, _group(endpoint.vnet), reason)


def _group(key: str) -> str:
    """Return the VNet and its resource group; for a VNet itself, that is its own name again."""
    parts = key.split("/")
    return f"{parts[-1]} ({parts[4]})" if len(parts) > 8 else key


def _pattern(text: str) -> re.Pattern[bytes] | None:
    """Return what finds a text in names in wire format; None for a text that no name has.

    A dot is the length octet of the label after it. The last label may go on after the text.
    """
    try:
        labels = text.encode("ascii").split(b".")
    except UnicodeEncodeError:
        return None
    if any(len(label) > 63 for label in labels):
        return None
    return re.compile(b"[\\x01-\\x3f]".join(map(re.escape, labels)))
