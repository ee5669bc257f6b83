"""Resolvers that clients use instead of pldns, each with the text of `pldns suffixes` and a base like a careful site's.

The base of each has rebinding protection and DNSSEC validation on, and one server for all other names. Unbound mixes
the case of the names that it asks for, BIND sends cookies, and dnsmasq sends the client's subnet.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Final, NamedTuple

import dns.exception
import dns.message
import dns.query

from resolver.cli import main
from tests.live.daemon import until
from tests.live.programs import running
from tests.peers import tool

PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8")


class Site(NamedTuple):
    """What a forwarder needs: a folder, its port, the port of the public server, the anchor, and the printed text."""

    folder: Path
    port: int
    public: int
    anchor: str
    """The DS record of the root, as `. DS KEYTAG ALGORITHM TYPE DIGEST`."""
    text: str


def printed(product: str, config: Path, port: int) -> str:
    """Return what `pldns suffixes` prints for a product that reaches pldns at a port of 127.0.0.1.

    With the reverse zone of the estate's addresses.
    """
    text = StringIO()
    command = ["suffixes", "--for", product, "--server", f"127.0.0.1:{port}", "--also", "10.in-addr.arpa"]
    with redirect_stdout(text):
        assert main([*command, "-c", str(config)]) == 0
    return text.getvalue()


@contextmanager
def started(sites: dict[str, Site]) -> Iterator[None]:
    """Run products until the block ends. All of them answer from the first line of the block on."""
    with ExitStack() as stack:
        for product, site in sites.items():
            site.folder.mkdir()
            stack.enter_context(running(*COMMANDS[product](site), log=site.folder / "log"))
        for site in sites.values():
            answering(site.port)
        yield


def answering(port: int) -> None:
    """Return when the server at a port answers."""
    until(partial(_answers, port))


def _answers(port: int) -> bool:
    try:
        dns.query.udp(dns.message.make_query("ready.example", "A"), "127.0.0.1", 0.2, port)
    except (OSError, dns.exception.Timeout):
        return False
    return True


def _unbound(site: Site) -> tuple[str, ...]:
    private = "".join(f"  private-address: {prefix}\n" for prefix in PRIVATE)
    (site.folder / "pldns.conf").write_text(site.text or "server:\n  do-not-query-localhost: no\n")
    file = site.folder / "unbound.conf"
    file.write_text(f"""
server:
  interface: 127.0.0.1@{site.port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{site.folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  trust-anchor: "{site.anchor}"
  use-caps-for-id: yes
{private}
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{site.public}
include: "{site.folder}/pldns.conf"
""")
    return tool("unbound"), "-d", "-c", str(file)


def _bind(site: Site) -> tuple[str, ...]:
    exempted = re.search(r"// (except-from \{ .* \});", site.text)
    tag, algorithm, kind, digest = site.anchor.split()[2:]
    base = f"""options {{
  directory "{site.folder}";
  pid-file none;
  session-keyfile none;
  listen-on port {site.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  forward only;
  forwarders {{ 127.0.0.1 port {site.public}; }};
  dnssec-validation yes;
  deny-answer-addresses {{ {" ".join(f"{prefix};" for prefix in PRIVATE)} }} {exempted[1] if exempted else ""};
"""
    text = site.text or "options {\n};\n"
    assert text.count("options {\n") == 1
    file = site.folder / "named.conf"
    file.write_text(
        f'controls {{}};\ntrust-anchors {{ . static-ds {tag} {algorithm} {kind} "{digest}"; }};\n'
        + text.replace("options {\n", base)
    )
    return tool("named"), "-g", "-n", "1", "-c", str(file)


def _dnsmasq(site: Site) -> tuple[str, ...]:
    (site.folder / "pldns.conf").write_text(site.text)
    return (
        tool("dnsmasq"), "--keep-in-foreground", f"--port={site.port}", "--listen-address=127.0.0.1",
        "--bind-interfaces", "--no-resolv",
        "--no-hosts", f"--server=127.0.0.1#{site.public}", f"--conf-file={site.folder}/pldns.conf",
        "--user=", "--pid-file=", "--log-facility=-",
        "--add-subnet=24,56", "--stop-dns-rebind", "--dnssec",
        f"--trust-anchor=.,{','.join(site.anchor.split()[2:])}",
    )  # fmt: skip


def _knot_resolver(site: Site) -> tuple[str, ...]:
    file = site.folder / "kresd.conf"
    file.write_text(f"""
net.listen('127.0.0.1', {site.port})
cache.size = 10 * MB
modules.load('rebinding < iterate')
trust_anchors.remove('.')
trust_anchors.add('{site.anchor}')
{site.text}
policy.add(policy.all(policy.FORWARD('127.0.0.1@{site.public}')))
""")
    return tool("kresd"), "-n", "-c", str(file), str(site.folder)


COMMANDS: Final[dict[str, Callable[[Site], tuple[str, ...]]]] = {
    "unbound": _unbound, "bind": _bind, "dnsmasq": _dnsmasq, "knot-resolver": _knot_resolver,
}  # fmt: skip
PRODUCTS: Final = tuple(COMMANDS)
