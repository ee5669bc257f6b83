"""Validating resolvers that forward everything to one server, with the key of the root as their only trust anchor."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import dns.exception
import dns.message
import dns.query

from tests.live.daemon import until
from tests.live.programs import running
from tests.paths import ROOT
from tests.peers import tool


class Validator(NamedTuple):
    """A folder, the port to listen on, the port of the server, and the DS record of the root as `. DS …`."""

    folder: Path
    port: int
    server: int
    anchor: str


@contextmanager
def started(validators: list[tuple[str, Validator]]) -> Iterator[None]:
    """Run validators, given with their product, until the block ends. All answer from the start of the block."""
    with ExitStack() as stack:
        for product, validator in validators:
            validator.folder.mkdir(parents=True)
            log = validator.folder / "log"
            stack.enter_context(running(*_COMMANDS[product](validator), log=log))
        for _, validator in validators:
            until(partial(_answers, validator.port))
        yield


def _answers(port: int) -> bool:
    try:
        dns.query.udp(dns.message.make_query("ready.", "A"), "127.0.0.1", 0.2, port)
    except (OSError, dns.exception.Timeout):
        return False
    return True


@contextmanager
def recursive(folder: Path, port: int, authority: int, zones: list[str]) -> Iterator[None]:
    """Run an Unbound that resolves these zones without validation."""
    folder.mkdir()
    stubs = "".join(f'stub-zone:\n  name: "{name}"\n  stub-addr: 127.0.0.1@{authority}\n' for name in zones)
    with running(*_unbound_of(folder, port, "iterator", "", stubs), log=folder / "log"):
        until(partial(_answers, port))
        yield


def _unbound(validator: Validator) -> tuple[str | Path, ...]:
    forward = f'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@{validator.server}\n'
    anchor = f'  trust-anchor: "{validator.anchor}"\n  val-log-level: 2\n'
    return _unbound_of(validator.folder, validator.port, "validator iterator", anchor, forward)


def _unbound_of(folder: Path, port: int, modules: str, server: str, zones: str) -> tuple[str | Path, ...]:
    file = folder / "unbound.conf"
    file.write_text(
        f'server:\n  interface: 127.0.0.1@{port}\n  do-daemonize: no\n  username: ""\n  chroot: ""\n'
        f'  directory: "{folder}"\n  pidfile: ""\n  use-syslog: no\n  logfile: ""\n  module-config: "{modules}"\n'
        f'  do-not-query-localhost: no\n  local-zone: "test." nodefault\n{server}'
        f"remote-control:\n  control-enable: no\n{zones}"
    )
    return tool("unbound"), "-d", "-c", file


def _bind(validator: Validator) -> tuple[str | Path, ...]:
    file = validator.folder / "named.conf"
    file.write_text(f"""
controls {{}};
options {{
  directory "{validator.folder}";
  pid-file none;
  session-keyfile none;
  listen-on port {validator.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  forward only;
  forwarders {{ 127.0.0.1 port {validator.server}; }};
  dnssec-validation yes;
}};
trust-anchors {{ {static_ds(validator.anchor)} }};
""")
    return tool("named"), "-g", "-n", "1", "-c", file


def static_ds(anchor: str) -> str:
    """Return a trust anchor as BIND and delv write it."""
    tag, algorithm, kind, digest = anchor.split()[2:]
    return f'. static-ds {tag} {algorithm} {kind} "{digest}";'


def _knot_resolver(validator: Validator) -> tuple[str | Path, ...]:
    file = validator.folder / "kresd.conf"
    file.write_text(f"""
net.listen('127.0.0.1', {validator.port})
cache.size = 10 * MB
trust_anchors.remove('.')
trust_anchors.add('{validator.anchor}')
policy.add(policy.all(policy.FORWARD('127.0.0.1@{validator.server}')))
""")
    return tool("kresd"), "-n", "-c", file, validator.folder


def _systemd_resolved(validator: Validator) -> tuple[str | Path, ...]:
    """Return the command that runs systemd-resolved in a mount namespace: it has no option for its files.

    It then has a configuration, `/run` and users of its own, and neither D-Bus nor the stub listener on port 53.
    """
    files = {
        "resolved.conf": f"""[Resolve]
DNS=127.0.0.1:{validator.server}
DNSSEC=yes
DNSStubListener=no
DNSStubListenerExtra=127.0.0.1:{validator.port}
ReadEtcHosts=no
LLMNR=no
MulticastDNS=no
""",
        "root.positive": f"{validator.anchor.replace(' DS ', ' IN DS ')}\n",
        "only.negative": "insecure.invalid\n",  # instead of the built-in list, which has `test`
        "passwd": "root:x:0:0::/:/bin/sh\nsystemd-resolve:x:65533:65533::/:/bin/sh\n",
        "group": "root:x:0:\nsystemd-resolve:x:65533:\n",
        "start.sh": """set -e
mount --make-rprivate /
for file in passwd group; do mount --bind "$1/$file" "/etc/$file"; done
mount -t tmpfs none /etc/systemd
cp "$1/resolved.conf" /etc/systemd/
mount -t tmpfs none /run
mkdir -p /run/systemd/resolve /run/dbus /run/dnssec-trust-anchors.d
cp "$1/root.positive" "$1/only.negative" /run/dnssec-trust-anchors.d/
chown -R systemd-resolve:systemd-resolve /run/systemd
exec "$2"
""",
    }
    for name, text in files.items():
        (validator.folder / name).write_text(text)
    return "unshare", "-m", "sh", validator.folder / "start.sh", validator.folder, RESOLVED


RESOLVED: Final = ROOT / "build/systemd-resolved/lib/systemd/systemd-resolved"
"""From Debian's package, which is not installed: that would replace /etc/resolv.conf."""


def available(product: str) -> bool:
    """Return whether a product can run here. Only systemd-resolved may be missing: it needs a mount namespace."""
    if product != "systemd-resolved":
        return True
    tried = ["unshare", "-m", str(RESOLVED), "--version"]
    return RESOLVED.exists() and subprocess.run(tried, capture_output=True, check=False).returncode == 0


_COMMANDS: Final[dict[str, Callable[[Validator], tuple[str | Path, ...]]]] = {
    "unbound": _unbound, "bind": _bind, "knot-resolver": _knot_resolver,
    "systemd-resolved": _systemd_resolved,
}  # fmt: skip
PRODUCTS: Final = tuple(_COMMANDS)
