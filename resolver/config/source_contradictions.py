"""Rules between keys of sources, of the registry and of the hub.

Each takes a model whose values are valid one by one and yields the contradictions that it finds.
"""

from collections.abc import Iterator
from typing import Final

from resolver.azure_settings import CredentialType
from resolver.config.contradiction import Contradiction, twice
from resolver.config.model import Configuration
from resolver.config.nodes import Part
from resolver.config.registry_roles import RegistryRolesSection
from resolver.config.sources import (
    AzureSection,
    CredentialSection,
    HubSourceSection,
    RegistrySourceSection,
    SecretReference,
)
from resolver.host_port import parse

_CREDENTIAL_KEYS: Final[dict[CredentialType, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "default": ((), ("client_id",)),
    "managed-identity": ((), ("client_id",)),
    "workload-identity": ((), ("tenant_id", "client_id")),
    "cli": ((), ("tenant_id",)),
    "client-secret": (("tenant_id", "client_id", "secret"), ("authority",)),
    "certificate": (("tenant_id", "client_id", "certificate"), ("password", "authority")),
}
"""By type of credential: the keys that it needs, and the keys that it may have."""


def of_sources(model: Configuration) -> Iterator[Contradiction]:
    """Yield the contradictions in `sources`."""
    for i, source in enumerate(model.sources):
        if isinstance(source, HubSourceSection) and source.token:
            yield from one_of(("sources", i, "token"), source.token)
        if not isinstance(source, AzureSection):
            continue
        where: tuple[Part, ...] = ("sources", i, "subscriptions")
        yield from twice("subscription", (((*where, j), each) for j, each in enumerate(source.subscriptions)))
        yield from _credential(("sources", i, "credential"), source.credential)
        if source.events:
            yield from one_of(("sources", i, "events", "secret"), source.events.secret)


def _credential(where: tuple[Part, ...], given: CredentialSection) -> Iterator[Contradiction]:
    needed, possible = _CREDENTIAL_KEYS[given.type]
    for key in needed:
        if getattr(given, key) is None:
            yield Contradiction(where, f"a `{given.type}` needs `{key}`")
    for key in ("tenant_id", "client_id", "secret", "certificate", "password", "authority"):
        value = getattr(given, key)
        if value is not None and key not in (*needed, *possible):
            yield Contradiction((*where, key), f"a credential of type `{given.type}` has no `{key}`")
        elif isinstance(value, SecretReference):
            yield from one_of((*where, key), value)


def one_of(where: tuple[Part, ...], reference: SecretReference) -> Iterator[Contradiction]:
    """Yield what is wrong with a reference to a secret."""
    if bool(reference.file) == bool(reference.environment):
        yield Contradiction(where, "needs either `file` or `environment`")


def of_registry(model: Configuration) -> Iterator[Contradiction]:
    """Yield the contradictions between `registry` and the sources of this type."""
    registry = model.registry
    sources = [i for i, source in enumerate(model.sources) if isinstance(source, RegistrySourceSection)]
    of_tokens = [(i, each.registry) for i, each in enumerate(model.admin.tokens) if each.registry]
    if registry is None:
        for i, _ in of_tokens:
            yield Contradiction(
                ("admin", "tokens", i, "registry"), "there is no registry: it needs the section `registry`"
            )
        if sources:
            yield Contradiction(
                ("sources", sources[0], "type"), "there is no registry: it needs the section `registry`"
            )
        return
    for i in sources[1:]:
        yield Contradiction(("sources", i, "type"), "there is one registry, and another source has it already")
    if not parse(registry.listen).address.is_loopback and not registry.tls:
        yield Contradiction(("registry", "listen"), f"`{registry.listen}` is not loopback: it needs `registry.tls`")
    if registry.database_password:
        where: tuple[Part, ...] = ("registry", "database_password")
        if registry.database is None or registry.database.password:
            yield Contradiction(where, "needs a `database` without a password in its URL")
        yield from one_of(where, registry.database_password)
    known = tuple(each.id for each in registry.subscriptions)
    where = ("registry", "subscriptions")
    yield from twice("subscription", (((*where, i, "id"), each) for i, each in enumerate(known)))
    where = ("registry", "clients")
    yield from twice("client", (((*where, i, "id"), each.id) for i, each in enumerate(registry.clients)))
    yield from twice("client", (((*where, i, "name"), each.name) for i, each in enumerate(registry.clients)))
    given: list[tuple[tuple[Part, ...], RegistryRolesSection]] = []
    given += [((*where, i), client) for i, client in enumerate(registry.clients)]
    given += [(("admin", "tokens", i, "registry"), roles) for i, roles in of_tokens]
    for at, roles in given:
        for role in ("owner", "consumer", "reader"):
            for j, subscription in enumerate(getattr(roles, role)):
                if subscription not in known:
                    message = f"the registry has no subscription `{subscription}`"
                    yield Contradiction((*at, role, j), message, subscription, known)


def of_hub(model: Configuration) -> Iterator[Contradiction]:
    """Yield the contradictions in `hub`."""
    hub = model.hub
    if hub and not parse(hub.listen).address.is_loopback and not hub.tls:
        yield Contradiction(("hub", "listen"), f"`{hub.listen}` is not loopback: it needs `hub.tls`")
    if hub and hub.tls and hub.tls.clients and not hub.tls.client_ca:
        yield Contradiction(("hub", "tls", "clients"), "`hub.tls.client_ca` must name the authorities of the clients")
