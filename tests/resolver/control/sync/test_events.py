"""Events in a running control, with a real listener, a scripted source, and an hour between syncs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from resolver.azure_settings import AzureSettings, EventSettings, Secret
from resolver.control.sync.event_grid import HEADER
from resolver.control.sync.refresh_queue import WAITING
from resolver.host_port import HostPort
from tests.ports import free_port
from tests.resolver.control.running import Running, until
from tests.resolver.control.scripted import Scripted, endpoint, key_of, many, part
from tests.resolver.control.test_control_remote import Start, codes, served, start
from tests.resolver.sources.azure.protocol.test_events import grid
from zones.azure.resource import PrivateEndpoint

__all__ = ["start"]

SECRET = "0123456789abcdef"  # noqa: S105 - a test's
A = key_of("a")


class Site:
    """Control with the source `hub`, and a sender of events."""

    def __init__(self, hub: Scripted, start: Start, folder: Path) -> None:
        self.hub = hub
        (folder / "secret").write_text(SECRET)
        listen = HostPort("127.0.0.1", free_port())
        events = EventSettings(listen, Secret(file=str(folder / "secret")))
        self.running: Running = start({"hub": hub}, azure=AzureSettings(events=events))
        self.url = f"http://{listen}/events"
        self._sent = 0

    async def send(self, *keys: str) -> None:
        """Send events about these resources."""
        events = [grid(key, ident=f"{self._sent + i}") for i, key in enumerate(keys)]
        self._sent += len(keys)
        async with aiohttp.ClientSession(headers={HEADER: SECRET}) as client:
            while True:
                try:
                    async with client.post(self.url, json=events) as reply:
                        assert reply.status == 200
                        return
                except aiohttp.ClientConnectionError:  # the listener is not open yet
                    await asyncio.sleep(0.01)

    def count(self, metric: str, *labels: str) -> float:
        """Return the counters of events and hints."""
        wanted = (metric, ("hub", *labels))
        return next((value for name, given, value in self.running.view.gauges() if (name, given) == wanted), 0.0)


Open = Callable[[Scripted], Site]


@pytest.fixture
def site(start: Start, tmp_path: Path) -> Open:
    return lambda hub: Site(hub, start, tmp_path)


def scripted(*endpoints: PrivateEndpoint) -> Scripted:
    return Scripted(*endpoints, interval=3600)


# -- before it is known which subscriptions can be read


async def test_an_event_before_the_first_sync_is_applied_with_it(site: Open) -> None:
    hub = scripted(endpoint("b", "10.0.0.5"))  # the sync shows an earlier state
    hub.open.clear()
    hub.singles[A] = part(endpoint("a", "10.0.0.4"))
    at = site(hub)
    await at.send(A)
    hub.open.set()
    await until(lambda: served(at.running) == {"a", "b"})
    assert at.count("events_total", "hint") == 1
    await until(lambda: at.count("hints_seconds_total"))


async def test_an_early_event_out_of_scope_is_not_read(site: Open) -> None:
    hub = scripted(endpoint("b", "10.0.0.5"))
    hub.open.clear()
    at, elsewhere = site(hub), key_of("elsewhere", "s9")
    await at.send(elsewhere, A)
    hub.open.set()
    await until(lambda: at.count("hints_total", "read"))
    assert (at.count("hints_total", "out_of_scope"), elsewhere in hub.asked) == (1, False)


async def test_of_many_early_events_the_latest_are_read(site: Open) -> None:
    hub = scripted(endpoint("b", "10.0.0.5"))
    hub.open.clear()
    at = site(hub)
    await at.send(A, *(key_of(f"e{i}") for i in range(WAITING)))
    hub.open.set()
    await until(lambda: at.count("hints_total", "read") == WAITING)
    assert A not in hub.asked
    assert hub.reads == 1


async def test_events_in_saved_subscriptions_are_applied_while_the_first_sync_fails(site: Open) -> None:
    hub = scripted(endpoint("a", "10.0.0.4"))
    at = site(hub)
    await until(lambda: served(at.running) == {"a"})
    await at.running.stop()
    hub.scope, hub.error = (), "Resource Graph is down"
    at = site(hub)
    hub.singles[key_of("b")] = part(endpoint("b", "10.0.0.5"))
    await at.send(key_of("b"))
    await until(lambda: served(at.running) == {"a", "b"})


# -- much that is gone


async def removing(at: Site, keys: list[str], left: int) -> None:
    """Send deletions while syncs are blocked, and wait until so many names are left."""
    at.hub.open.clear()
    held = at.count("hints_total", "held")
    before = len(at.running.control.estate.ledger.endpoints)
    await at.send(*keys)
    await until(lambda: at.count("hints_total", "held") == held + len(keys) - (before - left))
    assert len(at.running.control.estate.ledger.endpoints) == left


async def synced(at: Site, **results: int) -> None:
    """Let syncs run until there are so many of these results."""
    at.hub.open.set()
    status = at.running.control.estate.sources["hub"]
    await until(lambda: status.results == results)
    await until(lambda: not status.syncing)


async def test_events_may_remove_as_much_as_a_sync_and_the_next_sync_decides_about_the_rest(
    site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    estate = many(40)
    at = site(scripted(*estate))
    await synced(at, published=1)
    await removing(at, [each.key for each in estate[:12]], left=32)
    at.hub.parts["s1"] = part(*estate[12:])
    await synced(at, published=2)  # the held deletion started it
    assert len(at.running.control.estate.ledger.endpoints) == 28
    (said,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith("source hub: events would remove 9 of 40 private endpoints since the last sync; ")
    await removing(at, [estate[12].key], left=27)  # the sync reset the count


async def test_while_a_sync_is_held_events_remove_no_more(site: Open) -> None:
    estate = many(40)
    at = site(scripted(*estate))
    await synced(at, published=1)
    await removing(at, [each.key for each in estate[:12]], left=32)
    at.hub.parts["s1"] = part()
    await synced(at, published=1, held=1)
    assert codes(at.running) == [("sync-held", "hub")]
    await removing(at, [each.key for each in estate[12:24]], left=32)
    at.running.view.sync("hub", "accept")
    assert not at.running.control.estate.ledger.endpoints
