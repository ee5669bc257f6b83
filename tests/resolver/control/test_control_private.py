"""Control with the private DNS zones of a remote source: read in parallel with its syncs, checked, saved and served."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec import structs

from resolver import settings
from resolver.azure_settings import AzureSettings
from resolver.control import clock
from resolver.control.estate import private_dns
from resolver.sources.reading import PrivateReading
from tests.resolver.control.running import Running, until
from tests.resolver.control.scripted import Scripted, ScriptedZones, endpoint, part
from tests.zones.findings.test_drift import made, zone
from zones.azure.endpoint import Fault
from zones.azure.private_dns_zone import PrivateZone
from zones.dns.name import to_text

Start = Callable[..., Running]
BLOB = "privatelink.blob.core.windows.net"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare zones and endpoints after each change."""
    monkeypatch.setattr(private_dns, "COMPARE_INTERVAL", 0.0)
    monkeypatch.setattr(clock, "TICK", 0.02)


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start control on one remote source whose private DNS zones are read."""
    started: list[Running] = []

    def call(hub: Scripted, private_dns: str = "check", subscriptions: tuple[str, ...] = ()) -> Running:
        (tmp_path / "state").mkdir(exist_ok=True)
        azure = AzureSettings(subscriptions, private_dns=private_dns)  # type: ignore[arg-type]  # as the test says
        config = settings.ControlSettings(
            sources=(settings.SourceSettings("hub", "azure", azure=azure),),
            state_directory=str(tmp_path / "state"),
        )
        started.append(Running(tmp_path, config, remotes={"hub": hub}))
        return started[-1]

    yield call
    for each in started:
        if not each._task.done():
            await each.stop()


def found(running: Running) -> list[tuple[str, str]]:
    return sorted((fact.code, fact.subject) for fact in running.control.estate.board)


def reading(*zones: PrivateZone, **keys: object) -> PrivateReading:
    return PrivateReading({each.key: each for each in zones}, **keys)  # type: ignore[arg-type]  # as the test says


def hub(zones: ScriptedZones) -> Scripted:
    source = Scripted(endpoint("acct", "10.0.0.4"))
    source.private = zones
    return source


STALE = ("source-disagreement", f"old.{BLOB}")
GOOD = made("acct", 4, by="acct")


async def test_zones_are_compared_with_endpoints_and_again_when_one_of_them_changes(start: Start) -> None:
    zones = ScriptedZones(reading(zone(GOOD, made("old", 9, by="gone"))))
    source = hub(zones)
    running = start(source)
    await until(lambda: found(running) == [STALE])
    source.parts["s1"] = part(endpoint("acct", "10.0.0.4"), endpoint("old", "10.0.0.9"))
    await until(lambda: found(running) == [])
    zones.reading = reading(zone(GOOD))
    await until(lambda: found(running) == [("source-disagreement", f"old.{BLOB}")])


async def test_a_zone_that_cannot_be_read_is_kept_and_reported(start: Start) -> None:
    zones = ScriptedZones(reading(zone(GOOD, made("old", 9))))
    running = start(hub(zones))
    await until(lambda: found(running) == [STALE])
    zones.reading = reading(unreadable={"/ID/z": "no permission: the identity needs the role Reader there"})
    await until(lambda: found(running) == [STALE, ("source-unreadable", "/ID/z")])
    assert zones.had[-1].keys() == {"z"}
    zones.reading = reading(gone=frozenset({"z"}))
    await until(lambda: found(running) == [])


async def test_a_reading_that_fails_is_reported_and_repeated(start: Start) -> None:
    zones = ScriptedZones(reading(zone(GOOD, made("old", 9))))
    zones.breaks = RuntimeError("a bug")
    running = start(hub(zones))
    await until(lambda: found(running) == [("source-unreadable", "hub: private DNS zones")])
    zones.breaks = None
    await until(lambda: found(running) == [STALE])


async def test_zones_survive_a_restart_and_the_next_reading_starts_from_them(start: Start) -> None:
    running = start(hub(ScriptedZones(reading(zone(GOOD, made("old", 9))))))
    await until(lambda: found(running) == [STALE])
    await running.stop()
    silent = ScriptedZones(reading(error="no answer"))
    running = start(hub(silent))
    await until(lambda: STALE in found(running))
    await until(lambda: silent.had)
    assert silent.had[0].keys() == {"z"}


async def test_zones_are_forgotten_when_they_are_no_longer_read(start: Start) -> None:
    running = start(hub(ScriptedZones(reading(zone(GOOD, made("old", 9))))))
    await until(lambda: found(running) == [STALE])
    await running.stop()
    source = Scripted(endpoint("acct", "10.0.0.4"))
    running = start(source, "off")
    await until(lambda: source.reads > 1)
    assert list(running.control.estate.private.all()) == []
    assert not found(running)


async def test_no_zone_is_read_before_the_first_sync(start: Start) -> None:
    zones = ScriptedZones(reading())
    source = hub(zones)
    source.error = "no identity"
    running = start(source)
    await until(lambda: source.reads > 2)
    assert not zones.had
    source.error = ""
    await until(lambda: zones.had)
    assert not found(running)


# -- provided records


def provided(running: Running) -> set[str]:
    """Return the names with provided records, without the apexes."""
    static = running.control.estate.static
    return {to_text(name) for origin, each in static.items() for name in each.names if name != origin}


async def test_a_provided_record_is_served_until_an_endpoint_claims_its_name(start: Start) -> None:
    source = hub(ScriptedZones(reading(zone(GOOD, made("hand", 9), vnets=("hub",)))))
    running = start(source, "serve")
    await until(lambda: provided(running) == {f"hand.{BLOB}"})
    source.parts["s1"] = part(endpoint("acct", "10.0.0.4"), endpoint("hand", "10.0.0.5"))
    await until(lambda: not provided(running))


async def test_a_name_that_a_private_link_zone_lacks_may_be_public_whether_or_not_the_catalogue_knows_it(
    start: Start,
) -> None:
    origins = ("privatelink.foo.example", BLOB, "westeurope.instances.azureml.ms", "corp.example")
    zones = [zone(made("hand", 9, origin=each), key=each, origin=each, vnets=("hub",)) for each in origins]
    running = start(hub(ScriptedZones(reading(*zones))), "serve")
    await until(lambda: len(provided(running)) == len(origins))
    is_open = {to_text(name): each.is_open for name, each in running.control.estate.static.items()}
    assert is_open == dict.fromkeys(origins, True) | {"corp.example": False}


async def test_a_record_of_a_zone_group_is_not_provided_while_its_endpoint_is_pending(start: Start) -> None:
    source = hub(ScriptedZones(reading(zone(made("later", 9, by="later"), vnets=("hub",)))))
    running = start(source, "serve")
    await until(lambda: provided(running) == {f"later.{BLOB}"} and found(running))  # the comparison is done
    source.parts["s1"] = part(endpoint("acct", "10.0.0.4"), endpoint("later", "10.0.0.9", state="Pending"))
    await until(lambda: not provided(running))


async def test_saved_records_are_served_before_a_source_is_read(start: Start) -> None:
    running = start(hub(ScriptedZones(reading(zone(GOOD, made("hand", 9), vnets=("hub",))))), "serve")
    await until(lambda: provided(running) == {f"hand.{BLOB}"})
    await running.stop()
    source = hub(ScriptedZones(reading(error="no answer")))
    source.open.clear()
    assert provided(start(source, "serve")) == {f"hand.{BLOB}"}
    source.open.set()


async def test_check_serves_no_records(start: Start) -> None:
    zones = ScriptedZones(reading(zone(GOOD, made("old", 9), vnets=("hub",))))
    running = start(hub(zones), "check")
    await until(lambda: found(running) == [STALE])
    assert not provided(running)


async def test_a_bad_record_set_is_reported_and_the_others_are_served(start: Start) -> None:
    fault = Fault("/ID/bad", "properties", "'10.0.0.300' is no address", "Azure")
    zones = ScriptedZones(reading(structs.replace(zone(GOOD, made("old", 4), vnets=("hub",)), faults=(fault,))))
    running = start(hub(zones), "serve")
    await until(lambda: found(running) == [("invalid-record", "/ID/bad")])
    assert provided(running) == {f"old.{BLOB}"}
