"""The Debian package: built in a clean root; installed, upgraded and removed in another one, while pldns runs there.

systemd does not run in the root. A program in place of systemctl writes down what the package asks of systemd.
"""

import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from resolver.dashboard import built
from tests.packaging import roots
from tests.packaging.daemons import answers, running
from tests.packaging.roots import Root
from tests.packaging.sources import copy_sources
from tests.ports import free_port

CONFIGURATION = "/etc/pldns/pldns.yaml"
SYSTEMCTL = """#!/bin/sh
# Enables and disables units. Of a service it remembers whether it was started.
echo "$@" >>/systemctl.log
case "$*" in
  *preset*|*enable*|*mask*) SYSTEMD_OFFLINE=1 exec /usr/bin/systemctl.real "$@" ;;
  *is-active*) test -e /active ;;
  *start*) touch /active ;;
  *stop*) rm -f /active ;;
esac
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """The package, and the same as a later version."""
    with roots.fresh(tmp_path_factory.mktemp("builder") / "root", roots.BUILD) as root:
        copy_sources(root.path("src"))
        shutil.copytree(built.FOLDER, root.path("src/resolver/dashboard/assets"))
        shutil.copytree(roots.wheels(), root.path("wheels"))
        root.path("out").mkdir()
        root.run("sh", "/src/deploy/debian/build", "/out", "/wheels")
        (file,) = root.path("out").iterdir()
        root.run("dpkg-deb", "--raw-extract", f"/out/{file.name}", "/later")
        control = root.path("later/DEBIAN/control")
        control.write_text(control.read_text().replace("-1\nArch", "-2\nArch"))
        root.run("dpkg-deb", "--root-owner-group", "-Znone", "--build", "/later", "/later.deb")
        return file.read_bytes(), root.path("later.deb").read_bytes()


@pytest.fixture
def root(tmp_path: Path, packages: tuple[bytes, bytes]) -> Iterator[Root]:
    with roots.fresh(tmp_path / "root", roots.RUN) as root:
        root.path("first.deb").write_bytes(packages[0])
        root.path("later.deb").write_bytes(packages[1])
        systemctl = root.path("usr/bin/systemctl")
        systemctl.rename(root.path("usr/bin/systemctl.real"))
        systemctl.write_text(SYSTEMCTL)
        systemctl.chmod(0o755)
        root.path("run/systemd/system").mkdir(parents=True)
        yield root


def asked(root: Root) -> list[str]:
    """Return what was asked of systemd since the last call."""
    log = root.path("systemctl.log")
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return [line.removeprefix("--quiet ").removeprefix("--system ") for line in lines]


def test_the_package_is_installed_upgraded_removed_and_purged(root: Root, tmp_path: Path) -> None:
    root.run("dpkg", "--install", "/first.deb")
    assert "start pldns.service" in asked(root)
    assert root.exists("/etc/systemd/system/multi-user.target.wants/pldns.service")
    assert root.run("pldns", "version").startswith("pldns ")
    root.run("pldns", "check")
    for file in ("man/man1/pldns-serve.1.gz", "bash-completion/completions/pldns", "zsh/vendor-completions/_pldns"):
        assert root.path(f"usr/share/{file}").stat().st_size > 100
    root.run("systemd-analyze", "verify", "--man=no", "/usr/lib/systemd/system/pldns.service")

    port, admin = free_port(), free_port()
    own = f"dns: {{listen: ['127.0.0.1:{port}']}}\nadmin: {{listen: '127.0.0.1:{admin}'}}\n"
    root.path(CONFIGURATION).write_text(f"{own}upstreams: {{public: {{servers: ['udp://127.0.0.1:9']}}}}\n")
    serve = root.command(
        "/opt/pldns/bin/pldns", "serve", "-c", CONFIGURATION, "--set", "state.directory=/var/lib/pldns"
    )
    with running(serve, lambda _: answers(port), tmp_path / "first.log"):
        root.run("dpkg", "--install", "/later.deb")
        assert "restart pldns.service" in asked(root)
        assert answers(port)
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/ui/") as page:
            assert built.read(built.FOLDER).scripts[0].encode() in page.read()
    assert root.path(CONFIGURATION).read_text().startswith(own)
    assert root.run("dpkg-query", "--show", "--showformat=${Version}", "pldns").endswith("-2")
    with running(serve, lambda _: answers(port), tmp_path / "later.log"):
        root.run("dpkg", "--remove", "pldns")
        assert any(line.startswith("stop pldns.service") for line in asked(root))
        assert answers(port)
    assert not root.exists("/opt/pldns")
    assert not root.exists("/usr/bin/pldns")
    assert root.exists(CONFIGURATION)
    assert root.exists("/var/lib/pldns")

    root.run("dpkg", "--purge", "pldns")
    left = [
        path for path in ("/etc/pldns", "/var/lib/pldns", "/opt/pldns", "/usr/share/doc/pldns") if root.exists(path)
    ]
    assert left == []
    assert not root.exists("/etc/systemd/system/multi-user.target.wants/pldns.service")


def test_a_disabled_service_stays_disabled_over_an_upgrade(root: Root) -> None:
    root.run("dpkg", "--install", "/first.deb")
    root.path("etc/systemd/system/multi-user.target.wants/pldns.service").unlink()
    root.run("dpkg", "--install", "/later.deb")
    assert not root.exists("/etc/systemd/system/multi-user.target.wants/pldns.service")
