"""The name servers in a resolv.conf file, read once when the configuration is loaded."""

from collections.abc import Iterable
from ipaddress import IPv6Address
from pathlib import Path

from resolver import settings
from resolver.config.own_address import is_own
from resolver.host_port import InvalidHostPort, bracketed, parse


def name_servers(
    file: Path, listen: Iterable[str], group: str = "public", *, count_errors: bool = True
) -> tuple[tuple[settings.Server, ...], list[str]]:
    """Return the name servers in `file`, and a warning for each that is left out.

    A name server that is this server itself (one of `listen`) is left out: asking it would be a loop. `group` is the
    upstream group that the servers are for, `count_errors` is that group's setting. Raises nothing: a file that cannot
    be read has no name servers.
    """
    servers: dict[settings.Server, None] = {}
    notes = []
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError as error:
        lines = []
        notes.append(f"cannot read {file}: {error.strerror}")
    for words in (line.split() for line in lines):
        if len(words) < 2 or words[0] != "nameserver":
            continue
        try:
            at = parse(bracketed(words[1]), 53)
        except InvalidHostPort as error:
            notes.append(f"{file}: skipping a name server: {error}")
            continue
        if isinstance(at.address, IPv6Address) and at.address.is_link_local and at.address.scope_id is None:
            notes.append(f"{file}: skipping name server {at.host}, a link-local address without its interface")
        elif is_own(at, listen):
            notes.append(f"{file}: skipping name server {at.host}, which is this server itself")
        else:
            servers[settings.Server("udp", at.host, at.port, count_errors=count_errors)] = None
    if not servers:
        what = "public names" if group == "public" else f"names of group `{group}`"
        notes.append(f"{file} has no usable name server: {what} cannot be resolved")
    return tuple(servers), notes
