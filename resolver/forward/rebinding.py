"""Removes records from upstream answers: private addresses in answers of guarded groups, and address hints.

A public name with a private address lets a web page reach servers behind the firewall (DNS rebinding). Groups with
private servers may have such addresses; the configuration says which groups are guarded. Pure. The cache keeps the
unchanged answer: records are removed at every read.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from resolver.settings import UpstreamGroup
from resolver.wire import codes, svcb
from zones.azure.catalogue import Catalogue
from zones.dns.name import Name, ancestry, from_text
from zones.dns.record import AAAA, RRSIG, A, RRset
from zones.networks.private_addresses import is_private

_SERVICES: Final = frozenset((codes.SVCB, codes.HTTPS))
_OWNER: Final = b"\0"
"""TargetName of a record whose target is its own owner."""


class Screened(NamedTuple):
    """The remaining records. `stripped`: a private address was removed. `changed`: anything was removed."""

    rrsets: tuple[RRset, ...]
    stripped: bool = False
    changed: bool = False


class Screen:
    """Screens records of upstream answers. `strip_hints`: names of Azure services have no address hints."""

    def __init__(self, groups: Sequence[UpstreamGroup], catalogue: Catalogue, *, strip_hints: bool) -> None:
        self._guarded = {
            group.name: frozenset(map(from_text, group.rebinding.allow))
            for group in groups
            if group.rebinding.answers == "strip"
        }
        self._catalogue = catalogue
        self._strip_hints = strip_hints

    def passes(self, group: str, addresses: list[bytes]) -> bool:
        """Return whether `filter` would keep all these addresses under any name."""
        if group in self._guarded:
            for address in addresses:
                if is_private(address):
                    return False
        return True

    def filter(
        self,
        group: str,
        rrsets: tuple[RRset, ...],
        way: Sequence[RRset] = (),
        is_owned: Callable[[Name], bool] = lambda _: False,
    ) -> Screened:
        """Return the records of an answer of `group` that may be sent.

        `way` is the chain of aliases to them. `is_owned` returns True for a name that is, or leads to, a name served
        here: the target of an HTTPS record whose hints would lead the client past the private address.
        """
        if group not in self._guarded and not any(rrset.type in _SERVICES for rrset in rrsets):
            return Screened(rrsets)
        kept = [(rrset, self._screened(group, rrset, way, is_owned)) for rrset in rrsets]
        touched = {old.type for old, (new, _) in kept if new is not old}
        if not touched:
            return Screened(rrsets)
        rest = tuple(
            new for old, (new, _) in kept
            if new is not None and not (old.type == RRSIG and int.from_bytes(old.rdatas[0][:2], "big") in touched)
        )  # fmt: skip
        return Screened(rest, any(stripped for _, (_, stripped) in kept), changed=True)

    def _screened(
        self, group: str, rrset: RRset, way: Sequence[RRset], is_owned: Callable[[Name], bool]
    ) -> tuple[RRset | None, bool]:
        """Return the RRset, a changed one, or None if nothing remains; and whether a private address was removed."""
        if rrset.type not in {A, AAAA} and rrset.type not in _SERVICES:
            return rrset, False
        owner = Name(rrset.owner.lower())
        guarded = self._is_guarded(group, owner)
        if rrset.type in _SERVICES:
            of_azure = self._strip_hints and any(map(self._is_of_azure, (*(alias.owner for alias in way), owner)))
            return self._service(rrset, is_owned, of_azure=of_azure, guarded=guarded)
        if not guarded or not any(map(is_private, rrset.rdatas)):
            return rrset, False
        return _with(rrset, [rdata for rdata in rrset.rdatas if not is_private(rdata)]), True

    def _service(
        self, rrset: RRset, is_owned: Callable[[Name], bool], *, of_azure: bool, guarded: bool
    ) -> tuple[RRset | None, bool]:
        rdatas, stripped = [], False
        for rdata in rrset.rdatas:
            found, target = list(svcb.hints(rdata)), Name(svcb.target(rdata).lower())
            if not found:
                rdatas.append(rdata)
            elif of_azure or (target != _OWNER and (self._strips(target) or is_owned(target))):
                rdatas.append(svcb.without_hints(rdata, lambda _: True))
            elif guarded and any(map(is_private, found)):
                rdatas.append(svcb.without_hints(rdata, is_private))
                stripped = True
            else:
                rdatas.append(rdata)
        return (rrset if tuple(rdatas) == rrset.rdatas else _with(rrset, rdatas)), stripped

    def _strips(self, target: Name) -> bool:
        return self._strip_hints and self._is_of_azure(target)

    def _is_of_azure(self, name: bytes) -> bool:
        return self._catalogue.covers(Name(name.lower()))

    def _is_guarded(self, group: str, owner: Name) -> bool:
        allowed = self._guarded.get(group)
        if allowed is None or (self._catalogue.covers(owner) and self._catalogue.zone_of(owner)):
            return False  # the privatelink zone of another tenant has private addresses
        return not allowed or allowed.isdisjoint(ancestry(owner))


def _with(rrset: RRset, rdatas: Iterable[bytes]) -> RRset | None:
    left = tuple(rdatas)
    return RRset(rrset.owner, rrset.type, rrset.ttl, left) if left else None
