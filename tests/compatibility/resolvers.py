"""The resolvers that are tried in front of pldns and behind it, and what is known of how each differs.

A difference that is not listed here is a failure of pldns until it is explained.
"""

import re
import subprocess
from typing import Final

from tests.live.forwarders import COMMANDS, Site
from tests.peers import tool


def dnsdist(site: Site) -> tuple[str, ...]:
    """Write the files of a dnsdist with a packet cache in front of one server. Return its command."""
    file = site.folder / "dnsdist.conf"
    file.write_text(f"""
setLocal('127.0.0.1:{site.port}')
setSecurityPollSuffix('')
newServer({{address='127.0.0.1:{site.public}', useClientSubnet=true}})
getPool(''):setCache(newPacketCache(10000))
""")
    return tool("dnsdist"), "--supervised", "--disable-syslog", "-C", str(file)


RESOLVERS: Final = {
    "Unbound": ("unbound", COMMANDS["unbound"]),
    "BIND": ("named", COMMANDS["bind"]),
    "dnsmasq": ("dnsmasq", COMMANDS["dnsmasq"]),
    "Knot Resolver": ("kresd", COMMANDS["knot-resolver"]),
    "dnsdist": ("dnsdist", dnsdist),
}
"""By the name in the tables: the program, and what writes its files and returns its command."""
PRODUCTS: Final = {"Unbound": "unbound", "BIND": "bind", "dnsmasq": "dnsmasq", "Knot Resolver": "knot-resolver"}
"""The resolvers for which `pldns suffixes` prints a configuration."""


def version(name: str) -> str:
    """Return the version of a resolver's program."""
    program = tool(RESOLVERS[name][0] if name in RESOLVERS else name.lower())
    flag = {"nsd": "-v", "dnsmasq": "--version", "dnsdist": "--version"}.get(program.rpartition("/")[2], "-V")
    done = subprocess.run([program, flag], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d[\w.]*", done.stdout + done.stderr)
    return found[0] if found else "?"
