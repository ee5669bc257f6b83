"""Zones that another process has parsed: the same as if the text were parsed here, and only for the same text."""

import pytest

from zones.dns.parsed_zones import ParsedZones
from zones.dns.zonefile import InvalidZone, parse

TEXT = "$ORIGIN corp.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nwww A 10.0.0.4\n* CNAME www\n"


def test_a_text_is_parsed_once() -> None:
    parsed = ParsedZones()
    zone = parsed.parse(TEXT, "corp.zone")
    assert zone == parse(TEXT, "corp.zone")
    assert parsed.parse(TEXT, "copy.zone") is zone
    assert parsed.parse(TEXT.replace("10.0.0.4", "10.0.0.5"), "corp.zone") != zone


def test_another_process_has_the_same_zones() -> None:
    parsed = ParsedZones()
    zone = parsed.parse(TEXT, "corp.zone")
    handed = ParsedZones.decoded(parsed.encoded())
    first = handed.parse(TEXT, "corp.zone")
    assert first == zone
    assert list(first.names) == list(zone.names)
    assert handed.parse(TEXT, "corp.zone") is first


def test_an_invalid_text_is_refused_each_time_with_the_name_of_its_file() -> None:
    parsed = ParsedZones()
    for where in ("a.zone", "b.zone"):
        with pytest.raises(InvalidZone, match=f"{where}: no SOA"):
            parsed.parse("www.corp.example. 60 A 10.0.0.4\n", where)
    assert ParsedZones.decoded(parsed.encoded()).encoded() == ParsedZones().encoded()
