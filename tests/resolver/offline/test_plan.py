"""What the next sync would change; planning itself changes nothing."""

from pathlib import Path

import msgspec

from resolver import settings
from resolver.azure_settings import AzureSettings
from resolver.control.estate.estate import Estate
from resolver.control.estate.saved_inventory import SavedInventory, joined, pieces
from resolver.offline.plan import Change, Plan, made
from resolver.sources.reading import PrivateReading, ReadError
from tests.resolver.control.scripted import Scripted, ScriptedZones, endpoint, key_of, many, part, vnet
from tests.zones.findings.test_drift import made as record
from tests.zones.findings.test_drift import zone
from zones.azure.endpoint import Fault
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.dns.name import to_text

NOW = WallTime(1_700_000_000.0)


def saved(
    config: settings.ControlSettings, private: tuple[PrivateZone, ...] = (), **parts: Resources
) -> SavedInventory:
    """Return the saved inventory of a daemon that has read these parts of `hub`, and these private DNS zones."""
    estate = Estate(config)
    estate.take([("hub", name, given) for name, given in parts.items()], WallTime(NOW - 100))
    head = SavedInventory(WallTime(NOW - 90), {"hub": WallTime(NOW - 100)}, findings=estate.board.times())
    kept = pieces(head, estate.ledger.snapshot(), estate.inventory.parts(), private=[("hub", list(private))])
    return joined(kept)


CONFIG = settings.ControlSettings(sources=(settings.SourceSettings("hub", "azure"),))


async def plan(before: SavedInventory | None, hub: Scripted, config: settings.ControlSettings = CONFIG) -> Plan:
    found, _, _ = await made(config, before, {"hub": hub}, NOW)
    return found


def names(found: Plan) -> list[tuple[str, str]]:
    return [(kind, to_text(name).partition(".")[0]) for kind, name in found.names]


async def test_nothing_changes() -> None:
    found = await plan(saved(CONFIG, s1=part(*many(5), vnets=[vnet("v")])), _with(part(*many(5), vnets=[vnet("v")])))
    assert found.is_empty
    assert (found.errors, found.held) == ({}, {})


def _with(given: Resources) -> Scripted:
    hub = Scripted()
    hub.parts["s1"] = given
    return hub


async def test_additions_changes_and_removals() -> None:
    before = saved(CONFIG, s1=part(*many(8), endpoint("x", "10.0.0.4"), vnets=[vnet("v")]))
    now = part(
        *many(8)[:7], endpoint("x", "10.0.0.4", state="Rejected"), endpoint("y", "10.0.0.5"),
        vnets=[vnet("v"), vnet("w")],
    )  # fmt: skip
    found = await plan(before, _with(now))
    assert found.endpoints == [
        Change("remove", key_of("e007").upper()),
        Change("change", key_of("x").upper(), ("state", "state_text")),
        Change("add", key_of("y").upper()),
    ]
    assert found.vnets == [Change("add", key_of("w", kind="virtualnetworks").upper())]
    assert names(found) == [("remove", "x"), ("add", "y")]  # removed endpoints linger
    assert [fact.code for fact in found.opens] == ["endpoint-rejected"]
    assert found.closes == []
    back = await plan(saved(CONFIG, s1=now), _with(part(*many(7), endpoint("x", "10.0.0.4"), endpoint("y", "10.0.0.5"),
                                                        vnets=[vnet("v"), vnet("w")])))  # fmt: skip
    assert [fact.code for fact in back.closes] == ["endpoint-rejected"]


async def test_a_sync_that_would_be_held() -> None:
    found = await plan(saved(CONFIG, s1=part(*many(10))), _with(part(*many(1))))
    assert found.held == {"hub": ("9 of 10 private endpoints",)}
    assert (found.endpoints, found.names) == ([], [])
    assert [fact.code for fact in found.opens] == ["sync-held"]
    assert not found.is_empty


async def test_an_absent_endpoint_that_a_reread_finds_would_stay() -> None:
    hub = _with(part(*many(4)))
    hub.singles[key_of("e004")] = ReadError("403")
    found = await plan(saved(CONFIG, s1=part(*many(5))), hub)
    assert (found.endpoints, [fact.code for fact in found.opens]) == ([], ["source-unreadable"])


async def test_a_source_that_cannot_be_read() -> None:
    hub = _with(part())
    hub.error = "no identity"
    found = await plan(saved(CONFIG, s1=part(*many(3))), hub)
    assert (found.errors, found.endpoints) == ({"hub": "no identity"}, [])


async def test_without_a_saved_inventory_everything_is_new() -> None:
    found = await plan(None, _with(part(*many(3))))
    assert [change.kind for change in found.endpoints] == ["add"] * 3


async def test_files_are_compared_with_their_saved_data(tmp_path: Path) -> None:
    file = tmp_path / "hub.yaml"
    body = "endpoints: [{{name: one, target: t, group: blob, records: [{{fqdn: a.blob.core.windows.net, ips: [{}]}}]}}]"
    file.write_text(body.format("10.0.0.4"))
    config = settings.ControlSettings(sources=(settings.SourceSettings("hub", "files", str(file)),))
    first, _, after = await made(config, None, {}, NOW)
    assert [change.kind for change in first.endpoints] == ["add"]
    before = saved(config, (), **after.inventory.of("hub"))
    again, _, _ = await made(config, before, {}, NOW)
    assert again.is_empty
    file.write_text(body.format("10.0.0.9"))
    changed, _, _ = await made(config, before, {}, NOW)
    assert changed.endpoints == [Change("change", "one", ("records",))]
    assert [fact.code for fact in changed.opens] == ["address-changed"]
    assert names(changed) == [("change", "a")]


# -- private DNS zones

BLOB = "privatelink.blob.core.windows.net"
BY_HAND = zone(record("hand", 7), vnets=("v",))


def following(mode: str) -> settings.ControlSettings:
    azure = AzureSettings(private_dns=mode)  # type: ignore[arg-type]  # as the test says
    return settings.ControlSettings(sources=(settings.SourceSettings("hub", "azure", azure=azure),))


def zoned(given: Resources, *zones: PrivateZone, **keys: object) -> Scripted:
    hub = _with(given)
    hub.private = ScriptedZones(PrivateReading({each.key: each for each in zones}, **keys))  # type: ignore[arg-type]  # as the test says
    return hub


async def test_findings_about_private_dns_zones_open_and_close() -> None:
    config, given = following("check"), part(endpoint("acct", "10.0.0.4"))
    before = saved(config, (zone(record("acct", 4), record("old", 9)),), s1=given)
    found = await plan(before, zoned(given, zone(record("acct", 4), record("new", 8))), config)
    assert [(fact.code, fact.subject) for fact in found.opens] == [("source-disagreement", f"new.{BLOB}")]
    assert [(fact.code, fact.subject) for fact in found.closes] == [("source-disagreement", f"old.{BLOB}")]
    assert found.names == []
    assert (await plan(before, zoned(given, zone(record("acct", 4), record("old", 9))), config)).is_empty


async def test_a_known_bad_record_opens_no_finding() -> None:
    config, given = following("check"), part(endpoint("acct", "10.0.0.4"))
    bad = msgspec.structs.replace(zone(record("acct", 4)), faults=(Fault("/ID/bad", "properties", "no address"),))
    assert (await plan(saved(config, (bad,), s1=given), zoned(given, bad), config)).is_empty


async def test_names_with_provided_records_are_listed() -> None:
    config, given = following("serve"), part(endpoint("acct", "10.0.0.4"))
    found = await plan(saved(config, s1=given), zoned(given, BY_HAND), config)
    assert names(found) == [("add", "privatelink"), ("add", "hand")]
    before = saved(config, (BY_HAND,), s1=given)
    found = await plan(before, zoned(given, zone(record("hand", 8), record("more", 7), vnets=("v",))), config)
    assert names(found) == [("change", "hand"), ("add", "more")]
    found = await plan(before, zoned(given, gone=frozenset({BY_HAND.key})), config)
    assert names(found) == [("remove", "privatelink"), ("remove", "hand")]
    claimed = part(*given.endpoints, endpoint("hand", "10.0.0.7"))
    assert names(await plan(before, zoned(claimed, BY_HAND), config)) == [
        ("remove", "privatelink"), ("change", "hand"),
    ]  # fmt: skip


async def test_private_dns_zones_that_cannot_be_read_keep_their_data() -> None:
    config, given = following("serve"), part(endpoint("acct", "10.0.0.4"))
    before = saved(config, (BY_HAND,), s1=given)
    found = await plan(before, zoned(given, error="private DNS zones: 403"), config)
    assert (found.errors, found.names) == ({"hub": "private DNS zones: 403"}, [])
    hub = zoned(given)
    hub.error = "no identity"
    found = await plan(before, hub, config)
    assert (found.errors, found.names) == ({"hub": "no identity"}, [])
    assert not hub.private.had  # type: ignore[union-attr]  # the scripted one
