"""From a valid configuration to `settings.Accepted`: names folded, paths absolute, other files found and read.

Opens what the configuration points to and the daemon needs at once: zone files, certificates, the system's resolv.conf.
"""

import glob
import os
import socket
import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from resolver import settings
from resolver.config.checks import own
from resolver.config.forwarding import UpstreamSection
from resolver.config.listeners import HttpsSection, RateLimitSection, TlsSection
from resolver.config.model import AUTO, Configuration, ConflictsSection
from resolver.config.nodes import Part
from resolver.config.servers import placed, server
from resolver.config.sources import FilesSection, SecretReference, Source
from resolver.config.values import until
from resolver.host_port import HostPort, InvalidHostPort, bracketed, parse
from resolver.process import certificate
from resolver.process.cookie_secrets import read_secrets
from zones.azure.clouds import CLOUDS
from zones.claims.policy import ConflictPolicy
from zones.dns import name, zonefile
from zones.networks.private_addresses import is_private

ZoneFiles = dict[str, name.Name]
"""Absolute paths of zone files in the order of `zones.files`, with their origins."""


Refusal = tuple[tuple[Part, ...], str]
"""Where in the configuration a file is named that cannot be used, and why."""


def accept(
    path: Path, model: Configuration, files: ZoneFiles, resolv_conf: Path, notes: list[str]
) -> settings.Accepted:
    """The settings that `model`, read from `path`, stands for; `notes` and what resolv.conf adds are its warnings."""
    folder = path.parent
    networks = tuple(settings.Network(n.name, n.clients, n.vnets, n.reach) for n in model.networks if n is not AUTO)
    listeners = tuple(settings.NetworkListener(parse(at), of) for at, of in model.dns.listeners.items())
    zones = settings.Zones(
        defaults=settings.ZonePolicy(**model.zones.defaults.model_dump()),
        overrides={_name(zone): settings.ZonePolicy(**o.model_dump()) for zone, o in model.zones.overrides.items()},
        files=tuple(files),
        origins=tuple(map(name.to_text, files.values())),
        private_only=tuple(map(_name, model.zones.private_only)),
        strip_hints=model.zones.strip_hints,
    )
    upstreams: tuple[settings.UpstreamGroup, ...] = ()
    for group, upstream in model.upstreams.items():
        found, more = _servers(group, upstream, folder, model.dns.listen)
        upstreams += (_upstream(group, upstream, found, model.dns.workers),)
        notes = notes + more
    if "public" not in model.upstreams:
        servers, more = system_servers(resolv_conf, model.dns.listen)
        upstreams += (settings.UpstreamGroup("public", servers),)
        notes = notes + more
    sources = tuple(_source(source, folder) for source in model.sources)
    return settings.Accepted(
        path=_absolute(path),
        worker=_worker(model, folder, networks, listeners, zones, upstreams),
        control=settings.ControlSettings(
            networks=networks,
            auto=AUTO in model.networks,
            listeners=listeners,
            zones=zones,
            sources=sources,
            conflicts=_conflicts(model.conflicts),
            upstreams=upstreams,
            admin_listen=parse(model.admin.listen) if model.admin.listen else None,
            state_directory=_absolute(folder / model.state.directory),
            workers=model.dns.workers,
        ),
        workers=model.dns.workers,
        warnings=tuple(notes),
    )


def _source(source: Source, folder: Path) -> settings.SourceSettings:
    if isinstance(source, FilesSection):
        return settings.SourceSettings(source.name, source.type, _absolute(folder / source.path), source.on_unsynced)
    given = source.credential
    credential = settings.Credential(
        type=given.type,
        tenant_id=given.tenant_id or "",
        client_id=given.client_id or "",
        secret=_secret(given.secret, folder),
        certificate=_secret(given.certificate, folder),
        password=_secret(given.password, folder),
    )
    management = source.management or CLOUDS[source.cloud].management
    webhook = source.events
    events = settings.EventSettings(parse(webhook.listen), _found(webhook.secret, folder)) if webhook else None
    azure = settings.AzureSettings(
        source.subscriptions, source.interval, source.cloud, management, credential, source.private_dns, events
    )
    return settings.SourceSettings(
        source.name, source.type, management, source.on_unsynced, source.hold_down, source.expire, azure
    )


def _secret(given: SecretReference | None, folder: Path) -> settings.Secret | None:
    return None if given is None else _found(given, folder)


def _found(given: SecretReference, folder: Path) -> settings.Secret:
    file = _absolute(folder / given.file) if given.file else ""
    return settings.Secret(file, given.environment or "")


def _worker(
    model: Configuration,
    folder: Path,
    networks: tuple[settings.Network, ...],
    listeners: tuple[settings.NetworkListener, ...],
    zones: settings.Zones,
    upstreams: tuple[settings.UpstreamGroup, ...],
) -> settings.WorkerSettings:
    dns, cache = model.dns, model.cache
    secrets = dns.cookies.secrets
    tls, https = dns.tls, dns.https
    return settings.WorkerSettings(
        listen=_addresses(dns.listen),
        allow=dns.allow,
        tls=settings.Tls(_addresses(tls.listen), *_pair(tls, folder)) if tls else None,
        https=settings.Https(_addresses(https.listen), *_pair(https, folder), https.path) if https else None,
        proxy_from=dns.proxy.from_ if dns.proxy else (),
        forwarders=dns.forwarders,
        drop_clients=dns.drop.clients,
        drop_names=tuple(map(_name, dns.drop.names)),
        streams=settings.Streams(dns.streams.idle, dns.streams.connections, dns.streams.per_client or 0),
        rate_limit=_rate_limit(dns.rate_limit) if dns.rate_limit else None,
        cookies=settings.CookieSettings(
            dns.cookies.answer, _absolute(folder / secrets) if secrets else "", os.urandom(32)
        ),
        identity=dns.identity or socket.gethostname(),
        payload=dns.payload,
        rotate=dns.rotate,
        networks=networks,
        auto=AUTO in model.networks,
        listeners=listeners,
        zones=zones,
        upstreams=upstreams,
        cache=settings.CacheSettings(cache.size, cache.stale, cache.prefetch),
        mark=os.urandom(8),
        unsynced=any(source.on_unsynced == "servfail" for source in model.sources),
    )


def _addresses(texts: Iterable[str]) -> tuple[HostPort, ...]:
    return tuple(map(parse, texts))


def _rate_limit(limit: RateLimitSection) -> settings.RateLimit:
    return settings.RateLimit(
        per_second=limit.per_second,
        burst=limit.burst or 2 * limit.per_second,
        slip=limit.slip,
        ipv4_prefix=limit.ipv4_prefix,
        ipv6_prefix=limit.ipv6_prefix,
        exempt=limit.exempt,
    )


def _pair(section: TlsSection | HttpsSection, folder: Path) -> tuple[str, str]:
    return _absolute(folder / section.certificate), _absolute(folder / section.key)


def _servers(
    group: str, upstream: UpstreamSection, folder: Path, listen: Iterable[str]
) -> tuple[tuple[settings.Server, ...], list[str]]:
    if upstream.resolv_conf:
        return system_servers(folder / upstream.resolv_conf, listen, group, count_errors=upstream.count_errors)
    ca = _absolute(folder / upstream.ca) if upstream.ca else ""
    servers = tuple(
        settings.Server(
            given.transport, address, given.port, given.name, given.pin, ca, given.path, upstream.count_errors
        )
        for given, address in placed(map(server, upstream.servers), upstream.bootstrap)
    )
    return servers, []


def _upstream(
    group: str, upstream: UpstreamSection, servers: tuple[settings.Server, ...], workers: int
) -> settings.UpstreamGroup:
    answers = upstream.rebinding.answers
    public = not upstream.resolv_conf and all(not is_private(ip_address(each.address).packed) for each in servers)
    return settings.UpstreamGroup(
        name=group,
        servers=servers,
        suffixes=tuple(map(_name, upstream.suffixes)),
        policy=upstream.policy,
        rebinding=settings.Rebinding(
            "strip" if answers == "strip" or (answers == "auto" and public) else "pass",
            tuple(map(_name, upstream.rebinding.allow)),
        ),
        mixed_case=upstream.mixed_case,
        rate=(upstream.rate or 0) // workers,
    )


def _conflicts(conflicts: ConflictsSection) -> settings.ConflictSettings:
    pins = tuple(
        settings.Pin(pin.name, pin.endpoint, pin.network, until(pin.until) if pin.until else None, pin.reason)
        for pin in conflicts.pins
    )
    policies = {_name(zone): ConflictPolicy(policy) for zone, policy in conflicts.policies.items()}
    return settings.ConflictSettings(ConflictPolicy(conflicts.policy), policies, pins)


def _name(text: str) -> str:
    return name.to_text(name.from_text(text))


def key_files(model: Configuration, folder: Path) -> list[Refusal]:
    """What is wrong with certificates, keys and secrets: read now, so that a listener does not start without them."""
    dns = model.dns
    refused: list[Refusal] = []
    for group, upstream in model.upstreams.items():
        if upstream.ca and (why := _no_authorities(_absolute(folder / upstream.ca))):
            refused.append((("upstreams", group, "ca"), why))
    for role, section in (("tls", dns.tls), ("https", dns.https)):
        if section is None:
            continue
        files = {key: _absolute(folder / getattr(section, key)) for key in ("certificate", "key")}
        missing = [(("dns", role, key), why) for key, file in files.items() if (why := _unreadable(file))]
        refused += missing
        if not missing:
            try:
                certificate.load(certificate.context(), settings.Tls((), **files))
            except ValueError as error:
                refused.append((("dns", role, "certificate"), str(error)))
    if dns.cookies.secrets:
        file = _absolute(folder / dns.cookies.secrets)
        why = _unreadable(file)
        if not why:
            try:
                read_secrets(Path(file).read_bytes().decode("ascii"))
            except ValueError as error:
                why = f"{file}: {error}"
        refused += [(("dns", "cookies", "secrets"), why)] if why else []
    return refused


def _no_authorities(file: str) -> str:
    """Why its certificates cannot be read."""
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        return f"{file} holds no certificates in PEM"
    except OSError as error:
        return f"{file} cannot be read: {error.strerror}"
    return ""


def _unreadable(file: str) -> str:
    try:
        Path(file).read_bytes()
    except OSError as error:
        return f"{file} cannot be read: {error.strerror}"
    return ""


def zone_files(patterns: Iterable[str], folder: Path) -> tuple[ZoneFiles, list[Refusal], list[str]]:
    """The zone files that `patterns` match under `folder`, what is wrong, and what is odd."""
    files: ZoneFiles = {}
    refused: list[Refusal] = []
    notes: list[str] = []
    for i, pattern in enumerate(patterns):
        found = _matches(folder, pattern)
        if not found and glob.has_magic(pattern):
            notes.append(f"zones.files[{i}]: no file matches `{pattern}`")
        elif not found:
            refused.append((("zones", "files", i), f"there is no file `{pattern}`"))
        refused += [(("zones", "files", i), why) for file in found if file not in files and (why := _take(file, files))]
    return files, refused, notes


def _matches(folder: Path, pattern: str) -> list[str]:
    anchored = str(Path(glob.escape(str(folder))) / pattern)
    found = (Path(path) for path in glob.glob(anchored, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    return sorted(_absolute(path) for path in found if not path.is_dir())


def _take(file: str, files: ZoneFiles) -> str:
    """Add `file` with its origin to `files`, or say why not."""
    try:
        origin = zonefile.parse(Path(file).read_bytes().decode(), file).origin
    except OSError as error:
        return f"{file} cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        return f"{file} is not UTF-8 (octet {error.start})"
    except zonefile.InvalidZone as error:
        return str(error)
    for other, theirs in files.items():
        if theirs == origin:
            return f"{file} and {other} are both the zone `{name.to_text(origin)}`"
    files[file] = origin
    return ""


def system_servers(
    file: Path, listen: Iterable[str], group: str = "public", *, count_errors: bool = True
) -> tuple[tuple[settings.Server, ...], list[str]]:
    """The name servers of resolv.conf without ourselves, and sentences about those left out."""
    servers: dict[settings.Server, None] = {}
    notes = []
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError as error:
        lines = []
        notes.append(f"{file} cannot be read: {error.strerror}")
    for words in (line.split() for line in lines):
        if len(words) < 2 or words[0] != "nameserver":
            continue
        try:
            at = parse(bracketed(words[1]), 53)
        except InvalidHostPort as error:
            notes.append(f"{file}: name server left out: {error}")
            continue
        if own(at, listen):
            notes.append(f"{file}: name server {at.host} is this server itself; left out")
        else:
            servers[settings.Server("udp", at.host, at.port, count_errors=count_errors)] = None
    if not servers:
        what = "public names" if group == "public" else f"names of group `{group}`"
        notes.append(f"there is no name server in {file}: {what} cannot be resolved")
    return tuple(servers), notes


def _absolute(path: Path) -> str:
    """Without `..`, but symbolic links kept: a mounted ConfigMap changes where they lead."""
    return os.path.abspath(path)  # noqa: PTH100 - resolve() follows links, absolute() keeps `..`
