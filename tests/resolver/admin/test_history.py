"""`/v1/history`, `/v1/diff` and `/v1/events` in a running control, and mistakes in their parameters."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from resolver.admin import route
from resolver.admin.access.problems import Code
from resolver.admin_settings import AdminSettings
from resolver.control.history import recorder
from resolver.control.history.entry import Kind
from resolver.control.history.journal import Search
from resolver.host_port import HostPort
from tests.ports import free_port
from tests.resolver.control.running import DEADLINE, FQDN, PRIVATE, Running, Start, start, until, write
from zones.dns.name import to_text

__all__ = ["start"]
NAME = to_text(PRIVATE)


class Http:
    """A client of the admin interface of one control."""

    def __init__(self, session: ClientSession, port: int) -> None:
        self.session, self.url = session, f"http://127.0.0.1:{port}"

    async def get(self, path: str, **asked: str) -> Any:  # noqa: ANN401 - JSON
        async with self.session.get(f"{self.url}{path}", params=asked) as response:
            return {"status": response.status, **await response.json(content_type=None)}

    async def events(self, count: int, **headers: str) -> list[tuple[str, str, Any]]:
        """Return the first events of the stream: (id, event, data)."""
        found: list[tuple[str, str, Any]] = []
        fields = {"id": "", "event": "", "data": ""}
        async with self.session.get(f"{self.url}/v1/events", headers=headers) as response:
            assert response.content_type == "text/event-stream"
            assert "Server" not in response.headers
            async for line in response.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name in fields:
                    fields[name] = value
                elif not name and fields["event"]:
                    found.append((fields["id"], fields["event"], json.loads(fields["data"])))
                    fields = dict.fromkeys(fields, "")
                if len(found) == count:
                    break
        return found


@pytest.fixture
async def running(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A control with one endpoint, whose history has begun."""
    monkeypatch.setattr(recorder, "INTERVAL", 0.02)
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    made = start("lab", admin=AdminSettings(HostPort("127.0.0.1", free_port())))
    await until(lambda: made.control.history._journal)
    journal = made.control.history._journal
    assert journal
    await until(lambda: all(journal.has_begun(kind) for kind in Kind))
    return made


@pytest.fixture
async def http(running: Running) -> AsyncIterator[Http]:
    admin = running.control.estate.settings.admin.listen
    assert admin
    async with ClientSession(timeout=ClientTimeout(DEADLINE)) as session:
        yield Http(session, admin.port)


async def change(running: Running, tmp_path: Path, *addresses: str) -> None:
    """Give the endpoint these addresses in turn, and wait until each change is recorded."""
    for address in addresses:
        before = len(await running.control.history.search(Search(kinds=(Kind.NAME,))))
        write(tmp_path / "lab" / "a.yaml", f"one {address}")
        while True:
            news = running.control.history.next_news()
            if len(await running.control.history.search(Search(kinds=(Kind.NAME,)))) > before:
                break
            await news.wait()


async def test_the_history_of_a_name_is_newest_first_and_paged(http: Http, running: Running, tmp_path: Path) -> None:
    await change(running, tmp_path, "10.0.0.5", "10.0.0.6")
    page = await http.get("/v1/history", name=FQDN, kind="name")
    data = [each["after"]["answers"][0]["data"] for each in page["items"]]
    assert data == [["10.0.0.6"], ["10.0.0.5"]]
    assert page["items"][0]["before"]["answers"][0]["data"] == ["10.0.0.5"]
    assert {each["subject"] for each in page["items"]} == {NAME}
    first = await http.get("/v1/history", kind="name", limit="1")
    second = await http.get("/v1/history", kind="name", limit="1", cursor=first["next"])
    assert [*first["items"], *second["items"]] == page["items"]
    assert second["next"] is None
    other = await http.get("/v1/history", kind="finding", limit="1", cursor=first["next"])
    assert (other["status"], other["type"]) == (400, Code.INVALID_CURSOR.type)


async def test_the_history_is_filtered_by_zone_and_code(http: Http, running: Running, tmp_path: Path) -> None:
    await change(running, tmp_path, "10.0.0.5")
    zone = NAME.partition(".")[2]
    found = (await http.get("/v1/history", zone=zone.upper()))["items"]
    assert [each["subject"] for each in found if each["kind"] == "name"] == [NAME]
    assert (await http.get("/v1/history", zone="privatelink.vaultcore.azure.net"))["items"] == []
    assert (await http.get("/v1/diff", since="1h", kind="name", zone=zone))["items"][0]["subject"] == NAME
    for path, asked in (("/v1/history", {}), ("/v1/diff", {"since": "1h"})):
        assert (await http.get(path, code="zone-unknown", **asked))["items"] == []


async def test_a_difference_leaves_out_what_came_back(http: Http, running: Running, tmp_path: Path) -> None:
    await change(running, tmp_path, "10.0.0.5", "10.0.0.4")
    assert (await http.get("/v1/diff", since="1h"))["items"] == []
    await change(running, tmp_path, "10.0.0.7")
    (found,) = (await http.get("/v1/diff", since="1h"))["items"]
    assert found["before"]["answers"][0]["data"] == ["10.0.0.4"]
    assert found["after"]["answers"][0]["data"] == ["10.0.0.7"]
    assert (await http.get("/v1/diff", since="3h", until="2h"))["items"] == []


async def test_a_client_that_reconnects_misses_no_event(http: Http, running: Running, tmp_path: Path) -> None:
    stream = asyncio.create_task(http.events(1))
    await until(lambda: any("lab" in each for each in running.control.estate.sources))
    await change(running, tmp_path, "10.0.0.5")
    ((last, kind, data),) = await http.events(1, **{"Last-Event-ID": "0"})
    assert (kind, data["subject"], str(data["id"])) == ("name", NAME, last)
    await change(running, tmp_path, "10.0.0.6", "10.0.0.7")
    missed = [each for each in await http.events(2, **{"Last-Event-ID": last}) if each[1] == "name"]
    assert [each[2]["after"]["answers"][0]["data"] for each in missed] == [["10.0.0.6"], ["10.0.0.7"]]
    await stream


async def test_an_event_that_is_no_longer_kept_is_reported(http: Http, running: Running, tmp_path: Path) -> None:
    await change(running, tmp_path, "10.0.0.5")
    ((_, kind, data),) = await http.events(1, **{"Last-Event-ID": "999999"})
    assert (kind, data["oldest"]) == ("lost", 1)


@pytest.mark.parametrize(
    ("path", "asked", "why"),
    [
        ("/v1/history", {"kind": "thing"}, "kind"),
        ("/v1/history", {"since": "yesterday"}, "since: `yesterday` is not a time"),
        ("/v1/history", {"cursor": "x"}, "cursor"),
        ("/v1/history", {"limit": "0"}, "limit"),
        ("/v1/history", {"nmae": "x"}, "nmae: no such parameter; nearest: `name`"),
        ("/v1/history", {"zone": "nowhere.example"}, "there is no zone `nowhere.example`"),
        ("/v1/history", {"cursor": "MTI"}, "cursor: not a cursor"),
        ("/v1/history", {"code": "endpoint-pendin"}, "nearest: `endpoint-pending`"),
        ("/v1/diff", {}, "since"),
        ("/v1/diff", {"since": "1h", "until": "2h"}, "`since` is later than `until`"),
        ("/v1/events", {"after": "-1"}, "after"),
    ],
)
async def test_a_mistake_in_a_parameter_is_a_400(http: Http, path: str, asked: dict[str, str], why: str) -> None:
    found = await http.get(path, **asked)
    assert found["status"] == 400
    assert why in found["detail"]


async def test_too_many_streams_and_a_bad_id_are_refused(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route.EventStreams, "most", 0)
    for path in ("/v1/events", "/v1/queries"):
        found = await http.get(path)
        assert (found["status"], found["type"]) == (503, Code.TOO_MANY_STREAMS.type)
    monkeypatch.undo()
    async with http.session.get(f"{http.url}/v1/events", headers={"Last-Event-ID": "abc"}) as response:
        assert response.status == 400


async def test_a_head_request_for_events_ends(http: Http) -> None:
    async with http.session.head(f"{http.url}/v1/events") as response:
        assert response.content_type == "text/event-stream"
