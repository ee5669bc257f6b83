"""When a spoke connects, to which hub, and with what it has."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import pytest

from resolver import settings
from resolver.control.estate.estate import Estate
from resolver.control.hub import runner
from resolver.control.hub.runner import HubRunner
from resolver.hub.messages import Change, Message, PartDelta, SourceState, SourceStates, Welcome
from resolver.hub_settings import HubSourceSettings
from resolver.settings import SourceSettings
from resolver.sources.hub.client import Garbled, HubFailed
from tests.resolver.control.hub.test_replica import part
from tests.resolver.control.running import until
from zones.dns.name import Name

STATES = SourceStates((SourceState("prod", synced=True, age=0.0, freshness="fresh"),))


def copy(epoch: str, serial: int, *names: str) -> list[Message]:
    change = Change(serial, (PartDelta("prod", "f", changed=part(*names)),))
    return [Welcome(1, "v", epoch, whole=True), STATES, change]


class ScriptedHubs:
    """Hubs by URL: messages that each connection gets at once, then an error, or silence where there is none."""

    def __init__(self, **scripts: list[Sequence[Message] | HubFailed]) -> None:
        self.urls = tuple(scripts)
        self.scripts = scripts
        self.asked: list[tuple[str, str, int]] = []

    async def messages(self, url: str, epoch: str, serial: int) -> AsyncGenerator[list[Message], None]:
        self.asked.append((url, epoch, serial))
        for step in self.scripts.pop(url, []):
            if isinstance(step, HubFailed):
                raise step
            yield list(step)
        if url in self.scripts:
            raise HubFailed(f"{url}: gone")
        await asyncio.Event().wait()


class Running:
    def __init__(self, hubs: ScriptedHubs) -> None:
        source = SourceSettings("hub", "hub", hold_down=0, hub=HubSourceSettings(hubs.urls))
        self.estate = Estate(settings.ControlSettings(sources=(source,)))
        self.status = self.estate.sources["hub"]
        self.published: list[set[Name]] = []
        self.runner = HubRunner(source, hubs, self.estate, self.published.append)  # type: ignore[arg-type]
        self.task = asyncio.create_task(self.runner.follow())

    @property
    def parts(self) -> set[str]:
        return {each.name for data in self.estate.inventory.of("hub").values() for each in data.endpoints}


@pytest.fixture
async def quick(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Running]]:
    """Pauses are short. What runs is stopped at the end."""
    monkeypatch.setattr(runner, "_FIRST", 0.001)
    running: list[Running] = []
    yield running
    for each in running:
        each.task.cancel()
        await asyncio.wait([each.task])


async def test_the_next_hub_is_followed_when_one_fails(quick: list[Running]) -> None:
    hubs = ScriptedHubs(a=[HubFailed("a: no connection")], b=[copy("e", 4, "x", "y")])
    quick.append(one := Running(hubs))
    await until(lambda: one.parts == {"x", "y"})
    assert hubs.asked == [("a", "", 0), ("b", "", 0)]
    assert (one.status.position, one.status.last_error, one.status.failures) == (("e", 4), "", 0)
    assert one.status.synced


async def test_a_connection_goes_on_from_the_last_serial(quick: list[Running]) -> None:
    hubs = ScriptedHubs(a=[copy("e", 4, "x"), HubFailed("a: the connection broke off")])
    quick.append(one := Running(hubs))
    await until(lambda: len(hubs.asked) == 2)
    assert hubs.asked == [("a", "", 0), ("a", "e", 4)]
    assert one.status.last_error == "a: the connection broke off"
    assert one.parts == {"x"}


@pytest.mark.parametrize(
    "nonsense",
    [
        [Garbled("a does not send what a hub sends")],
        [[Change(9)]],
        [[Welcome(1, "v", "f", whole=False), Change(9)]],
    ],
)
async def test_after_nonsense_everything_is_copied(
    quick: list[Running], nonsense: list[Sequence[Message] | HubFailed]
) -> None:
    hubs = ScriptedHubs(a=[copy("e", 4, "x"), *nonsense])
    quick.append(one := Running(hubs))
    await until(lambda: len(hubs.asked) == 2)
    assert hubs.asked == [("a", "", 0), ("a", "", 0)]
    assert "does not send what a hub sends" in one.status.last_error
    assert one.parts == {"x"}


async def test_a_sync_is_another_whole_copy(quick: list[Running]) -> None:
    hubs = ScriptedHubs(a=[copy("e", 4, "x")])
    quick.append(one := Running(hubs))
    await until(lambda: one.parts == {"x"})
    hubs.scripts["a"] = [copy("e", 5, "x", "y")]
    end = one.runner.ends.expect()
    one.runner.command("now")
    result = await end
    assert (result.outcome, result.activity.endpoints.added, result.names) == ("published", 1, 1)
    assert hubs.asked[1] == ("a", "", 0)
    assert one.parts == {"x", "y"}


async def test_what_is_held_waits_for_an_operator(quick: list[Running]) -> None:
    hubs = ScriptedHubs(a=[copy("e", 4, "x", "y"), copy("f", 1, "z")])
    quick.append(one := Running(hubs))
    await until(lambda: one.status.sync_state.held)
    assert one.parts == {"x", "y"}
    hubs.scripts["a"] = [copy("f", 2, "z")]
    one.runner.command("drop")  # the next copy is decided again
    await until(lambda: one.status.sync_state.held)
    assert one.parts == {"x", "y"}
    one.runner.command("accept")
    assert one.parts == {"z"}


async def test_a_hub_that_is_gone_leaves_its_data_and_an_error(quick: list[Running]) -> None:
    hubs = ScriptedHubs(a=[HubFailed("a: no connection", wait=3600)])
    quick.append(one := Running(hubs))
    await until(lambda: one.status.next_sync)
    assert (one.status.last_error, one.status.failures, one.status.synced) == ("a: no connection", 1, False)
    assert one.status.next_sync is not None
    assert len(hubs.asked) == 1  # it has asked for an hour
