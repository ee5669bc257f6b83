"""A running daemon whose files become empty, broken, another estate's, or disappear: no private name is lost."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.daemon import PATIENCE, PLDNS, Daemon

Start = Callable[..., Daemon]
Poll = Callable[..., Any]

pytestmark = pytest.mark.live
COUNT = 8
NAMES = [f"acct{number}.blob.core.windows.net" for number in range(COUNT)]
SOURCES = [{"name": "estate", "type": "files", "path": "./endpoints"}]


def network(subscription: str, kind: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Network/{kind}/{name}"


def endpoints(*numbers: int, subscription: str = "s1") -> list[dict[str, Any]]:
    """Return rows as `az network private-endpoint list` prints them."""
    return [
        {
            "id": network(subscription, "privateEndpoints", f"pe{number}"), "name": f"pe{number}",
            "type": "Microsoft.Network/privateEndpoints",
            "networkInterfaces": [{"id": network(subscription, "networkInterfaces", f"nic{number}")}],
            "privateLinkServiceConnections": [{
                "groupIds": ["blob"],
                "privateLinkServiceId": f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Storage/"
                f"storageAccounts/acct{number}",
                "privateLinkServiceConnectionState": {"status": "Approved"},
            }],
        }
        for number in numbers
    ]  # fmt: skip


def nics(*numbers: int, subscription: str = "s1") -> list[dict[str, Any]]:
    """Return rows as `az network nic list` prints them."""
    return [
        {
            "id": network(subscription, "networkInterfaces", f"nic{number}"), "name": f"nic{number}",
            "type": "Microsoft.Network/networkInterfaces",
            "privateEndpoint": {"id": network(subscription, "privateEndpoints", f"pe{number}")},
            "ipConfigurations": [{
                "privateIPAddress": f"10.0.0.{number + 4}",
                "privateLinkConnectionProperties": {"groupId": "blob", "fqdns": [NAMES[number]]},
            }],
        }
        for number in numbers
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "endpoints"
    folder.mkdir()
    restore(folder)
    return folder


def restore(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "pe.json").write_text(json.dumps(endpoints(*range(COUNT))))
    (folder / "nic.json").write_text(json.dumps(nics(*range(COUNT))))


def codes(daemon: Daemon) -> set[str]:
    return {each["code"] for each in daemon.get("/v1/findings")[1]["items"]}


def served(daemon: Daemon) -> list[int]:
    """Return the numbers of the endpoints whose names are answered with their private addresses."""
    return [number for number, name in enumerate(NAMES) if daemon.addresses(name) == {f"10.0.0.{number + 4}"}]


def sync(daemon: Daemon, *words: str) -> tuple[int, str]:
    """Run `pldns sync`. Return its exit status and what it printed."""
    done = subprocess.run(
        [str(PLDNS), "sync", *words, "-c", str(daemon.path)],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def spoil(folder: Path, how: str) -> None:
    match how:
        case "an empty list":
            (folder / "pe.json").write_text("[]")
        case "no network interfaces":
            (folder / "nic.json").write_text("[]")
        case "an empty file":
            (folder / "pe.json").write_text("")
        case "half a file":
            text = (folder / "nic.json").read_text()
            (folder / "nic.json").write_text(text[: len(text) // 2])
        case "a deleted file":
            (folder / "nic.json").unlink()
        case "a file that is moved away":
            (folder / "pe.json").rename(folder.parent / "pe.json")
        case "a deleted folder":
            shutil.rmtree(folder)
        case "another subscription":
            (folder / "pe.json").write_text(json.dumps(endpoints(*range(COUNT), subscription="s2")))


def test_a_spoiled_file_changes_no_answer_and_is_reported_until_it_is_good_again(
    start: Start, folder: Path, poll: Poll
) -> None:
    daemon = start(sources=SOURCES).ready()
    assert served(daemon) == [*range(COUNT)]
    for how, code in (
        ("an empty list", "sync-held"),
        ("no network interfaces", "sync-held"),
        ("a deleted file", "sync-held"),
        ("a file that is moved away", "sync-held"),
        ("another subscription", "sync-held"),
        ("an empty file", "source-unreadable"),
        ("half a file", "source-unreadable"),
        ("a deleted folder", "source-unreadable"),
    ):
        spoil(folder, how)
        poll(lambda code=code: code in codes(daemon))
        assert served(daemon) == [*range(COUNT)], how
        status, body = daemon.get("/readyz?verbose")
        assert (status, [each["source"] for each in body["degraded"]]) == (200, ["estate"]), how
        restore(folder)
        poll(lambda code=code: code not in codes(daemon))
    assert served(daemon) == [*range(COUNT)]
    assert not codes(daemon)


def test_a_held_change_is_shown_survives_a_restart_and_is_accepted(start: Start, folder: Path, poll: Poll) -> None:
    daemon = start(sources=SOURCES).ready()
    spoil(folder, "an empty list")
    poll(lambda: "sync-held" in codes(daemon))
    status, text = sync(daemon, "status")
    assert status == 2
    assert "it would remove all 8 private endpoints of the source" in text
    assert "`pldns check` reads the files as they are now" in text
    assert daemon.metric("sync_held", source="estate") == 1.0
    poll(lambda: "error control finding opened: code=sync-held severity=error subject=estate" in log_of(daemon))
    assert "error control source estate: a change would remove all 8 private endpoints of the source" in log_of(daemon)
    since = daemon.get("/v1/sources")[1]["items"][0]["sync"]["held"]["since"]
    daemon.stop()

    daemon.start().ready()
    assert served(daemon) == [*range(COUNT)]
    assert daemon.get("/v1/sources")[1]["items"][0]["sync"]["held"]["since"] == since
    assert sync(daemon, "accept", "estate")[0] == 0
    poll(lambda: not served(daemon))
    poll(lambda: "sync-held" not in codes(daemon))
    assert sync(daemon, "status")[0] == 0
    poll(lambda: "source estate changed: endpoints_added=0 endpoints_changed=0 endpoints_removed=8" in log_of(daemon))
    assert sync(daemon, "accept", "estate")[0] == 1


def log_of(daemon: Daemon) -> str:
    return daemon.log.read_text()


def test_a_dropped_change_is_not_raised_again_until_a_file_changes(start: Start, folder: Path, poll: Poll) -> None:
    daemon = start(sources=SOURCES).ready()
    spoil(folder, "an empty list")
    poll(lambda: "sync-held" in codes(daemon))
    assert sync(daemon, "drop", "estate")[0] == 0

    def last() -> Any:  # noqa: ANN401 - a time as text
        return daemon.get("/v1/sources")[1]["items"][0]["last_success"]

    before = last()
    poll(lambda: last() != before)  # the next scan of the files
    assert "sync-held" not in codes(daemon)
    assert served(daemon) == [*range(COUNT)]
    (folder / "more.json").write_text(json.dumps([*endpoints(9), *nics()]))
    poll(lambda: "pe9" in {each["name"] for each in daemon.get("/v1/endpoints")[1]["items"]})
    assert served(daemon) == [*range(COUNT)]
    assert sync(daemon, "now", "estate")[0] == 0
    poll(lambda: "sync-held" in codes(daemon))
    restore(folder)
    poll(lambda: "sync-held" not in codes(daemon))


def test_files_that_share_an_estate_may_be_renamed_and_shrink_a_little(start: Start, folder: Path, poll: Poll) -> None:
    (folder / "pe.json").write_text(json.dumps(endpoints(*range(COUNT - 3))))
    (folder / "others.json").write_text(json.dumps(endpoints(*range(COUNT - 3, COUNT))))
    daemon = start(sources=SOURCES).ready()
    (folder / "pe.json").rename(folder / "renamed.json")
    (folder / "renamed.json").write_text(json.dumps(endpoints(*range(1, COUNT - 3))))
    poll(lambda: served(daemon) == [*range(1, COUNT)])
    assert not codes(daemon) - {"invalid-record"}  # of the network interface whose endpoint is gone
    (folder / "others.json").unlink()
    poll(lambda: "sync-held" in codes(daemon))
    assert served(daemon) == [*range(1, COUNT)]
    assert "everything of file" in sync(daemon, "status")[1]


def test_without_the_guard_a_deletion_is_served(start: Start, folder: Path, poll: Poll) -> None:
    daemon = start(sources=[SOURCES[0] | {"guard": "off"}]).ready()
    spoil(folder, "an empty list")
    poll(lambda: not served(daemon))
    assert "sync-held" not in codes(daemon)


def test_a_linked_file_is_watched_where_it_is(start: Start, tmp_path: Path, poll: Poll) -> None:
    """The interval of the scans is 10 s: a change that is served within 5 s was noticed."""
    (tmp_path / "dump").mkdir()
    for number in range(2):
        (tmp_path / "dump" / f"{number}.json").write_text(json.dumps([*endpoints(number), *nics(number)]))
    (tmp_path / "estate.json").symlink_to("dump/0.json")
    source = {"name": "estate", "type": "files", "path": "./estate.json", "guard": "off"}
    daemon = start(sources=[source]).ready()
    for number, change in enumerate(("in place", "replaced", "switched")):
        target = tmp_path / "dump" / "0.json"
        text = json.dumps([*endpoints(number + 2), *nics(number + 2)])
        if change == "in place":
            target.write_text(text)
        elif change == "replaced":
            (tmp_path / "dump" / "new").write_text(text)
            (tmp_path / "dump" / "new").rename(target)
        else:
            (tmp_path / "dump" / "1.json").write_text(text)
            (tmp_path / "fresh").symlink_to("dump/1.json")
            (tmp_path / "fresh").replace(tmp_path / "estate.json")
        poll(lambda number=number: served(daemon) == [number + 2])
