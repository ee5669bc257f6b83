"""The source of type `registry`: the estate has what the registry has, from the start and after each commit."""

import asyncio
from pathlib import Path

from resolver import settings
from resolver.control.estate.estate import Estate
from resolver.control.registry_runner import RegistryRunner
from resolver.registry.registry import Registry
from tests.filled_registry import opened
from tests.registry_shapes import account, endpoint, network
from tests.resolver.registry.conftest import Arm
from zones.azure.endpoint import ResourceId
from zones.clocks import WallTime
from zones.dns.name import Name

LAB = settings.SourceSettings("lab", "registry", guard="off")
NOW = WallTime(1_000_000.0)


def _names(estate: Estate) -> set[str]:
    return {key.rpartition("/")[2] for key in estate.inventory.endpoints}


async def _started(estate: Estate, registry: Registry) -> int:
    """Start the source as control does. Return the number of parts that its first reading changes."""
    changed: list[set[Name]] = []
    scan = await RegistryRunner(LAB, registry, estate, changed.append).scan()
    assert scan is not None
    estate.take_scans({"lab": scan}, NOW)
    return len(scan.changes)


async def test_a_restart_with_saved_data_applies_what_changed_meanwhile_and_nothing_else(
    lab: Arm, registry: Registry
) -> None:
    for name in ("pe1", "pe2"):
        await lab("PUT", network(name), endpoint(account(), "blob"))
    estate = Estate(settings.ControlSettings(sources=(LAB,)))
    assert await _started(estate, registry) == 3  # two endpoints and a network
    assert _names(estate) == {"pe1", "pe2"}
    await lab("PUT", network("pe3"), endpoint(account(), "blob"))  # followed: the estate has it with the response
    assert _names(estate) == {"pe1", "pe2", "pe3"}
    registry.follow(None)  # control is down
    await lab("DELETE", network("pe1"))
    await lab("PUT", network("pe4"), endpoint(account(), "file"))
    untouched = estate.inventory.endpoints[ResourceId(network("pe2").casefold())]
    assert await _started(estate, registry) == 2
    assert _names(estate) == {"pe2", "pe3", "pe4"}
    assert estate.inventory.endpoints[ResourceId(network("pe2").casefold())] is untouched
    assert estate.sources["lab"].parts == 4
    assert await _started(estate, registry) == 0
    await lab("DELETE", network("pe4"))
    assert _names(estate) == {"pe2", "pe3"}
    assert estate.sources["lab"].parts == 3


async def test_what_another_process_commits_during_a_takeover_is_followed(
    lab: Arm, registry: Registry, tmp_path: Path
) -> None:
    await lab("PUT", network("pe1"), endpoint(account(), "blob"))
    estate = Estate(settings.ControlSettings(sources=(LAB,)))
    published = asyncio.Event()
    async with opened(tmp_path) as successor, asyncio.timeout(30):
        runner = RegistryRunner(LAB, successor, estate, lambda _: published.set())
        following = asyncio.create_task(runner.follow())
        await published.wait()
        assert _names(estate) == {"pe1"}
        await lab("PUT", network("pe2"), endpoint(account(), "blob"))
        await lab("DELETE", network("pe1"))
        while _names(estate) != {"pe2"}:
            published.clear()
            await published.wait()
        following.cancel()
        await asyncio.wait([following])


async def test_what_the_last_run_had_is_kept_when_the_file_of_the_registry_is_lost(
    lab: Arm, registry: Registry, tmp_path: Path
) -> None:
    await lab("PUT", network("pe1"), endpoint(account(), "blob"))
    estate = Estate(settings.ControlSettings(sources=(LAB,)))
    await _started(estate, registry)
    registry.follow(None)
    empty = Registry(str(tmp_path / "empty"), registry.settings)
    (tmp_path / "empty").mkdir()
    async with empty.opened():
        assert await RegistryRunner(LAB, empty, estate, lambda _: None).scan() is None
    assert _names(estate) == {"pe1"}
    assert "put the file back" in estate.sources["lab"].last_error
