"""The unit file and the image, as far as they can be checked without a running systemd or Docker."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import tool

TOP = Path(__file__).parents[1]
UNIT = TOP / "systemd/pldns.service"


@pytest.mark.peer
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("pldns")
    copies = [tmp_path / unit.name for unit in UNIT.parent.iterdir() if unit.suffix in {".service", ".socket"}]
    assert len(copies) == 4
    for copy in copies:
        copy.write_text((UNIT.parent / copy.name).read_text().replace("/opt/pldns/bin/pldns", str(command)))
    drop_in = tmp_path / "pldns.service.d/credentials.conf"
    drop_in.parent.mkdir()
    drop_in.write_text((UNIT.parent / drop_in.name).read_text())
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", *copies], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_drop_in_hands_the_certificate_to_the_documented_path() -> None:
    text = (UNIT.parent / "credentials.conf").read_text()
    names = set(re.findall(r"LoadCredential=([^:]+):/", text))
    assert names == set(re.findall(r"/run/credentials/pldns\.service/([\w.]+\w)", text))
    assert f"/run/credentials/{UNIT.name}/" in text


def test_systemd_resolved_asks_pldns_and_leaves_it_the_port() -> None:
    settings = dict(re.findall(r"^(\w+)=(.*)$", (UNIT.parent / "resolved.conf").read_text(), re.MULTILINE))
    assert settings == {"DNS": "127.0.0.1", "Domains": "~.", "DNSStubListener": "no"}


@pytest.mark.peer
def test_the_unit_exposes_little() -> None:
    """The figure of systemd, from 0 to 10. Most of the rest is the network, which a server needs."""
    done = subprocess.run(
        [tool("systemd-analyze"), "security", "--offline=true", "--threshold=15", UNIT],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_unit_lets_processes_confine_themselves() -> None:
    allowed = re.findall(r"^SystemCallFilter=([^~].*)$", UNIT.read_text(), re.MULTILINE)
    assert {"seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"} <= set(
        " ".join(allowed).split()
    )


def test_the_unit_has_one_capability_and_no_system_user() -> None:
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))
    assert settings["AmbientCapabilities"] == settings["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"
    assert settings["DynamicUser"] == settings["NoNewPrivileges"] == "yes"
    assert settings["ProtectSystem"] == "strict"
    assert "User" not in settings


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with their arguments. Continued lines are joined."""
    lines = [line for line in (TOP / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    pairs = [line.partition(" ") for line in joined.splitlines() if line]
    return [(word, rest) for word, _, rest in pairs]


@pytest.fixture(scope="module")
def final_stage(instructions: list[tuple[str, str]]) -> list[tuple[str, str]]:
    start = max(i for i, (word, _) in enumerate(instructions) if word == "FROM")
    return instructions[start:]


def test_one_argument_names_the_base_image_of_all_stages(instructions: list[tuple[str, str]]) -> None:
    """So that `--build-arg BASE=NAME@DIGEST` pins it."""
    assert instructions[0][0] == "ARG"
    assert instructions[0][1].startswith("BASE=")
    assert {rest.partition(" ")[0] for word, rest in instructions if word == "FROM"} == {"${BASE}"}


def test_the_image_runs_as_a_numeric_user(final_stage: list[tuple[str, str]]) -> None:
    users = [rest for word, rest in final_stage if word == "USER"]
    assert len(users) == 1
    user, group = users[0].split(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_image_starts_serves_and_checks_its_health_with_pldns(final_stage: list[tuple[str, str]]) -> None:
    said = dict(final_stage)
    assert json.loads(said["ENTRYPOINT"]) == ["pldns"]
    assert json.loads(said["CMD"]) == ["serve", "-c", "/etc/pldns/pldns.yaml"]
    assert json.loads(said["HEALTHCHECK"].partition("CMD ")[2]) == ["pldns", "healthcheck"]
    assert set(said["EXPOSE"].split()) == {"53/udp", "53/tcp", "8054"}


def test_the_image_installs_only_locked_packages(instructions: list[tuple[str, str]]) -> None:
    commands = [part for word, rest in instructions if word == "RUN" for part in rest.split("&&")]
    installs = [command for command in commands if re.search(r"\bpip\b.* install\b", command)]
    assert installs
    assert all("--require-hashes" in command or "--no-index" in command for command in installs)
    assert [each for each in commands if re.search(r"\bnpm (ci|i|install)\b", each)] == [
        "npm ci --omit=dev --prefix page "
    ]
    builds = [command for command in commands if re.search(r"\bpip wheel\b", command)]
    assert all("--no-deps" in command and "--no-build-isolation" in command for command in builds)


def test_all_files_that_the_image_copies_exist_and_are_not_ignored(instructions: list[tuple[str, str]]) -> None:
    copies = [rest.split()[:-1] for word, rest in instructions if word == "COPY" and not rest.startswith("--from")]
    sources = {source for copy in copies for source in copy}
    kept = {line[1:] for line in (TOP / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources == kept
    assert all((TOP / source).exists() for source in sources)
