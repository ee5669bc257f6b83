"""Rules between the suffixes of `catalogue.suffixes`, the built-in catalogue, and the hosts that pldns itself needs.

Takes suffixes whose texts are valid one by one. Each rule yields what is wrong, with the item and its key.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple
from urllib.parse import urlsplit

from resolver.config.catalogue import SuffixSection
from zones.azure.catalogue import catalogue
from zones.azure.catalogue_table import SharedBy, Suffix, check_mapping
from zones.azure.clouds import CLOUDS
from zones.azure.suffix_trie import Labels, SuffixTrie, example_below, is_placeholder, pattern
from zones.dns.name import from_text, labels, to_text


class SuffixFault(NamedTuple):
    """What is wrong with the key `key` of one item of the list."""

    item: int
    key: str
    message: str


def settings_of(section: SuffixSection) -> Suffix:
    """Return a suffix of the configuration for the catalogue. Raises `ValueError` for an impossible mapping."""
    shared = SharedBy(section.shared) if section.shared else None
    return Suffix(section.public, section.private, section.types, section.groups, shared)


def faults(suffixes: Sequence[SuffixSection], managements: Iterable[str]) -> Iterator[SuffixFault]:
    """Yield the suffixes that cannot be used. `managements` are the origins of the Resource Managers of the sources."""
    hosts = {host for cloud in CLOUDS.values() for host in (cloud.authority, _host(cloud.management))}
    hosts |= {_host(origin) for origin in managements}
    for index, suffix in enumerate(suffixes):
        try:
            check_mapping(suffix.public, suffix.private)
        except ValueError as error:
            yield SuffixFault(index, "private", str(error))
        if covered := _covered(suffix.public, sorted(hosts)):
            yield SuffixFault(
                index, "public", f"`{suffix.public}` covers `{covered}`, which pldns asks for the endpoints in Azure"
            )
        for earlier in range(index):
            if _are_alike(suffixes[earlier], suffix):
                yield SuffixFault(
                    index, "public", f"`{suffix.public}` is already in suffixes[{earlier}], for the same endpoints"
                )
                break


def shadowed(suffixes: Sequence[SuffixSection]) -> Iterator[SuffixFault]:
    """Yield the suffixes that give names another private zone than the built-in catalogue does."""
    if not suffixes:
        return
    own, configured = catalogue(), catalogue(tuple(map(settings_of, suffixes)))
    for index, suffix in enumerate(suffixes):
        probe = example_below(pattern(suffix.public))
        for kind, group in product(suffix.types or ("",), suffix.groups or ("",)):
            before, after = (each.map(probe, kind, (group,)) for each in (own, configured))
            if before and after and before.name != after.name and own.covers(probe):
                message = (
                    f"names below `{suffix.public}` are in `{suffix.private}` now; without this suffix, "
                    f"`{to_text(probe)}` is `{to_text(before.name)}` in `{to_text(before.zone)}`"
                )
                yield SuffixFault(index, "public", message)
                break


def _host(origin: str) -> str:
    return urlsplit(origin).hostname or ""


def _covered(public: str, hosts: Iterable[str]) -> str:
    """Return the first host that is at or below the suffix; empty where there is none."""
    suffixes: SuffixTrie[bool] = SuffixTrie()
    suffixes.add(pattern(public), value=True)
    return next((host for host in hosts if host and suffixes.at_or_below(labels(from_text(host)))), "")


def _are_alike(one: SuffixSection, other: SuffixSection) -> bool:
    """Return whether two suffixes are for the same names of the same endpoints."""
    return _form(one.public) == _form(other.public) and all(
        not mine or not theirs or not {each.casefold() for each in mine}.isdisjoint(map(str.casefold, theirs))
        for mine, theirs in ((one.types, other.types), (one.groups, other.groups))
    )


def _form(public: str) -> Labels:
    """Return the labels of a suffix, all placeholders alike."""
    return tuple(b"{}" if is_placeholder(label) else label for label in pattern(public))
