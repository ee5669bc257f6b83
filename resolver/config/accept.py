"""Translates a valid configuration model to `settings.Accepted`: canonical names, absolute paths, parsed addresses.

The text of the configuration and its mistakes are known to `file`; the files that it names are read by `named_files`.
Reads resolv.conf files itself, through `resolv_conf`.
"""

import functools
import os
import socket
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from resolver import path_pattern, settings
from resolver.admin_settings import AdminOidc, AdminSettings, AdminTls, AdminToken, CertificateClient
from resolver.config.accept_registry import registry_settings
from resolver.config.accept_sources import source_settings
from resolver.config.admin import AdminOidcSection, AdminSection, AdminTlsSection
from resolver.config.catalogue_rules import settings_of, shadowed
from resolver.config.forwarding import UpstreamSection
from resolver.config.hub import HubSection
from resolver.config.listeners import HttpsSection, RateLimitSection, TlsSection
from resolver.config.model import AUTO, Configuration, ConflictsSection, NetworkSection
from resolver.config.named_files import ZoneFilePaths, absolute, authorities, secret
from resolver.config.query_log import DnstapSection, QueryLogSection
from resolver.config.resolv_conf import name_servers
from resolver.config.servers import placed, server
from resolver.config.values import until
from resolver.host_port import HostPort, parse
from resolver.hub_settings import HubSettings
from resolver.query_log_settings import (
    CLASSES,
    STDOUT,
    AddressMask,
    DnstapSettings,
    LineSettings,
    QueryLogSettings,
    QuerySelection,
)
from resolver.version import VERSION
from zones.azure.catalogue_table import Suffix
from zones.azure.configured_names import NameEntry
from zones.claims.policy import ConflictPolicy, Pin, ZonePolicy
from zones.dns import name
from zones.networks.excepted import ExceptedItem
from zones.networks.network import Network
from zones.networks.private_addresses import is_private

_ENTRA_ISSUER: Final = "https://login.microsoftonline.com/{tenant}/v2.0"
_ENTRA_ISSUER_V1: Final = "https://sts.windows.net/{tenant}/"
ADMIN_SOCKET: Final = "admin.sock"
"""The name of the admin socket where the configuration has no path for it."""


def accept(
    path: Path,
    model: Configuration,
    files: ZoneFilePaths,
    resolv_conf: Path,
    notes: list[str],
    place: Callable[..., str],
) -> settings.Accepted:
    """Return the settings of `model`, which was read from `path` and has the zone files `files`.

    `place(*location)` returns where the value at a location is: its path, with the file and line. The warnings are
    `notes` and those about resolv.conf files and shadowed suffixes.
    """
    folder = path.parent
    networks = tuple(
        _network(each, functools.partial(place, "networks", i))
        for i, each in enumerate(model.networks)
        if each is not AUTO
    )
    listeners = tuple(settings.NetworkListener(parse(at), of) for at, of in model.dns.listeners.items())
    zones = settings.Zones(
        defaults=ZonePolicy(**model.zones.defaults.model_dump()),
        overrides={_canonical(zone): ZonePolicy(**o.model_dump()) for zone, o in model.zones.overrides.items()},
        files=tuple(files),
        origins=tuple(map(name.to_text, files.values())),
        patterns=tuple(path_pattern.absolute(folder, each) for each in model.zones.files),
        private_only=tuple(map(_canonical, model.zones.private_only)),
        local_reverse=model.zones.local_reverse,
        strip_hints=model.zones.strip_hints,
    )
    suffixes = tuple(map(settings_of, model.catalogue.suffixes))
    for fault in shadowed(model.catalogue.suffixes):
        notes = [*notes, f"{place('catalogue', 'suffixes', fault.item)}: {fault.message}"]
    upstreams: tuple[settings.UpstreamGroup, ...] = ()
    for group, upstream in model.upstreams.items():
        found, more = _servers(group, upstream, folder, model.dns.listen)
        upstreams += (_upstream_group(group, upstream, found, model.dns.workers),)
        notes = notes + more
    if "public" not in model.upstreams:
        servers, more = name_servers(resolv_conf, model.dns.listen)
        upstreams += (settings.UpstreamGroup("public", servers, rebinding=settings.Rebinding("pass")),)
        notes = notes + more
    return settings.Accepted(
        path=absolute(path),
        worker=_worker(model, folder, networks, listeners, zones, suffixes, upstreams),
        control=settings.ControlSettings(
            networks=networks,
            auto=AUTO in model.networks,
            listeners=listeners,
            catalogue=suffixes,
            zones=zones,
            sources=tuple(source_settings(source, folder) for source in model.sources),
            names=tuple(
                NameEntry(each.name, each.endpoint, each.member or "", place("names", i))
                for i, each in enumerate(model.names)
            ),
            conflicts=_conflicts(model.conflicts),
            upstreams=upstreams,
            awaited=_awaited(model) if model.dns.bind == "wait" else (),
            admin=_admin(model.admin, folder, absolute(folder / model.state.directory)),
            registry=registry_settings(model.registry, folder) if model.registry else None,
            hub=_hub(model.hub, folder) if model.hub else None,
            state_directory=absolute(folder / model.state.directory),
            history=settings.HistorySettings(model.state.history.age, model.state.history.size),
            workers=model.dns.workers,
            sandbox=model.sandbox,
            watch=model.reload.watch,
        ),
        workers=model.dns.workers,
        user=model.user or "",
        processes=settings.ProcessSettings(model.processes.heartbeat, model.processes.lame_duck),
        log=settings.LogSettings(model.log.format, model.log.time, model.log.level),
        query_log=_query_log(model.query_log, folder, _identity(model)) if model.query_log else None,
        memory=model.memory or 0,
        warnings=tuple(notes),
    )


def _canonical(text: str) -> str:
    return name.to_text(name.from_text(text))


def _network(given: NetworkSection, place: Callable[..., str]) -> Network:
    excepted = tuple(ExceptedItem(text, place("except", i)) for i, text in enumerate(given.except_))
    return Network(given.name, given.clients, given.vnets, given.reach, excepted=excepted)


# -- the admin interface


def _admin(given: AdminSection, folder: Path, state: str) -> AdminSettings:
    tls = given.tls
    socket_path = f"{state}/{ADMIN_SOCKET}" if given.socket == "auto" else absolute(folder / (given.socket or ""))
    return AdminSettings(
        listen=parse(given.listen) if given.listen else None,
        health=parse(given.health) if given.health else None,
        socket=socket_path if given.socket else "",
        group=given.group or "",
        tls=_admin_tls(tls, folder) if tls else None,
        hosts=given.hosts,
        tokens=tuple(
            AdminToken(each.name, each.role, each.sha256, each.registry.accepted() if each.registry else None)
            for each in given.tokens
        ),
        oidc=_oidc(given.oidc, folder) if given.oidc else None,
    )


def _admin_tls(given: AdminTlsSection, folder: Path) -> AdminTls:
    return AdminTls(
        absolute(folder / given.certificate),
        absolute(folder / given.key),
        absolute(folder / given.client_ca) if given.client_ca else "",
        tuple(CertificateClient(each.name, each.role) for each in given.clients),
    )


def _hub(given: HubSection, folder: Path) -> HubSettings:
    tls = _admin_tls(given.tls, folder) if given.tls else None
    return HubSettings(parse(given.listen), tls, given.followers)


def _oidc(given: AdminOidcSection, folder: Path) -> AdminOidc:
    issuers: tuple[str, ...] = (given.issuer or "",)
    if given.tenant:
        # Version 1.0 of Entra's tokens has the second issuer. Both versions are signed with the same keys.
        issuers = (_ENTRA_ISSUER.format(tenant=given.tenant), _ENTRA_ISSUER_V1.format(tenant=given.tenant))
    metadata = f"{issuers[0].rstrip('/')}/.well-known/openid-configuration"
    key = secret(given.client_secret, folder) if given.client_secret else None
    return AdminOidc(metadata, issuers, given.audience, given.roles, given.tenant or "", given.client_id or "", key)


# -- conflicts


def _conflicts(conflicts: ConflictsSection) -> settings.ConflictSettings:
    pins = tuple(
        Pin(pin.name, pin.endpoint, pin.network, until(pin.until) if pin.until else None, pin.reason)
        for pin in conflicts.pins
    )
    policies = {_canonical(zone): ConflictPolicy(policy) for zone, policy in conflicts.policies.items()}
    return settings.ConflictSettings(ConflictPolicy(conflicts.policy), policies, pins)


# -- upstream groups


def _servers(
    group: str, upstream: UpstreamSection, folder: Path, listen: Iterable[str]
) -> tuple[tuple[settings.Server, ...], list[str]]:
    """Return the servers of a group, and warnings."""
    if upstream.resolv_conf:
        return name_servers(folder / upstream.resolv_conf, listen, group, count_errors=upstream.count_errors)
    ca = authorities(absolute(folder / upstream.ca)) if upstream.ca else ""
    servers = tuple(
        settings.Server(
            transport=given.transport,
            address=address,
            port=given.port,
            name=given.name,
            pin=given.pin,
            ca=ca,
            path=given.path,
            count_errors=upstream.count_errors,
        )
        for given, address in placed(map(server, upstream.servers), upstream.bootstrap)
    )
    return servers, []


def _upstream_group(
    group: str, upstream: UpstreamSection, servers: tuple[settings.Server, ...], workers: int
) -> settings.UpstreamGroup:
    answers = upstream.rebinding.answers
    if answers == "auto":
        private = upstream.resolv_conf or any(is_private(ip_address(each.address).packed) for each in servers)
        answers = "pass" if private else "strip"
    return settings.UpstreamGroup(
        name=group,
        servers=servers,
        suffixes=tuple(map(_canonical, upstream.suffixes)),
        policy=upstream.policy,
        rebinding=settings.Rebinding(answers, tuple(map(_canonical, upstream.rebinding.allow))),
        mixed_case=upstream.mixed_case,
        rate=(upstream.rate or 0) // workers,
        cookies=upstream.cookies,
        mark=upstream.mark,
        edns=upstream.edns,
        timeout=upstream.timeout or settings.MAX_UPSTREAM_SECONDS,
        tries=upstream.tries,
        source=upstream.source or "",
    )


# -- the query log


def _selection(given: QueryLogSection) -> QuerySelection:
    classes = CLASSES if "all" in given.classes else tuple(each for each in CLASSES if each in given.classes)
    return QuerySelection(classes, given.networks, given.sample)


def _query_log(given: QueryLogSection, folder: Path, identity: str) -> QueryLogSettings:
    lines = None
    if given.to or not given.dnstap:
        to = absolute(folder / given.to) if given.to and given.to != STDOUT else STDOUT
        lines = LineSettings(to, given.format, given.size, given.files)
    dnstap = _dnstap(given.dnstap, identity) if given.dnstap else None
    return QueryLogSettings(AddressMask(given.mask.ipv4, given.mask.ipv6), lines, dnstap)


def _dnstap(given: DnstapSection, identity: str) -> DnstapSettings:
    messages, own, version = tuple(dict.fromkeys(given.messages)), given.identity or identity, f"pldns {VERSION}"
    scheme, _, rest = given.to.partition("://")
    if scheme == "unix":
        return DnstapSettings(messages, own, version, absolute(rest))
    at = parse(rest)
    return DnstapSettings(messages, own, version, host=at.host, port=at.port)


# -- workers


def _worker(
    model: Configuration,
    folder: Path,
    networks: tuple[Network, ...],
    listeners: tuple[settings.NetworkListener, ...],
    zones: settings.Zones,
    suffixes: tuple[Suffix, ...],
    upstreams: tuple[settings.UpstreamGroup, ...],
) -> settings.WorkerSettings:
    dns, cache, tls, https = model.dns, model.cache, model.dns.tls, model.dns.https
    secrets = absolute(folder / dns.cookies.secrets) if dns.cookies.secrets else ""
    return settings.WorkerSettings(
        listen=_addresses(dns.listen),
        allow=dns.allow,
        bind=dns.bind,
        tls=settings.Tls(_addresses(tls.listen), *_key_pair(tls, folder)) if tls else None,
        https=settings.Https(_addresses(https.listen), *_key_pair(https, folder), https.path) if https else None,
        proxy_from=dns.proxy.from_ if dns.proxy else (),
        forwarders=dns.forwarders,
        drop_clients=dns.drop.clients,
        drop_names=tuple(map(_canonical, dns.drop.names)),
        streams=settings.Streams(dns.streams.idle, dns.streams.connections, dns.streams.per_client or 0),
        rate_limit=_rate_limit(dns.rate_limit) if dns.rate_limit else None,
        cookies=settings.CookieSettings(dns.cookies.answer, secrets, os.urandom(32)),
        unproven=settings.Unproven(dns.unproven.clients, dns.unproven.factor),
        designation=dns.designation or "",
        identity=_identity(model),
        payload=dns.payload,
        rotate=dns.rotate,
        networks=networks,
        auto=AUTO in model.networks,
        listeners=listeners,
        catalogue=suffixes,
        zones=zones,
        upstreams=upstreams,
        cache=settings.CacheSettings(cache.size, cache.answers, cache.stale, cache.prefetch),
        mark=os.urandom(8),
        sandbox=model.sandbox,
        query_log=_selection(model.query_log) if model.query_log else None,
        unsynced=any(source.on_unsynced == "servfail" for source in model.sources),
    )


def _identity(model: Configuration) -> str:
    return model.dns.identity or socket.gethostname()


def _addresses(texts: Iterable[str]) -> tuple[HostPort, ...]:
    return tuple(map(parse, texts))


def _awaited(model: Configuration) -> tuple[HostPort, ...]:
    """Return the listen addresses, without those that mean every address."""
    dns = model.dns
    lists = (dns.listen, dns.tls.listen if dns.tls else (), dns.https.listen if dns.https else ())
    return tuple(at for listen in lists for at in _addresses(listen) if not at.address.is_unspecified)


def _key_pair(section: TlsSection | HttpsSection, folder: Path) -> tuple[str, str]:
    return absolute(folder / section.certificate), absolute(folder / section.key)


def _rate_limit(limit: RateLimitSection) -> settings.RateLimit:
    return settings.RateLimit(
        per_second=limit.per_second,
        burst=limit.burst or 2 * limit.per_second,
        slip=limit.slip,
        ipv4_prefix=limit.ipv4_prefix,
        ipv6_prefix=limit.ipv6_prefix,
        exempt=limit.exempt,
    )
