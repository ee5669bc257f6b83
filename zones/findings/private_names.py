"""Findings about private names that Azure itself has and the catalogue does not derive. Takes plain values."""

from collections.abc import Iterator, Sequence

from zones.dns.name import Name, to_text
from zones.findings.evidence import listed
from zones.findings.finding import Finding, finding
from zones.findings.source_evidence import MorePrivateNamesDiffer, PrivateNamePair, PrivateNamesDiffer


def of_private_name(fqdn: Name, holders: Sequence[tuple[str, Name, Name]]) -> Iterator[Finding]:
    """The finding about an FQDN. `holders`: id of an endpoint, the private name that Azure has, the derived one."""
    if holders:
        names = [PrivateNamePair(key, to_text(azure), to_text(derived)) for key, azure, derived in holders]
        yield finding(to_text(fqdn), PrivateNamesDiffer(private_names=listed(names)))


def more_private_names(total: int, most: int) -> Iterator[Finding]:
    """The finding about FQDNs that have no finding of their own, because there are too many."""
    if total > most:
        yield finding("private names", MorePrivateNamesDiffer(names_listed=most, names_total=total))
