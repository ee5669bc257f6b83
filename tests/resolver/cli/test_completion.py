"""Completion: a real bash offers commands, options, and names of the daemon; without one, of the configuration."""

import json
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from resolver.cli import completion, completion_scripts, known_names
from resolver.cli.options import Shell
from tests.ports import free_port

TABS = """
eval "$(pldns completion bash)"
for typed in "${typed[@]}"; do
    eval "COMP_WORDS=(pldns $typed)"
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _pldns pldns
    printf '%s\\n' "${COMPREPLY[*]}"
done
"""


def pressed(*typed: str) -> list[list[str]]:
    """Return what a bash offers when somebody presses Tab at the end of each line. Nothing may be written to stderr."""
    lines = f"typed=({' '.join(map(shlex.quote, typed))})\n"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "--norc", "-c", lines + TABS], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": path},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    return [line.split() for line in ran.stdout.splitlines()]


def offered(*words: object) -> list[str]:
    return [each.value for each in completion.candidates([*map(str, words)])]


def test_bash_offers_commands_options_and_names_of_the_daemon(daemon: Path) -> None:
    commands, options, names, codes, severities = pressed(
        "sy", "sync now --a", f"sync now -c {daemon} ''", "findings --code addr", "findings --severity = ''"
    )
    assert (commands, options, names) == (["sync"], ["--admin"], ["estate"])
    assert codes == ["address-changed", "address-reused"]
    assert severities == ["error", "warning", "info"]


def test_names_come_from_the_running_daemon(daemon: Path) -> None:
    assert offered("tail", "-c", daemon, "--network", "") == ["east", "west"]
    assert offered("tail", "-c", daemon, "--network=w") == ["--network=west"]
    (finding, *_) = offered("acknowledge", "-c", daemon, "")
    assert len(finding) == 12


def test_names_come_from_the_configuration_where_no_daemon_answers(config: Path) -> None:
    assert offered("tail", "-c", config, "--network", "") == ["east", "west"]
    assert offered("sync", "now", "-c", config, "") == ["estate"]
    config.write_text("networks: [{name: one}, {}, 7]\nsources: {}\nadmin: {listen: 'off'}\n")
    assert offered("tail", "-c", config, "--network", "") == ["one"]
    assert offered("sync", "now", "-c", config, "") == []


def test_zones_come_from_the_catalogue_where_no_daemon_answers() -> None:

    nowhere = known_names.Daemon(f"http://127.0.0.1:{free_port()}", None, {})
    found = known_names.of("zone", "", nowhere)
    assert {"privatelink.blob.core.windows.net", "privatelink.vaultcore.azure.net"} <= set(found)
    assert not [name for name in found if "{" in name]


@pytest.mark.parametrize(
    ("typed", "fits"),
    [
        (["help", "sync", "a"], ["accept"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["explain", "name.example", "AA"], ["AAAA"]),
        (["query", "--source", ""], []),  # an address
        (["check", "-c", ""], []),  # the shell offers files
        (["nonsense", ""], []),
        (["findings", "--limit", "3", "--sev"], ["--severity"]),
        (["findings", "--limit", "3", "--lim"], []),
        (["check", "--set", "a=1", "--se"], ["--set"]),  # repeatable
    ],
)
def test_what_fits_is_offered(typed: list[str], fits: list[str]) -> None:
    assert offered(*typed) == fits


def test_nothing_is_printed_where_nothing_is_known(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("networks: [")
    for words in (["tail", "-c", str(tmp_path / "gone.yaml"), "--network", ""],
                  ["tail", "-c", str(tmp_path / "bad.yaml"), "--network", ""],
                  ["tail", "--admin", "ftp://x", "--network", ""]):  # fmt: skip
        assert completion.run(words) == 0
    assert capsys.readouterr() == ("", "")


def test_a_daemon_that_hangs_is_not_waited_for(tmp_path: Path) -> None:

    (tmp_path / "pldns.yaml").write_text(json.dumps({"networks": [{"name": "mine"}]}))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        words = ["tail", "--admin", url, "-c", str(tmp_path / "pldns.yaml"), "--network", ""]
        assert offered(*words) == ["mine"]


def test_the_other_shells_get_scripts_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    for shell, start in ((Shell.ZSH, "#compdef pldns"), (Shell.FISH, "# Completion of pldns for fish.")):
        assert completion_scripts.run(shell) == 0
        assert capsys.readouterr().out.startswith(start)
