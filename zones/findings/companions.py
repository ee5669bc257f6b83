"""Findings about endpoints whose clients need another endpoint that their network does not see. Takes plain values."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from zones.azure.companions import Companions
from zones.azure.endpoint import Endpoint
from zones.findings.checks import in_networks
from zones.findings.endpoint_evidence import CompanionMissing, MissingCompanion
from zones.findings.evidence import listed
from zones.findings.finding import Finding, finding
from zones.networks.network import NetworkMask, Networks


def of_companions(endpoints: Iterable[Endpoint], networks: Networks, companions: Companions) -> Iterator[Finding]:
    """Findings about targets with an endpoint whose companion some network does not see.

    `endpoints` are all with one `Companions.key`.
    """
    holders: dict[str, list[Endpoint]] = defaultdict(list)
    for endpoint in endpoints:
        for group in endpoint.groups if endpoint.served else ():
            holders[group.casefold()].append(endpoint)
    needs = [(group, need) for group in sorted(holders) if (need := companions.need(group, holders[group][0]))]
    if not needs:
        return
    missing: dict[str, list[MissingCompanion]] = defaultdict(list)
    lacking: dict[str, int] = defaultdict(int)
    subjects: dict[str, str] = {}
    """The id of each target as an endpoint writes it, by the form to compare."""
    for group, need in needs:
        seen = _visible_to(holders.get(need.group, ()), networks)
        targets: dict[str, list[Endpoint]] = defaultdict(list)
        for endpoint in holders[group]:
            targets[endpoint.target_key].append(endpoint)
        for target, each in targets.items():
            if mask := _visible_to(each, networks) & ~seen:
                ids = listed(sorted(endpoint.id for endpoint in each))
                missing[target].append(MissingCompanion(group, need.group, ids, need.within))
                lacking[target] |= mask
                subjects[target] = min(subjects.get(target, each[0].target), *(endpoint.target for endpoint in each))
    for target, items in missing.items():
        fact = finding(subjects[target], CompanionMissing(missing=tuple(items)))
        yield in_networks(fact, networks, NetworkMask(lacking[target]))


def _visible_to(endpoints: Iterable[Endpoint], networks: Networks) -> int:
    mask = 0
    for endpoint in endpoints:
        mask |= networks.sees(endpoint)
    return mask
