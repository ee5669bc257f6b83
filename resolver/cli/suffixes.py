"""`pldns suffixes`: prints what other resolvers forward to pldns, as a list or in the syntax of a product.

Needs no daemon.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from resolver.cli import forwarder_syntax, output
from resolver.cli.configuration import load
from resolver.cli.daemon_address import parse_address
from resolver.cli.failure import Failed
from resolver.cli.options import ForwarderProduct
from resolver.offline import forwarded_names
from resolver.offline.load import offline
from resolver.settings import Accepted
from zones.azure.catalogue import catalogue
from zones.azure.catalogue_rows import CatalogueRows
from zones.azure.forwarded_suffixes import of_catalogue, topmost
from zones.clocks import WallTime
from zones.dns.name import InvalidName, Name, from_text, host_from_text, to_text


class Wanted(NamedTuple):
    """Which suffixes to print, besides those of the estate."""

    whole: bool
    """All suffixes of the catalogue as well."""
    cloud: str | None
    """Of the catalogue, only those of this cloud."""
    also: Sequence[str]


def run(
    config: Path | None, wanted: Wanted, *, product: ForwarderProduct | None, servers: Sequence[str], as_json: bool
) -> int:
    """Print the suffixes, as a list or in the syntax of a product; return 0. Raises `Failed`.

    `config`: the configuration file; None: there is no estate, so all suffixes of the catalogue are printed.
    """
    suffixes = list(_host_names(topmost(_found(config, wanted))))
    if product is None:
        if servers:
            raise Failed("--server: only the syntax of a product has addresses; add `--for PRODUCT`")
        if as_json:
            output.data(suffixes)
            return 0
        lines = suffixes
    elif as_json:
        raise Failed("-o json, -o yaml: `--for` prints the syntax of the product; leave one of them out")
    else:
        lines = _configured(product, suffixes, servers)
    for line in lines:
        output.line(line)
    return 0


def _configured(product: ForwarderProduct, suffixes: Sequence[str], servers: Sequence[str]) -> list[str]:
    """Return the configuration of a product, line by line. Raises `Failed`."""
    if not servers:
        raise Failed(f"--for {product} needs --server: the address at which {product} reaches pldns; repeatable")
    if not suffixes:
        raise Failed("the estate has no names yet; `--all` takes the suffixes of the whole catalogue")
    try:
        return list(forwarder_syntax.text(product, suffixes, [parse_address(server) for server in servers]))
    except forwarder_syntax.UnsupportedForwarding as error:
        raise Failed(str(error)) from None


def _found(config: Path | None, wanted: Wanted) -> set[Name]:
    """Return the suffixes. Some may lie below others."""
    if wanted.cloud and config is not None and not wanted.whole:
        raise Failed("--cloud: the suffixes are those of the estate; `--all` adds those of the catalogue")
    accepted = load(config, {}) if config else None
    found = {_parsed(text) for text in wanted.also}
    if accepted is not None:
        found |= _of_estate(accepted)
    if accepted is None or wanted.whole:
        configured = accepted.control.catalogue if accepted else ()
        found |= of_catalogue(CatalogueRows(catalogue(configured), configured), wanted.cloud)
    return found


def _parsed(text: str) -> Name:
    try:
        return from_text(text)
    except InvalidName as error:
        raise Failed(f"--also {text}: not a domain name: {error}") from None


def _of_estate(accepted: Accepted) -> set[Name]:
    """Return the suffixes of the estate. Notes the sources that cannot be read."""
    estate = offline(accepted.control, WallTime(time.time()))
    for source in estate.sources.values():
        if source.last_error:
            output.note(f"source {source.name}: its names are missing: {source.last_error}")
    return forwarded_names.suffixes(estate, map(from_text, accepted.worker.zones.private_only))


def _host_names(names: Sequence[Name]) -> list[str]:
    """Return the names as text, without those that not every product can have in its configuration."""
    found = []
    for name in names:
        text = to_text(name)
        try:
            host_from_text(text)
        except InvalidName:
            output.note(f"{text} is left out: not every resolver can forward a name that is not a host name")
        else:
            found.append(text)
    return found
