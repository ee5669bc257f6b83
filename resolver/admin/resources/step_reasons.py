"""Sentences about the steps of an explanation: what decided about a name, and why an upstream is asked."""

from pathlib import Path
from typing import Final

from resolver.admin.resources.zones import static_source
from resolver.channel.trace import Access, CacheState, Route, Row, Step, UpstreamUse
from resolver.control.estate.estate import Estate
from resolver.settings import Accepted
from resolver.wire import codes
from zones.dns.name import Name, ancestry, from_text, to_text
from zones.dns.record import CNAME
from zones.table.outcome import FailureReason

_EARLY: Final = {
    Row.SPECIAL: "pldns answers this name itself, whatever its configuration",
    Row.EARLY: "a question of this type or class is never answered",
}


def early_reason(access: Access, row: Row) -> str:
    """Return why a query was answered before any name was looked up; empty for a query with steps."""
    if access is Access.DROPPED:
        return "the client is in `dns.drop.clients`: it gets no reply"
    if access is Access.REFUSED:
        return "the client is not in `dns.allow`"
    return _EARLY.get(row, "")


def step_reason(accepted: Accepted, estate: Estate, step: Step, qtype: int) -> str:
    """Return what decided about a name."""
    zone, rtype = "" if step.zone is None else to_text(step.zone), codes.type_text(qtype)
    match step.row:
        case Row.ZONE_FILE:
            what = "has this name" if step.records else f"has this name, but no {rtype} record"
            return f"{_static(estate, step.zone)} {what}"
        case Row.REST_OF_ZONE_FILE:
            return _rest(estate, step, zone)
        case Row.ALIAS | Row.ADDRESS if step.reason == FailureReason.REFUSED:
            return "several endpoints claim the name, and the conflict policy `refuse` chooses none of them"
        case Row.ALIAS:
            return _alias(step, qtype)
        case Row.ADDRESS:
            return f"the private name of an endpoint{_by_wildcard(step)}, in {_zone(zone)}"
        case Row.OTHER_TYPES:
            return f"an endpoint has this name{_by_wildcard(step)} and no {rtype} record; no upstream is asked"
        case Row.NOT_READY:
            return _not_ready(estate, step)
        case Row.MISS_POLICY:
            return _missed(estate, step, zone)
        case Row.POINTER:
            return "the address is served to this client"
        case Row.LOCAL_REVERSE:
            return f"`zones.local_reverse`: {zone} is a reverse zone of private addresses, answered here"
        case Row.PRIVATE_ONLY:
            return f"`zones.private_only` has {zone}: no upstream is asked for names in it"
        case Row.DROPPED:
            suffixes = set(map(from_text, accepted.worker.drop_names))
            found = next((at for at in ancestry(Name(step.name)) if at in suffixes), Name(step.name))
            return f"`dns.drop.names` has {to_text(found)}"
        case Row.ALIASES:
            return "too many aliases lead to this name, so it is not looked up"
        case _:
            return "no endpoint, zone file or private zone has this name for this client"


def _alias(step: Step, qtype: int) -> str:
    private = "" if step.private is None else f" {to_text(step.private)}"
    if step.target is not None or qtype == CNAME:
        return f"a public name of an endpoint{_by_wildcard(step)}, and an alias of its private name{private}"
    return f"a public name of an endpoint{_by_wildcard(step)}, with the addresses of its private name{private}"


def _by_wildcard(step: Step) -> str:
    return " by a wildcard" if step.wildcard else ""


def _zone(zone: str) -> str:
    return f"zone {zone}" if zone else "no zone"


def _static(estate: Estate, zone: bytes | None) -> str:
    """Return what a static zone is: its file, or the private DNS zone that provides it."""
    origin = Name(zone or b"")
    if origin not in estate.static:
        return f"zone {to_text(origin)}"
    if static_source(estate, origin) == "private-dns":
        return f"the private DNS zone {to_text(origin)}"
    files = dict(zip(estate.settings.zones.origins, estate.settings.zones.files, strict=False))
    path = files.get(to_text(origin))
    return f"the zone file {Path(path).name if path else to_text(origin)}"


def _rest(estate: Estate, step: Step, zone: str) -> str:
    if step.zone is not None and Name(step.zone) not in estate.static:
        return f"a zone file delegates {zone} to other servers"
    here = _static(estate, step.zone)
    if step.wildcard:
        return f"a wildcard of {here} covers this name"
    if len(step.records) > 1:
        return f"a DNAME of {here} is above this name"
    terms = estate.policies.of_file(Name(step.zone or b"\0"), is_open=False)
    return f"{here} does not have this name (`on_miss`: {terms.on_miss_text})"


def _not_ready(estate: Estate, step: Step) -> str:
    if any(at in estate.static.awaited for at in ancestry(Name(step.name))):
        return "the zone file for this name could not be read yet"
    late = [name for name, status in estate.sources.items() if not status.synced]
    sources = f" ({', '.join(late[:4])})" if late else ""
    return f"a source has never provided data{sources}, so it is unknown whether the name is private"


def _missed(estate: Estate, step: Step, zone: str) -> str:
    if step.zone is not None and step.name == step.zone:
        return f"the apex of the private zone {zone}"
    origin = Name(step.zone or b"\0")
    file = estate.static.get(origin)
    terms = estate.policies.of_file(origin, is_open=file.is_open) if file else estate.policies.of(origin)
    return f"zone {zone} does not have this name (`on_miss`: {terms.on_miss_text})"


def upstream_reason(use: UpstreamUse, zone: bytes | None) -> str:
    """Return why this group of servers gets the question."""
    match use.route:
        case Route.POLICY:
            return f"`on_miss` of {to_text(zone or b'')} is `forward:{use.group}`"
        case Route.SUFFIX:
            return f"its suffix {to_text(use.suffix)} is the longest that covers the name"
        case Route.DEFAULT:
            return "no other group has a suffix that covers the name"


def cache_text(use: UpstreamUse) -> str:
    """Return what the worker knows of the reply."""
    rcode = "" if use.rcode is None else codes.rcode_text(use.rcode)
    match use.state:
        case CacheState.HIT if use.asked and use.left < 1:
            return f"asked now: {rcode}, which is not kept"
        case CacheState.HIT if use.asked:
            return f"asked now: {rcode}, kept for {use.left:.0f} s"
        case CacheState.HIT:
            return f"cached {rcode} reply, {use.age:.0f} s old, expires in {use.left:.0f} s"
        case CacheState.STALE:
            return f"stale {rcode} reply, {use.age:.0f} s old, because the servers have just failed"
        case CacheState.EXPIRED:
            return f"not cached: the {rcode} reply of {use.age:.0f} s ago has expired, and serves only if servers fail"
        case CacheState.FAILED if use.asked:
            return f"asked now, without success: {use.failure}"
        case CacheState.FAILED:
            return f"failed before, asked again in {max(use.left, 0):.0f} s: {use.failure}"
        case CacheState.MISS:
            return "not in the cache"
