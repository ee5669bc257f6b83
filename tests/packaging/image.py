"""The image: buildah builds it from the Dockerfile, and a process with the documented mounts and rights runs in it.

The base image is a clean root of Debian with its Python, in place of the one that the Dockerfile names: no registry of
images is needed. The container is made of namespaces, since container engines do not run in every sandbox. It has a
network of its own, a root file system that cannot be written, a tmpfs at /tmp, and no capability.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from resolver.dashboard import built
from tests.live.daemon import until
from tests.packaging import roots
from tests.packaging.daemons import running
from tests.packaging.programs import run
from tests.packaging.roots import BASE, PYTHON, fresh
from tests.paths import ROOT

CONFIGURATION: Final = "upstreams: {public: {servers: ['udp://127.0.0.1:9']}}\n"
PIP: Final = "[global]\nno-index = true\nfind-links = /wheels\n"
START: Final = r"""
root=$1 configuration=$2 state=$3; shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind "$configuration" "$root/etc/pldns"
mount --bind "$state" "$root/var/lib/pldns"
mount -t tmpfs -o size=16m,mode=1777 tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,bind,ro "$root"
ip link set lo up
echo 53 >/proc/sys/net/ipv4/ip_unprivileged_port_start
cd "$root"
exec chroot . setpriv --reuid=65532 --regid=65532 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
  env -i PLDNS_DNS__LISTEN='["0.0.0.0:53"]' "$@"
"""


class Builder:
    """buildah with a storage of its own."""

    def __init__(self, folder: Path) -> None:
        self._options = ("--root", folder / "storage", "--runroot", folder / "run", "--storage-driver", "vfs")

    def __call__(self, *command: str | Path) -> str:
        return run("buildah", *self._options, *command)


@dataclass(frozen=True, slots=True)
class Image:
    """The root file system of a container of the image, and the configuration of the image."""

    root: Path
    settings: dict[str, Any]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("image")
    buildah = Builder(folder)
    with fresh(folder / "base", BASE) as base:
        base.path("usr/local/bin/python").symlink_to("/usr/bin/python3")
        base.path("etc/pip.conf").write_text(PIP)
        base.path("root/.npmrc").write_text("offline=true\n")
        shutil.copytree(roots.npm_cache(), base.path("root/.npm"))
        container = buildah("from", "scratch").strip()
        run("cp", "--archive", f"{base.folder}/.", buildah("mount", container).strip())
        buildah("commit", "--quiet", "--rm", container, "localhost/base")
    buildah(
        "build", "--quiet", "--isolation=chroot", "--network=host", "--format=docker", "--tag=pldns",
        f"--volume={roots.wheels()}:/wheels:ro", "--build-arg=BASE=localhost/base", ROOT,
    )  # fmt: skip
    container = buildah("from", "localhost/pldns").strip()
    said = json.loads(buildah("inspect", "--type=image", "localhost/pldns"))
    yield Image(Path(buildah("mount", container).strip()), said["Docker"]["config"])
    shutil.rmtree(folder)


@pytest.fixture
def container(image: Image, tmp_path: Path) -> Iterator[int]:
    """A running container. Gives the process id of its process 1."""
    configuration, state = tmp_path / "configuration", tmp_path / "state"
    for each in (configuration, state, image.root / "etc/pldns"):
        each.mkdir(exist_ok=True)
    (configuration / "pldns.yaml").write_text(CONFIGURATION)
    owner = (image.root / "var/lib/pldns").stat()
    os.chown(state, owner.st_uid, owner.st_gid)
    state.chmod(owner.st_mode)
    command = ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child",
               "sh", "-ec", START, "sh", str(image.root), str(configuration), str(state),
               *image.settings["Env"], *image.settings["Entrypoint"], *image.settings["Cmd"]]  # fmt: skip
    with running(command, answers, tmp_path / "log") as pid:
        yield pid
    said = (tmp_path / "log").read_text()
    assert not re.findall(r"^(?:warning|error) .*", said, re.MULTILINE), said


def answers(pid: int) -> bool:
    """Return whether pldns answers at port 53 of the container."""
    dig = ("dig", "@127.0.0.1", "health.pldns", "A", "+short", "+tries=1", "+timeout=1")
    return (
        subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", *dig], capture_output=True, check=False).returncode == 0
    )


def inside(pid: int, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in the container, as its user."""
    enter = [
        "nsenter",
        f"--target={pid}",
        "--mount",
        "--net",
        "--pid",
        "--root",
        "--wd",
        "--setuid=65532",
        "--setgid=65532",
    ]
    return subprocess.run([*enter, *command], capture_output=True, text=True, check=False)


def processes(pid: int) -> list[dict[str, str]]:
    """Return the fields of /proc/PID/status of process 1 and of its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    files = [Path(f"/proc/{each}/status").read_text() for each in (pid, *children)]
    return [dict(re.findall(r"^(\w+):\s*(.*)$", text, re.MULTILINE)) for text in files]


def test_the_image_has_no_tools_of_the_build(image: Image) -> None:
    assert not (image.root / "tools").exists()
    assert not (image.root / "src").exists()
    assert not (image.root / "usr/bin/gcc").exists()
    packages = image.root / f"opt/pldns/lib/python{PYTHON}/site-packages"
    assert list(packages.glob("resolver/worker/net/mmsg.cpython-*.so"))
    assert not (packages / "pip").exists()
    assert not (image.root / "usr/bin/node").exists()


def test_the_image_has_the_page(image: Image) -> None:
    there = image.root / f"opt/pldns/lib/python{PYTHON}/site-packages/resolver/dashboard/assets"
    assert there.joinpath(built.MANIFEST).read_bytes() == (built.FOLDER / built.MANIFEST).read_bytes()
    for name in built.read(there).assets:
        assert (there / name).read_bytes() == (built.FOLDER / name).read_bytes()


def test_process_1_serves_as_a_user_without_rights_on_a_root_that_nobody_can_write(container: int) -> None:
    found = processes(container)
    assert found[0]["NSpid"].split()[-1] == "1"
    assert len(found) >= 3
    for each in found:
        assert set(each["Uid"].split()) == {"65532"}
        assert (int(each["CapEff"], 16), int(each["CapBnd"], 16), each["NoNewPrivs"]) == (0, 0, "1")
    assert "Read-only file system" in inside(container, "touch", "/opt/pldns/x").stderr
    assert inside(container, "test", "-S", "/var/lib/pldns/takeover").returncode == 0


def test_the_health_check_of_the_image_works(container: int, image: Image) -> None:
    how, *command = image.settings["Healthcheck"]["Test"]
    assert how == "CMD"
    done = inside(container, "env", "-i", *image.settings["Env"], *command)
    assert done.returncode == 0, done.stderr


def test_process_1_reaps_processes_that_lost_their_parent(container: int) -> None:
    before = {each["Pid"] for each in processes(container)}
    inside(container, "sh", "-c", "(sleep 0.3 &) >/dev/null 2>&1")
    assert {each["Pid"] for each in processes(container)} > before
    until(lambda: {each["Pid"] for each in processes(container)} == before)
