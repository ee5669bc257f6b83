"""Private DNS zones from a fake Azure: each is read completely or not at all, at the pace of the quota."""

import pytest

from resolver.sources.azure import private_dns
from resolver.sources.azure.private_dns import PrivateDns
from resolver.sources.reading import PrivateReading, PrivateSource
from tests.fake_azure import shapes
from tests.fake_azure.conftest import ONE
from tests.fake_azure.faults import FakeFault
from tests.fake_azure.server import FakeAzure
from tests.resolver.sources.azure.conftest import Make, Time
from zones.azure.resource import resource_id
from zones.dns.name import to_text

HERE = shapes.group(ONE, "RG-Network")
ZONE = shapes.zone(HERE, "privatelink.blob.core.windows.net")["id"]
OTHER = shapes.zone(HERE, "corp.example")["id"]


async def source(make: Make) -> PrivateDns:
    """Return the private DNS zones after a sync, which determines the subscriptions."""
    azure = make(private_dns="check")
    assert not (await azure.read()).error
    assert azure.private
    return azure.private


def names(reading: PrivateReading) -> dict[str, list[str]]:
    return {
        key.rpartition("/")[2]: sorted(to_text(each.owner).partition(".")[0] for each in zone.records)
        for key, zone in reading.zones.items()
    }


async def test_zones_are_read_only_if_configured(make: Make) -> None:
    assert make().private is None


async def test_a_zone_is_read_with_its_records_and_links_page_by_page(fake: FakeAzure, make: Make) -> None:
    for number in range(5):
        fake.estate.add(shapes.record(ZONE, f"more{number}", [f"10.0.0.{number}"]))
    private: PrivateSource = await source(make)
    reading = await private.read({})
    assert (reading.error, reading.unreadable, reading.faults) == ("", {}, ())
    (zone,) = reading.zones.values()
    assert (zone.key, zone.id) == (resource_id(ZONE), ZONE)
    assert names(reading) == {
        "privatelink.blob.core.windows.net": ["more0", "more1", "more2", "more3", "more4", "other", "st1"]
    }
    assert [link.vnet.rpartition("/")[2] for link in zone.links] == ["hub"]
    assert [each.maker for each in zone.records if each.maker] == ["pe1"]


async def test_a_zone_that_may_not_be_read_is_named_with_the_role_and_the_others_are_read(
    fake: FakeAzure, make: Make
) -> None:
    fake.estate.add(shapes.zone(HERE, "corp.example"), shapes.record(OTHER, "www", ["10.0.0.9"]))
    private = await source(make)
    fake.faults.add(FakeFault("status", api="arm", path="corp.example/ALL", status=403, count=0))
    reading = await private.read({})
    assert set(names(reading)) == {"privatelink.blob.core.windows.net"}
    assert list(reading.unreadable) == [OTHER]
    assert "Reader" in reading.unreadable[OTHER]


async def test_a_subscription_whose_zones_may_not_be_listed_is_named(fake: FakeAzure, make: Make) -> None:
    private = await source(make)
    had = (await private.read({})).zones
    fake.faults.add(
        FakeFault("status", api="arm", path=f"{ONE}/providers/Microsoft.Network/privateDnsZones", status=403, count=0)
    )
    reading = await private.read(had)
    assert (reading.zones, reading.gone) == ({}, frozenset())
    assert list(reading.unreadable) == [f"/subscriptions/{ONE}"]


async def test_a_zone_that_breaks_off_in_the_middle_is_named_and_the_others_are_read(
    fake: FakeAzure, make: Make
) -> None:
    for number in range(5):
        fake.estate.add(shapes.record(ZONE, f"more{number}", [f"10.0.0.{number}"]))
    last = shapes.zone(HERE, "zz.example")["id"]
    fake.estate.add(shapes.zone(HERE, "zz.example"), shapes.record(last, "www", ["10.0.0.9"]))
    private = await source(make)
    fault = fake.faults.add(FakeFault("status", api="arm", path="windows.net/ALL", status=500, skip=1, count=0))
    reading = await private.read({})
    assert (names(reading), reading.error) == ({"zz.example": ["www"]}, "")
    assert "500" in reading.unreadable[ZONE]
    fake.faults.remove(fault)
    reading = await private.read(reading.zones)
    assert (len(reading.zones), reading.unreadable) == (2, {})


@pytest.mark.parametrize("status", [500, 429])
async def test_a_reading_ends_after_several_failures_and_keeps_the_zones_read_so_far(
    fake: FakeAzure, make: Make, status: int
) -> None:
    for number in range(8):
        fake.estate.add(shapes.zone(HERE, f"z{number}.example"))
    fake.estate.add(shapes.zone(HERE, "corp.example"), shapes.record(OTHER, "www", ["10.0.0.9"]))
    private = await source(make)
    for number in range(8):
        path = f"z{number}.example/virtualNetworkLinks"
        fake.faults.add(FakeFault("status", api="arm", path=path, status=status, seconds=1000, count=0))
    reading = await private.read({})
    assert set(names(reading)) == {"corp.example", "privatelink.blob.core.windows.net"}
    assert reading.error.startswith("private DNS zones: ")
    assert len(reading.unreadable) == (private_dns.TOLERATED if status == 500 else 0)


async def test_an_incomplete_list_of_zones_is_named_and_removes_no_zone(fake: FakeAzure, make: Make) -> None:
    fake.estate.add(*(shapes.zone(HERE, f"z{number}.example") for number in range(4)))
    private = await source(make)
    had = (await private.read({})).zones
    assert len(had) == 5
    fake.faults.add(FakeFault("repeat", api="arm", path=f"{ONE}/providers/Microsoft.Network/privateDnsZones", count=0))
    reading = await private.read(had)
    assert (reading.zones, reading.gone) == ({}, frozenset())
    assert "twice" in reading.unreadable[f"/subscriptions/{ONE}"]


async def test_zones_of_a_subscription_that_is_no_longer_readable_are_kept_and_named(
    fake: FakeAzure, make: Make
) -> None:
    azure = make(private_dns="check")
    await azure.read()
    assert azure.private
    had = (await azure.private.read({})).zones
    fake.faults.add(FakeFault("gone", path=ONE))
    await azure.read()
    reading = await azure.private.read(had)
    assert (reading.zones, reading.gone) == ({}, frozenset())
    assert "no longer among" in reading.unreadable[f"/subscriptions/{ONE}"]


async def test_a_page_that_came_twice_leaves_its_zone_as_it_was(fake: FakeAzure, make: Make) -> None:
    for number in range(5):
        fake.estate.add(shapes.record(ZONE, f"more{number}", [f"10.0.0.{number}"]))
    private = await source(make)
    fake.faults.add(FakeFault("repeat", api="arm", path="windows.net/ALL", count=0))
    reading = await private.read({})
    assert not reading.zones
    assert "twice" in reading.unreadable[ZONE]


async def test_a_zone_is_gone_when_a_request_for_it_says_so(fake: FakeAzure, make: Make) -> None:
    private = await source(make)
    had = (await private.read({})).zones
    fake.estate.remove(ZONE)
    assert (await private.read(had)).gone == frozenset({resource_id(ZONE)})


async def test_a_zone_that_may_not_be_read_any_more_is_not_gone(fake: FakeAzure, make: Make) -> None:
    private = await source(make)
    had = (await private.read({})).zones
    fake.estate.remove(ZONE)
    fake.faults.add(FakeFault("status", api="arm", path="windows.net?", status=403, count=0))
    reading = await private.read(had)
    assert not reading.gone
    assert "Reader" in reading.unreadable[ZONE]


async def test_each_zone_costs_two_reads_and_the_interval_grows_with_their_number(
    fake: FakeAzure, make: Make, passing: Time
) -> None:
    private = await source(make)
    assert not (await private.read({})).error
    assert private.calls == 2 + 2  # a list for each subscription, records and links of the one zone
    assert private.interval() == private_dns.INTERVAL
    for number in range(200):
        fake.estate.add(shapes.zone(HERE, f"z{number}.example"))
    before = passing.now
    assert not (await private.read({})).error
    assert private.calls == 101 + 1 + 2 * 201  # pages of two zones for the one subscription, a list for the other
    assert passing.now - before > (private.calls - 51) / (100 / 60) - 1  # after the burst, no faster than Azure allows
    assert private.interval() == pytest.approx((private.calls - 1) / (100 / 60 * 0.5), rel=0.05)


async def test_the_requests_of_the_source_include_those_for_zones(fake: FakeAzure, make: Make) -> None:
    azure = make(private_dns="check")
    await azure.read()
    alone = azure.requests().per_hour
    assert azure.private
    await azure.private.read({})
    spent = azure.requests()
    assert spent.per_hour == alone + round(4 * 3600 / private_dns.INTERVAL)
    assert spent.answered["zone records", "200"] == 1


async def test_a_zone_beyond_the_bound_is_named_and_not_read(
    fake: FakeAzure, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.estate.add(shapes.zone(HERE, "corp.example"), shapes.record(OTHER, "www", ["10.0.0.9"]))
    monkeypatch.setattr(private_dns, "MOST", 2)
    private = await source(make)
    reading = await private.read({})
    assert set(names(reading)) == {"corp.example"}
    assert "more than 2 record sets" in reading.unreadable[ZONE]
