"""Mnemonics of record types and rcodes, compared with dnspython's."""

import dns.rcode
import dns.rdatatype
import pytest

from resolver.wire import codes

UNNAMED = {66, 67, 68, 103, 104, 105, 106, 107, 128}
"""Types that pldns writes as numbers: recent or without a specification (IANA's registry)."""
NAMED = sorted(set(map(int, dns.rdatatype.RdataType)) - {0} - UNNAMED)
"""Types that dnspython knows too. 0 is reserved."""


@pytest.mark.parametrize("number", NAMED)
def test_a_type_has_the_mnemonic_that_dnspython_gives(number: int) -> None:
    text = codes.type_text(number)
    assert text == dns.rdatatype.to_text(dns.rdatatype.RdataType(number))
    assert codes.type_number(text.lower()) == number


@pytest.mark.parametrize("number", sorted(map(int, dns.rcode.Rcode)))
def test_an_rcode_has_the_mnemonic_that_dnspython_gives(number: int) -> None:
    assert codes.rcode_text(number) == dns.rcode.to_text(dns.rcode.Rcode(number))


def test_what_has_no_mnemonic_is_written_as_a_number() -> None:
    assert codes.rcode_text(24) == "RCODE24"
    assert codes.type_text(65_534) == "TYPE65534"


@pytest.mark.parametrize("text", ["TYPE65536", "TYPE", "TYPE+1", "NOSUCH", "", "TYPE012345"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a record type"):
        codes.type_number(text)
