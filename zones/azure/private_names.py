"""Pairs the FQDNs of one endpoint with the record sets that Azure wrote for the endpoint: the private names.

Azure does not say for which FQDN it wrote a record set. A record set can belong to an FQDN if both have an address
in common. The leading labels decide between several: `ws.westeurope.privatelink.notebooks.azure.net` shares all labels
with `ws.westeurope.notebooks.azure.net` except `privatelink`. A record set that could belong to two FQDNs belongs to
none. Does not know the catalogue, or where the record sets were read.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from zones.azure.suffix_trie import is_private_label
from zones.dns.name import Name, is_wildcard, labels

NamedAddresses = Mapping[Name, AbstractSet[bytes]]
"""Packed addresses by name."""


def matched(fqdns: NamedAddresses, records: NamedAddresses) -> dict[Name, Name]:
    """Return the private name of each FQDN to which a record set belongs. Both are names of one endpoint.

    The pairs with the most leading labels in common go first. A pair without a common label is one only where no other
    FQDN and no other record set is left at its addresses. A wildcard belongs only to a wildcard.
    """
    pairs: dict[int, list[tuple[Name, Name]]] = defaultdict(list)
    for fqdn, addresses in fqdns.items():
        for name, others in records.items():
            if is_wildcard(fqdn) == is_wildcard(name) and not addresses.isdisjoint(others):
                pairs[_likeness(fqdn, name)].append((fqdn, name))
    found: dict[Name, Name] = {}
    tried_fqdns: set[Name] = set()
    tried_names: set[Name] = set()
    for likeness in sorted(pairs, reverse=True):
        alike = [(f, n) for f, n in pairs[likeness] if f not in tried_fqdns and n not in tried_names]
        times_fqdn, times_name = Counter(fqdn for fqdn, _ in alike), Counter(name for _, name in alike)
        clear = {f: n for f, n in alike if times_fqdn[f] == times_name[n] == 1}
        if not likeness:
            left = _at_addresses(fqdns, fqdns.keys() - found.keys())
            left_records = _at_addresses(records, records.keys() - set(found.values()))
            clear = {
                f: n for f, n in clear.items() if all(left[a] == left_records[a] == 1 for a in fqdns[f] & records[n])
            }
        found |= clear
        tried_fqdns.update(times_fqdn)
        tried_names.update(times_name)
    return found


def is_plausible(fqdn: Name, name: Name) -> bool:
    """Return whether a pair needs no further evidence that both names belong to one endpoint.

    They share a leading label, or the FQDN is the end of the private name without `privatelink`:
    `portal.privatelink.adf.azure.com` for `adf.azure.com`.
    """
    return _likeness(fqdn, name) > 0 or labels(fqdn) == _bare(name)[-len(labels(fqdn)) :]


def _at_addresses(named: NamedAddresses, names: Iterable[Name]) -> Counter[bytes]:
    """Count these names at each address."""
    return Counter(address for name in names for address in named[name])


def _likeness(fqdn: Name, name: Name) -> int:
    """Return how many leading labels the names share, with or without the label `privatelink` of the private name.

    A private name that is the FQDN with that label added is the most alike.
    """
    public, private, bare = labels(fqdn), labels(name), _bare(name)
    if bare == public != private:
        return len(public) + 1
    return max(_common(public, private), _common(public, bare))


def _bare(name: Name) -> list[bytes]:
    return [label for label in labels(name) if not is_private_label(label)]


def _common(one: list[bytes], other: list[bytes]) -> int:
    """Return the number of equal leading labels. `*` is no label that says whose name it is."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += mine != b"*"
    return count
