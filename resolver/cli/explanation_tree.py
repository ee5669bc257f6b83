"""An explanation as a tree for a terminal: the answer first, then the client, each name of the chain, and the reply."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Final, NamedTuple

import dns.edns

from resolver.admin.resources import wording
from resolver.admin.resources.explanation import (
    ExplainedClaim,
    ExplainedStep,
    ExplainedUpstream,
    Explanation,
    ZoneTerms,
)
from resolver.admin.resources.replies import Reply
from resolver.channel.trace import Access
from resolver.control.estate.provenance import Standing

WIDTH: Final = 80
_NARROWEST: Final = 24
"""Columns of text that a line has at least, however deep it is."""
_ZONE: Final = {
    "endpoints": "endpoints", "file": "a zone file", "private-dns": "a private DNS zone",
    "configuration": "`zones.overrides`",
}  # fmt: skip
_CODES: Final = frozenset(map(int, dns.edns.EDECode))
_ADDRESSES: Final = frozenset({"A", "AAAA"})


class Node(NamedTuple):
    """A line of the tree, and the lines below it."""

    text: str
    below: Sequence["Node"] = ()


def lines(found: Explanation) -> Iterator[str]:
    """Yield the lines, at most 80 columns wide where the words allow it."""
    yield from wrapped(f"{found.name} {found.type} for {found.client} over {found.transport}: {_headline(found)}")
    for node in (_client(found), *map(_step, found.steps), *_nearest(found), _reply(found)):
        yield from _tree(node)


def _tree(node: Node, first: str = "", rest: str = "") -> Iterator[str]:
    yield from wrapped(node.text, rest + ("│  " if node.below else ""), first)
    for i, each in enumerate(node.below):
        last = i == len(node.below) - 1
        yield from _tree(each, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


def wrapped(text: str, rest: str = "", first: str = "") -> list[str]:
    """Return a text as lines. The first line begins with `first`, the others with `rest`, or 3 spaces without it."""
    width = max(WIDTH, len(rest) + _NARROWEST)
    found = textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest or "   ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in found]


# -- the answer in a line


def _headline(found: Explanation) -> str:
    if found.access is Access.DROPPED:
        return "no reply"
    if found.answer is None:
        use = found.steps[-1].upstream if found.steps else None
        return f"upstream group {use.group} would be asked for {use.name}" if use else "no answer"
    return f"{found.answer.rcode}{_data(found, found.answer)}{_error(found.answer)}"


def _data(found: Explanation, answer: Reply) -> str:
    """Return the records that answer the question, and the endpoints that they come from."""
    last = [line.split(None, 4) for line in answer.answer]
    data = [parts[4] for parts in last if len(parts) > 4 and (parts[3] == found.type or found.type not in _ADDRESSES)]
    won = [claim for step in found.steps for claim in step.claims if claim.standing is Standing.WON]
    by = [wording.short(claim.endpoint) for claim in won if set(claim.addresses) & set(data)]
    text = f" {', '.join(data)}" if data else " without records" if answer.rcode == "NOERROR" else ""
    return f"{text} of {' and '.join(dict.fromkeys(by))}" if by else text


def _error(answer: Reply) -> str:
    texts = [each.text for each in answer.ede if each.text]
    return f" ({'; '.join(texts)})" if texts else ""


# -- the parts


def _client(found: Explanation) -> Node:
    named = f", the first address of network {found.client_network}" if found.client_network else ""
    client = f"client {found.client}{named}"
    network, below = found.network, [Node(f"allowed: {found.access_by} of `dns.allow` holds the address")]
    if found.access is not Access.ALLOWED:
        return Node(f"{client}: {found.why}")
    if network.name is None:
        near = f"; nearest: {', '.join(network.nearest)}" if network.nearest else ""
        below.append(Node(f"{found.client} is in no network{near}"))
    elif network.listener:
        below.append(Node(f"network {network.name}: `dns.listeners` gives it all clients of {network.listener}"))
    elif network.prefix:
        below.append(Node(f"network {network.name}: {network.prefix} holds the address"))
    else:
        below.append(Node(f"network {network.name}: no network is configured, so that all clients are in one"))
    if network.others:
        below.append(Node(f"not decisive: {', '.join(network.others)}"))
    if found.why:
        below.append(Node(found.why))
    return Node(client, below)


def _step(step: ExplainedStep) -> Node:
    below = [Node(f"{step.row}: {step.why}")]
    below += map(_zone, step.zones)
    if step.upstream:
        below.append(_upstream(step.upstream))
    if step.stripped:
        below.append(Node("private addresses were removed from the reply of the upstream"))
    below += map(_claim, step.claims)
    below += map(Node, step.records)
    return Node(step.name, below)


def _nearest(found: Explanation) -> Iterator[Node]:
    if found.nearest:
        yield Node(f"nearest: {found.nearest} (no endpoint and no zone file has {found.steps[-1].name})")


def _zone(zone: ZoneTerms) -> Node:
    """Return what a zone says of its names. Those of a zone file have TTLs of their own, and no alias to choose."""
    terms = f"zone {zone.zone} of {_ZONE[zone.source]}: on_miss {zone.on_miss}"
    if zone.source in {"file", "private-dns"}:
        return Node(terms)
    return Node(f"{terms}, ttl {zone.ttl}\N{NO-BREAK SPACE}s, chain {zone.chain}")


def _upstream(use: ExplainedUpstream) -> Node:
    verb = "was asked" if use.asked or use.rcode is not None else "would be asked"
    servers = [
        Node(f"{each.server} {'up' if each.up else 'down'}{_round_trip(each.round_trip_ms)}") for each in use.servers
    ]
    return Node(f"upstream group {use.group} {verb}: {use.why}", [Node(use.cache), *servers])


def _round_trip(milliseconds: float | None) -> str:
    return "" if milliseconds is None else f", answers in {milliseconds:g} ms"


def _claim(claim: ExplainedClaim) -> Node:
    below = [Node(f"{', '.join(claim.addresses)} for {claim.public}, {claim.state}")]
    if claim.configured:
        below.append(Node("`names` in the configuration gives the name"))
    if claim.lingers_until:
        below.append(Node(f"removed, lingers until {_time(claim.lingers_until)}"))
    groups = f", group {', '.join(claim.groups)}" if claim.groups else ""
    below += [Node(f"target {wording.short(claim.target)}{groups}")] if claim.target else []
    below += [Node(f"interface {wording.short(nic)}") for nic in claim.nics]
    if claim.vnet:
        subnet = f"subnet {claim.subnet} of " if claim.subnet else ""
        below.append(Node(f"{subnet}virtual network {wording.short(claim.vnet)}"))
    below += [Node(_seen(claim)), Node(_source(claim))]
    return Node(f"{wording.short(claim.endpoint)} {claim.standing}: {claim.why}", below)


def _seen(claim: ExplainedClaim) -> str:
    last = f", last seen {_time(claim.last_seen)}" if claim.last_seen else ""
    return f"first seen {_time(claim.first_seen)}{last}"


def _source(claim: ExplainedClaim) -> str:
    of = claim.of
    read = f", last read {_time(of.last_success)}" if of.last_success else ""
    error = f", since then: {of.last_error}" if of.last_error else ""
    hub_source, between, part = of.where.rpartition(": ")  # a source of type `hub` has both names
    where = f"{hub_source}{between}{PurePath(part).name or part}"
    return f"source {of.name} ({where}): {of.freshness or 'no data'}{read}{error}"


def _reply(found: Explanation) -> Node:
    if found.answer is None:
        would = "no reply: an upstream server must be asked first, which `--ask` does"
        return Node(would if found.access is Access.ALLOWED else "no reply")
    below = [Node(f"flags {' '.join(found.answer.flags)}"), *_sections(found.answer)]
    if found.kept:
        until = "until a change" if found.kept.left is None else f"for {found.kept.left:.0f} s more"
        below.append(Node(f"kept by the worker for {found.kept.age:.0f} s, sent again {until}"))
    by = f" of worker {found.worker}" if found.worker is not None else ""
    return Node(f"reply{by}: {found.answer.rcode}", below)


def _sections(answer: Reply) -> Iterable[Node]:
    yield from (Node(f"EDE {each.code} ({_ede(each.code)}): {each.text}".rstrip(": ")) for each in answer.ede)
    yield from map(Node, answer.answer)
    yield from (Node(f"authority: {line}") for line in answer.authority)
    yield from (Node(f"additional: {line}") for line in answer.additional)


def _ede(code: int) -> str:
    """Return the name of an extended error in RFC 8914."""
    return dns.edns.EDECode.make(code).name.replace("_", " ").capitalize() if code in _CODES else "unknown"


def _time(text: str) -> str:
    """Return an RFC 3339 time without its milliseconds."""
    return f"{text.partition('.')[0]}Z"
