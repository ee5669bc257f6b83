"""A hub and a spoke inside the test: one estate follows the other through the octets of the stream."""

import time
from collections.abc import AsyncGenerator, Iterable

import pytest

from resolver import settings
from resolver.azure_settings import AzureSettings, PrivateDnsMode
from resolver.control.estate.estate import Estate
from resolver.control.guard.sync_state import NothingHeld, SyncState
from resolver.control.hub.publisher import HubPublisher, Lagging
from resolver.control.hub.replica import HubReplica
from resolver.hub import history
from resolver.hub.messages import Change, Message, MessageReader, SourceStates, Welcome
from resolver.hub_settings import HubSourceSettings
from resolver.process import wall_clock
from resolver.settings import GuardMode, SourceSettings
from resolver.sources.reading import PrivateReading, Scan
from zones.azure.endpoint import Fault, ResourceId, VirtualNetwork
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Nic, NicRow, PrivateEndpoint, Resources
from zones.clocks import WallTime
from zones.dns.name import from_text

T = WallTime(time.time())


def endpoint(name: str, address: str = "10.0.0.4") -> PrivateEndpoint:
    key = ResourceId(name)
    row = NicRow((f"{name}.blob.core.windows.net",), (address,), "blob")
    return PrivateEndpoint(key, name, name, target=name, groups=("blob",), state_text="Approved", records=(row,))


def part(*names: str, address: str = "10.0.0.4") -> Resources:
    return Resources(tuple(endpoint(name, address) for name in names))


class Hub:
    """A hub with sources of files, which the test fills."""

    def __init__(self, *sources: str) -> None:
        found = tuple(SourceSettings(each, "files", "/f") for each in sources)
        self.estate = Estate(settings.ControlSettings(sources=found))
        self.publisher = HubPublisher(self.estate)

    def put(self, source: str, **parts: Resources | None) -> None:
        """Take parts as a good reading of the source."""
        now = wall_clock.now()
        self.estate.take([(source, name, data) for name, data in parts.items()], now)
        self.estate.health.read(source, len(self.estate.inventory.of(source)), now)
        self.publisher.publish()


class Spoke:
    """A spoke, and its connection to a hub."""

    def __init__(self, guard: GuardMode = "on", private_dns: PrivateDnsMode = "off") -> None:
        hub = HubSourceSettings(("http://127.0.0.1:1",), private_dns=private_dns)
        self.estate = Estate(
            settings.ControlSettings(sources=(SourceSettings("hub", "hub", hold_down=0, guard=guard, hub=hub),))
        )
        self.replica = HubReplica("hub", self.estate)
        self.status = self.estate.sources["hub"]
        self._stream: AsyncGenerator[bytes, None] | None = None
        self._reader = MessageReader()

    def connect(self, hub: Hub) -> None:
        self._reader = MessageReader()
        epoch, serial = self.replica.begin() or ("", 0)
        self._stream = hub.publisher.follow(epoch, serial)

    async def read(self, hub: Hub, until: int | None = None) -> list[Message]:
        """Read all that the hub has for the spoke, or as far as a serial. Return the messages."""
        assert self._stream
        found: list[Message] = []
        serial = hub.publisher.serial if until is None else until
        while True:
            messages = self._reader.feed(await anext(self._stream))
            self.replica.take(messages, T)
            found += messages
            if any(isinstance(each, Change) and not each.more and each.serial == serial for each in found):
                return found

    def take(self, messages: Iterable[Message]) -> None:
        self.replica.take(messages, T)

    def can_go_on(self) -> bool:
        """Return whether a connection goes on from a serial."""
        return self.status.position is not None

    @property
    def parts(self) -> dict[str, Resources]:
        return self.estate.inventory.of("hub")

    def answers(self, name: str) -> bool:
        return from_text(f"{name}.privatelink.blob.core.windows.net") in self.estate.ledger.rows


async def following(hub: Hub, **options: str) -> Spoke:
    spoke = Spoke(**options)  # type: ignore[arg-type]
    spoke.connect(hub)
    await spoke.read(hub)
    return spoke


async def test_a_spoke_has_every_part_of_its_hub_and_each_change() -> None:
    hub = Hub("prod", "dev")
    vnet = VirtualNetwork(ResourceId("/v"), "/v", prefixes=("10.0.0.0/16",))
    nic = Nic(ResourceId("/n"), "/n", ResourceId("a"), (NicRow(("x.example",), ("10.0.0.9",)),))
    whole = Resources((endpoint("a"),), (nic,), (vnet,), (Fault("f", "id", "bad"),))
    hub.put("prod", f=whole)
    hub.put("dev", f=part("b"))
    spoke = await following(hub)
    assert spoke.parts == {"prod: f": whole, "dev: f": part("b")}
    assert (spoke.status.synced, spoke.status.parts, spoke.status.freshness(T)) == (True, 2, "fresh")
    assert spoke.estate.ledger.endpoints[ResourceId("a")].where == "prod: f"
    hub.put("prod", f=part("a", "c"), g=part("d"))
    hub.put("dev", f=None)
    await spoke.read(hub)
    assert spoke.parts == {"prod: f": part("a", "c"), "prod: g": part("d")}
    assert [spoke.answers(each) for each in "abcd"] == [True, False, True, True]


async def test_changes_that_arrive_together_are_one_change() -> None:
    hub = Hub("prod")
    hub.put("prod", f=part("a"))
    spoke = await following(hub)
    hub.put("prod", f=part("a", "b"))
    hub.put("prod", f=part("b"), g=part("c"))
    messages = await spoke.read(hub)
    assert [each.serial for each in messages if isinstance(each, Change) and not each.more] == [2, 3]
    assert spoke.parts == {"prod: f": part("b"), "prod: g": part("c")}
    assert spoke.status.position == (messages and hub.publisher._history.epoch, 3)


async def test_a_spoke_that_comes_back_gets_the_changes_since_then() -> None:
    hub = Hub("prod")
    hub.put("prod", f=part("a"))
    spoke = await following(hub)
    hub.put("prod", f=part("a", "b"))
    spoke.connect(hub)
    welcome, *_, change = await spoke.read(hub)
    assert isinstance(welcome, Welcome)
    assert not welcome.whole
    assert isinstance(change, Change)
    assert spoke.parts == {"prod: f": part("a", "b")}
    assert (hub.publisher.copies, hub.publisher.caught_up) == (1, 1)


async def test_a_spoke_whose_serial_is_not_kept_any_more_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub("prod")
    monkeypatch.setattr(hub.publisher._history, "_limit", 300)
    hub.put("prod", f=part("a"))
    spoke = await following(hub)
    for n in range(20):
        hub.put("prod", f=part("a", f"b{n}"))
    spoke.connect(hub)
    welcome = (await spoke.read(hub))[0]
    assert isinstance(welcome, Welcome)
    assert welcome.whole
    assert spoke.parts == {"prod: f": part("a", "b19")}


async def test_a_spoke_that_reads_too_slowly_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub("prod")
    monkeypatch.setattr(hub.publisher._history, "_limit", 300)
    hub.put("prod", f=part("a"))
    spoke = await following(hub)
    for n in range(20):
        hub.put("prod", f=part("a", f"b{n}"))
    with pytest.raises(Lagging):
        await spoke.read(hub)
    assert (hub.publisher.dropped, hub.publisher.followers) == (1, 0)


async def test_after_a_very_large_change_spokes_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.control.hub.publisher._LARGE", 2)
    hub = Hub("prod")
    hub.put("prod", f=part("a"))
    spoke = await following(hub)
    hub.put("prod", f=part("a", "b", "c", "d"))
    assert hub.publisher.octets == 0
    with pytest.raises(Lagging):
        await spoke.read(hub)
    hub.put("prod", g=part("e"))
    spoke.connect(hub)
    await spoke.read(hub)
    assert spoke.parts == {"prod: f": part("a", "b", "c", "d"), "prod: g": part("e")}
    assert (hub.publisher.copies, hub.publisher.serial) == (2, 3)


async def test_a_whole_copy_is_encoded_once_for_all_spokes(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub("prod")
    hub.put("prod", f=part("a"))
    one = await following(hub)
    hub.put("prod", f=part("a", "b"))
    other = await following(hub)
    assert one.parts != other.parts == {"prod: f": part("a", "b")}
    copies = hub.publisher._copy
    assert copies is not None
    assert copies.serial == 1  # the second spoke has read the same copy, and the change after it


async def test_a_connection_that_ends_in_a_change_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.hub.difference.PIECE", 2)
    hub = Hub("prod")
    hub.put("prod", f=part("a", "b", "c", "d", "e"))
    spoke = await following(hub)
    hub.put("prod", f=part("g", "h", "i", "j", "k"))
    octets = hub.publisher._history.next(1)
    messages = MessageReader().feed(octets)
    assert len(messages) > 2
    spoke.take(messages[:-1])
    assert spoke.parts == {"prod: f": part("a", "b", "c", "d", "e")}
    spoke.connect(hub)
    await spoke.read(hub)
    assert spoke.parts == {"prod: f": part("g", "h", "i", "j", "k")}


async def test_a_copy_that_lacks_much_is_held_until_it_is_accepted() -> None:
    hub, names = Hub("prod"), [f"e{n}" for n in range(20)]
    hub.put("prod", f=part(*names))
    spoke = await following(hub)
    again = Hub("prod")
    again.put("prod", f=part("new", *names[:10]))
    spoke.connect(again)
    await spoke.read(again)
    held = spoke.status.sync_state.held
    assert held is not None
    assert held.reasons == ("10 of 20 private endpoints",)
    assert spoke.parts == {"prod: f": part(*names)}
    assert not spoke.can_go_on()
    again.put("prod", f=part("new", *names[:9]))  # decided together with what is held
    await spoke.read(again)
    assert (held := spoke.status.sync_state.held) is not None
    assert held.reasons == ("11 of 20 private endpoints",)
    spoke.replica.accept(T)
    assert spoke.parts == {"prod: f": part("new", *names[:9])}
    again.put("prod", f=part("new"))
    await spoke.read(again)
    assert spoke.parts == {"prod: f": part("new")}
    assert spoke.can_go_on()
    with pytest.raises(NothingHeld):
        spoke.replica.accept(T)


async def test_a_hold_ends_when_the_hub_has_the_resources_again() -> None:
    hub = Hub("prod")
    hub.put("prod", f=part("a", "b"))
    spoke = await following(hub)
    again = Hub("prod")
    again.put("prod", f=Resources())
    spoke.connect(again)
    await spoke.read(again)
    assert spoke.status.sync_state.held is not None
    again.put("prod", f=part("a", "b"))
    await spoke.read(again)
    assert spoke.status.sync_state == SyncState()
    assert spoke.parts == {"prod: f": part("a", "b")}


async def test_without_the_guard_a_copy_counts() -> None:
    hub = Hub("prod")
    hub.put("prod", f=part("a", "b"))
    spoke = await following(hub, guard="off")
    again = Hub("prod")
    again.put("prod", f=Resources())
    spoke.connect(again)
    await spoke.read(again)
    assert spoke.parts == {"prod: f": Resources()}


async def test_what_a_hub_has_not_read_yet_is_kept_and_then_compared() -> None:
    hub = Hub("prod", "dev")
    hub.put("prod", f=part("a", "b", "c"))
    hub.put("dev", f=part("d", "x"), g=part("y"))
    spoke = await following(hub)
    cold = Hub("prod", "dev")
    cold.put("prod", f=part("a", "b", "c"))
    spoke.connect(cold)
    await spoke.read(cold)
    assert spoke.parts.keys() == {"prod: f", "dev: f", "dev: g"}
    assert spoke.status.position is None
    assert spoke.status.last_error == "the hub's source dev has not been read yet"
    cold.put("dev", f=part("d", "x"))
    await spoke.read(cold)
    spoke.take([SourceStates(cold.publisher._states.sources)])
    assert spoke.parts.keys() == {"prod: f", "dev: f"}
    assert spoke.status.last_error == ""


async def test_a_new_spoke_is_ready_when_its_hub_has_read_every_source() -> None:
    hub = Hub("prod", "dev")
    hub.put("prod", f=part("a"))
    spoke = await following(hub)
    assert spoke.answers("a")
    assert (spoke.status.synced, spoke.status.last_error) == (False, "the hub's source dev has not been read yet")
    hub.put("dev", f=part("b"))
    await spoke.read(hub)
    assert spoke.status.synced
    empty = await following(Hub())
    assert (empty.status.synced, empty.status.last_error) == (False, "the hub has no source of its own")


async def test_data_that_is_stale_at_the_hub_is_stale_at_the_spoke() -> None:
    hub = Hub("prod")
    hub.put("prod", f=part("a"))
    spoke = await following(hub)
    spoke.status.interval = hub.estate.sources["prod"].interval = 600.0
    hub.estate.sources["prod"].last_success = WallTime(wall_clock.now() - 3600)
    hub.estate.health.failed("prod", "no permission", T)
    hub.publisher.publish()
    spoke.take([hub.publisher._states])
    assert spoke.status.freshness(T) == "stale"
    assert spoke.status.last_error == "the hub's source prod is stale there: no permission"
    hub.put("prod", f=part("a"))
    spoke.take([hub.publisher._states])
    assert (spoke.status.freshness(T), spoke.status.last_error) == ("fresh", "")


async def test_a_part_that_the_hub_cannot_read_is_unreadable_at_the_spoke() -> None:
    hub = Hub("prod")
    hub.put("prod", f=part("a"))
    spoke = await following(hub)
    hub.estate.take([("prod", "f", "no permission")], T)
    hub.publisher.publish()
    spoke.take([hub.publisher._states])
    assert spoke.estate.health.unreadable_parts("hub") == {"prod: f": "no permission"}
    assert spoke.answers("a")
    hub.put("prod", f=part("a"))
    spoke.take([hub.publisher._states])
    assert not spoke.estate.health.unreadable_parts("hub")


async def test_private_dns_zones_travel_where_both_sides_want_them() -> None:
    source = SourceSettings("prod", "azure", azure=AzureSettings(private_dns="check"))
    hub = Hub()
    hub.estate = Estate(settings.ControlSettings(sources=(source,)))
    hub.publisher = HubPublisher(hub.estate)
    keys = [ResourceId(f"/z{n}") for n in range(3)]
    zones = {key: PrivateZone(key, key, from_text(f"{key[1:]}.example")) for key in keys}
    hub.put("prod", s=part("a"))
    hub.estate.take_private_dns("prod", PrivateReading(zones), T)
    hub.publisher.publish()
    spoke, other = await following(hub, private_dns="check"), await following(hub)
    assert dict(spoke.estate.private.of("hub")) == zones
    assert not list(other.estate.private.all())
    gone = zones.pop(ResourceId("/z1"))
    hub.estate.take_private_dns("prod", PrivateReading(zones, frozenset((gone.key,))), T)
    hub.publisher.publish()
    await spoke.read(hub)
    assert dict(spoke.estate.private.of("hub")) == zones


async def test_a_hub_does_not_pass_on_what_it_has_from_another_hub() -> None:
    hub = Hub("prod")
    hub.put("prod", f=part("a"))
    middle = await following(hub)
    publisher = HubPublisher(middle.estate)
    assert (publisher.serial, publisher._states.sources) == (0, ())


async def test_an_endpoint_that_two_hubs_have_is_one_endpoint() -> None:
    following = HubSourceSettings(("http://127.0.0.1:1",))
    sources = tuple(SourceSettings(each, "hub", hold_down=0, hub=following) for each in ("one", "two"))
    estate = Estate(settings.ControlSettings(sources=sources))
    hub = Hub("prod")
    hub.put("prod", f=part("a"))
    for each in ("one", "two"):
        replica, reader = HubReplica(each, estate), MessageReader()
        stream = hub.publisher.follow("", 0)
        while not replica.is_current or not estate.inventory.of(each):
            replica.take(reader.feed(await anext(stream)), T)
    assert not list(estate.board)
    (verdict,) = estate.ledger.verdicts(from_text("a.privatelink.blob.core.windows.net"), T)
    assert verdict.rulings[0].winners == ("a",)


async def test_a_stream_without_a_welcome_is_refused() -> None:
    with pytest.raises(ValueError, match="does not begin with a welcome"):
        Spoke().take([Change(1)])


def test_the_limit_of_the_history_is_that_of_the_documentation() -> None:
    assert history.LIMIT == 16 << 20


def test_a_scan_of_the_hub_is_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub("prod")
    hub.estate.take_scans({"prod": Scan([("f", part("a"))], 1)}, T)
    hub.publisher.publish()
    hub.publisher.publish()
    assert hub.publisher.serial == 1
