"""Rules between keys of the configuration: unique names, references to what exists, listeners apart, no loops.

Each rule takes a model whose values are valid one by one and yields the contradictions that it finds.
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network

from resolver.config import catalogue_rules
from resolver.config.contradiction import Contradiction, twice
from resolver.config.forwarding import UpstreamSection
from resolver.config.model import AUTO, Configuration
from resolver.config.nodes import Part
from resolver.config.own_address import is_own, missing_interface, overlap
from resolver.config.servers import placed, server
from resolver.config.source_contradictions import of_hub, of_registry, of_sources, one_of
from resolver.config.sources import (
    AzureSection,
    RegistrySourceSection,
)
from resolver.host_port import HostPort, parse
from resolver.memory_budget import MemoryParts, expected
from resolver.settings import Transport
from zones.azure.references import reference
from zones.claims.policy import MissPolicy
from zones.dns import name
from zones.networks.network import NO_NETWORK


def contradictions(model: Configuration, groups: tuple[str, ...], networks: tuple[str, ...]) -> Iterator[Contradiction]:
    """Yield every contradiction in `model`.

    `groups` and `networks` are all names that the file declares, also those whose own settings are invalid, so that a
    reference to one of them is not reported as a second mistake.
    """
    yield from _listeners(model)
    yield from _admin(model)
    yield from of_registry(model)
    yield from of_hub(model)
    yield from _listeners_of_networks(model, networks or ("default",))
    yield from _designation(model)
    yield from twice("source", ((("sources", i, "name"), source.name) for i, source in enumerate(model.sources)))
    yield from of_sources(model)
    yield from _names(model)
    yield from _catalogue(model)
    yield from twice("network", ((("networks", i, "name"), network.name) for i, network in enumerate(model.networks)))
    yield from _clients(model)
    for i, network in enumerate(model.networks):
        items = ((("networks", i, "except", j), reference(item)) for j, item in enumerate(network.except_))
        yield from twice("item", items)
    yield from _overrides(model, groups)
    yield from _upstreams(model)
    yield from _loops(model)
    yield from _conflicts(model, networks or ("default",))
    yield from _query_log(model, networks or ("default",))


def warnings(model: Configuration) -> Iterator[str]:
    """Yield sentences about settings that are valid but rarely intended."""
    allowed = [ip_network(prefix) for prefix in model.dns.allow]
    for prefix in allowed:
        if prefix.prefixlen == 0:
            yield f"dns.allow has {prefix}: any client may ask"
    for key, prefixes in (("forwarders", model.dns.forwarders), ("proxy.from", _from(model))):
        if any(ip_network(prefix).prefixlen == 0 for prefix in prefixes):
            yield f"dns.{key} has every address: any client may claim to ask for another client"
    if AUTO in model.networks and not model.sources:
        yield "networks: `auto` finds no virtual network because there is no source"
    if model.registry and not any(isinstance(source, RegistrySourceSection) for source in model.sources):
        yield "registry: no name is answered from it, because no source has the type `registry`"
    if model.registry and model.registry.database and model.registry.database.is_open:
        yield (
            "registry.database: the server need not prove who it is. Add `?sslmode=verify-full&sslrootcert=FILE` to "
            "the URL"
        )
    if model.dns.bind == "wait":
        for group, upstream in model.upstreams.items():
            for (_, _, *where), message in _lacking_interfaces(group, upstream):
                yield f"upstreams.{group}.{where[0]}: {message} yet"
    yield from _memory(model)
    for network in model.networks:
        for client in network.clients:
            prefix = ip_network(client)
            if not any(prefix.version == other.version and prefix.overlaps(other) for other in allowed):
                yield f"network `{network.name}`: clients in {client} are refused, because dns.allow does not have them"


def _memory(model: Configuration) -> Iterator[str]:
    """Yield a sentence if caches of a configured size do not fit into the configured memory."""
    given = [f"cache.{key}" for key in ("size", "answers") if key in model.cache.model_fields_set]
    if not model.memory or not given:
        return
    wanted = MemoryParts(model.cache.size, model.cache.answers, 0)
    found = expected(model.memory, model.dns.workers, wanted, logging=model.query_log is not None)
    if found != wanted:
        yield (
            f"{' and '.join(given)}: both caches of each worker together have {sum(found) >> 20} MiB instead of "
            f"{sum(wanted) >> 20}, because `memory` is {model.memory >> 20} MiB"
        )


def _from(model: Configuration) -> tuple[str, ...]:
    return model.dns.proxy.from_ if model.dns.proxy else ()


def _listeners(model: Configuration) -> Iterator[Contradiction]:
    dns = model.dns
    lists: dict[tuple[Part, ...], tuple[str, ...]] = {("dns", "listen"): dns.listen}
    lists |= {("dns", "tls", "listen"): dns.tls.listen} if dns.tls else {}
    lists |= {("dns", "https", "listen"): dns.https.listen} if dns.https else {}
    every = [((*where, i), text) for where, texts in lists.items() for i, text in enumerate(texts)]
    yield from twice("address", [(where, text) for where, text in every if not text.endswith(":0")])
    taken = [text for texts in lists.values() for text in texts]
    others: tuple[tuple[tuple[Part, ...], str | None], ...] = (
        (("admin", "listen"), model.admin.listen),
        (("admin", "health"), model.admin.health),
        (("hub", "listen"), model.hub.listen if model.hub else None),
    )
    for key, at in others:
        if at is None:
            continue
        for where, texts in lists.items():
            if any(overlap(at, text) for text in texts):
                yield Contradiction(key, f"`{at}` is already used by {'.'.join(map(str, where))}")
        lists[key] = (at,)
        taken.append(at)
    for i, source in enumerate(model.sources):
        if isinstance(source, AzureSection) and source.events:
            if is_own(parse(source.events.listen), taken):
                yield Contradiction(
                    ("sources", i, "events", "listen"), f"`{source.events.listen}` is already used by another listener"
                )
            taken.append(source.events.listen)


def _admin(model: Configuration) -> Iterator[Contradiction]:
    admin = model.admin
    if admin.listen and not parse(admin.listen).address.is_loopback and not admin.tls and not admin.plain:
        message = f"`{admin.listen}` is not loopback: it needs `admin.tls`, or `admin.plain: true`"
        yield Contradiction(("admin", "listen"), f"{message} if tokens may be sent unencrypted")
    if admin.tls and admin.tls.clients and not admin.tls.client_ca:
        yield Contradiction(
            ("admin", "tls", "clients"), "`admin.tls.client_ca` must name the authorities of the clients"
        )
    if admin.oidc and (admin.oidc.tenant is None) == (admin.oidc.issuer is None):
        yield Contradiction(("admin", "oidc"), "needs either `tenant` or `issuer`")
    if admin.oidc and admin.oidc.client_secret:
        where = ("admin", "oidc", "client_secret")
        yield from one_of(where, admin.oidc.client_secret)
        if admin.oidc.client_id is None:
            yield Contradiction(where, "needs `client_id`, whose secret it is")
    yield from twice("token", ((("admin", "tokens", i, "name"), each.name) for i, each in enumerate(admin.tokens)))


def _listeners_of_networks(model: Configuration, networks: tuple[str, ...]) -> Iterator[Contradiction]:
    dns = model.dns
    known = (*dns.listen, *(dns.tls.listen if dns.tls else ()), *(dns.https.listen if dns.https else ()))
    for address, network in dns.listeners.items():
        location = ("dns", "listeners", address)
        if address not in known:
            yield Contradiction(location, f"nothing listens on `{address}`", address, known)
        elif address.endswith(":0"):
            yield Contradiction(location, f"`{address}`: a listener for one network needs a fixed port")
        if AUTO not in model.networks and network not in networks:
            yield Contradiction(location, f"there is no network `{network}`", network, networks)


def _designation(model: Configuration) -> Iterator[Contradiction]:
    dns = model.dns
    if dns.designation is None:
        return
    lists = {role: section.listen for role, section in (("tls", dns.tls), ("https", dns.https)) if section}
    if not lists:
        yield Contradiction(("dns", "designation"), "needs `dns.tls` or `dns.https`, which clients would find by it")
    if dns.designation.startswith("*."):
        yield Contradiction(("dns", "designation"), f"`{dns.designation}` is a pattern; clients need a name")
    if name.is_under(name.from_text(dns.designation), name.from_text("resolver.arpa")):
        yield Contradiction(("dns", "designation"), f"`{dns.designation}` is no name of a server (RFC 9462 §6.3)")
    for role, listen in lists.items():
        for i, at in enumerate(listen):
            if at.endswith(":0"):
                yield Contradiction(("dns", role, "listen", i), f"`{at}`: a designated listener needs a fixed port")


def _clients(model: Configuration) -> Iterator[Contradiction]:
    holders: dict[str, int] = {}
    for i, network in enumerate(model.networks):
        for j, prefix in enumerate(network.clients):
            first = holders.setdefault(prefix, i)
            if first != i:
                who = f"network `{model.networks[first].name}` and network `{network.name}`"
                yield Contradiction(("networks", i, "clients", j), f"`{prefix}` is in both {who}")


def _overrides(model: Configuration, groups: tuple[str, ...]) -> Iterator[Contradiction]:
    yield from _same_name(("zones", "overrides"), model.zones.overrides)
    yield from _miss(groups, ("zones", "defaults", "on_miss"), model.zones.defaults.on_miss)
    for zone, override in model.zones.overrides.items():
        yield from _miss(groups, ("zones", "overrides", zone, "on_miss"), override.on_miss)


def _miss(groups: tuple[str, ...], location: tuple[Part, ...], on_miss: str | None) -> Iterator[Contradiction]:
    mode, _, group = (on_miss or "").partition(":")
    if mode == MissPolicy.FORWARD and group not in groups:
        yield Contradiction(location, f"there is no upstream group `{group}`", group, groups)


def _upstreams(model: Configuration) -> Iterator[Contradiction]:
    misses = [model.zones.defaults.on_miss, *(override.on_miss for override in model.zones.overrides.values())]
    forwarded = {miss.removeprefix(f"{MissPolicy.FORWARD}:") for miss in misses if miss}
    holders: dict[name.Name, str] = {}
    for group, upstream in model.upstreams.items():
        if group == "public" and upstream.suffixes:
            location = ("upstreams", group, "suffixes")
            yield Contradiction(location, "`public` takes all names without a suffix and cannot have suffixes")
        elif group != "public" and not upstream.suffixes and group not in forwarded:
            message = f"group `{group}` is never asked: it has no `suffixes`, and no zone forwards to it"
            yield Contradiction(("upstreams", group), message)
        if upstream.rate is not None and upstream.rate < model.dns.workers:
            message = f"a rate of {upstream.rate} cannot be divided among {model.dns.workers} workers (dns.workers)"
            yield Contradiction(("upstreams", group, "rate"), message)
        yield from _suffixes(group, upstream, holders)
        yield from _servers(group, upstream)
        if model.dns.bind == "fail":
            yield from (Contradiction(*lacking) for lacking in _lacking_interfaces(group, upstream))
        yield from twice("server", ((("upstreams", group, "servers", i), s) for i, s in enumerate(upstream.servers)))


def _servers(group: str, upstream: UpstreamSection) -> Iterator[Contradiction]:
    if bool(upstream.servers) == bool(upstream.resolv_conf):
        message = "must have either `servers` or `resolv_conf`" if upstream.servers else "has no server"
        yield Contradiction(("upstreams", group), f"group `{group}` {message}")
    for i, uri in enumerate(upstream.servers):
        if not upstream.bootstrap and not server(uri).address:
            message = f"`{uri}`: its addresses must be in `bootstrap`; no name can be resolved yet"
            yield Contradiction(("upstreams", group, "servers", i), message)
    if upstream.source:
        version = ip_address(upstream.source).version
        for given, address in placed(map(server, upstream.servers), upstream.bootstrap):
            if ip_address(address).version != version:
                message = f"`{given}` cannot be asked from `{upstream.source}`: one is IPv4, the other IPv6"
                yield Contradiction(("upstreams", group, "source"), message)


def _lacking_interfaces(group: str, upstream: UpstreamSection) -> Iterator[tuple[tuple[Part, ...], str]]:
    """Yield location and message for each address whose interface this machine lacks."""
    hosts: dict[tuple[Part, ...], str] = {("servers", i): server(s).address for i, s in enumerate(upstream.servers)}
    hosts |= {("bootstrap", i): host for i, host in enumerate(upstream.bootstrap)}
    hosts |= {("source",): upstream.source or ""}
    for where, host in hosts.items():
        if interface := missing_interface(host):
            yield ("upstreams", group, *where), f"`{host}`: this machine has no interface `{interface}`"


def _suffixes(group: str, upstream: UpstreamSection, holders: dict[name.Name, str]) -> Iterator[Contradiction]:
    for i, suffix in enumerate(upstream.suffixes):
        key = name.from_text(suffix)
        if key in holders:
            where = f"group `{group}`" if holders[key] == group else f"groups `{holders[key]}` and `{group}`"
            yield Contradiction(("upstreams", group, "suffixes", i), f"`{suffix}` is listed twice, in {where}")
        holders.setdefault(key, group)


def _loops(model: Configuration) -> Iterator[Contradiction]:
    for group, upstream in model.upstreams.items():
        for i, uri in enumerate(upstream.servers):
            given = server(uri)
            listen = _listen_for(model, given.transport)
            if any(is_own(HostPort(at, given.port), listen) for _, at in placed([given], upstream.bootstrap)):
                yield Contradiction(("upstreams", group, "servers", i), f"`{uri}` is this server itself: a loop")


def _listen_for(model: Configuration, transport: Transport) -> tuple[str, ...]:
    """Return the listen addresses of this server for the protocol of an upstream transport."""
    if transport == "tls":
        return model.dns.tls.listen if model.dns.tls else ()
    if transport == "https":
        return model.dns.https.listen if model.dns.https else ()
    return model.dns.listen


def _query_log(model: Configuration, networks: tuple[str, ...]) -> Iterator[Contradiction]:
    for i, network in enumerate(model.query_log.networks if model.query_log else ()):
        if AUTO not in model.networks and network not in {*networks, NO_NETWORK}:
            location = ("query_log", "networks", i)
            yield Contradiction(location, f"there is no network `{network}`", network, networks)


def _conflicts(model: Configuration, networks: tuple[str, ...]) -> Iterator[Contradiction]:
    yield from _same_name(("conflicts", "policies"), model.conflicts.policies)
    seen: dict[tuple[str, str | None], int] = {}
    for i, pin in enumerate(model.conflicts.pins):
        if pin.network is not None and pin.network not in networks and AUTO not in model.networks:
            location = ("conflicts", "pins", i, "network")
            yield Contradiction(location, f"there is no network `{pin.network}`", pin.network, networks)
        first = seen.setdefault((pin.name, pin.network), i)
        if first != i:
            scope = f"in network `{pin.network}`" if pin.network else "in all networks"
            yield Contradiction(
                ("conflicts", "pins", i, "name"), f"`{pin.name}` is already pinned {scope} by pins[{first}]"
            )


def _names(model: Configuration) -> Iterator[Contradiction]:
    seen: dict[tuple[str, str, str], int] = {}
    for i, item in enumerate(model.names):
        first = seen.setdefault((item.name, reference(item.endpoint), (item.member or "").casefold()), i)
        if first != i:
            yield Contradiction(("names", i), f"names[{first}] gives this endpoint `{item.name}` already")


def _catalogue(model: Configuration) -> Iterator[Contradiction]:
    managements = [each.management for each in model.sources if isinstance(each, AzureSection) and each.management]
    for fault in catalogue_rules.faults(model.catalogue.suffixes, managements):
        yield Contradiction(("catalogue", "suffixes", fault.item, fault.key), fault.message)


def _same_name(location: tuple[Part, ...], keys: Iterable[str]) -> Iterator[Contradiction]:
    seen: dict[name.Name, str] = {}
    for key in keys:
        first = seen.setdefault(name.from_text(key), key)
        if first != key:
            yield Contradiction((*location, key), f"`{key}` and `{first}` are the same name")
